"""Batches of box codes: made, printed, revoked, counted (PZ-11)."""

import os
import tracemalloc
from datetime import timedelta

import pytest

from server.domain import boxcodes as rules
from server.domain.seals import SealError, Vault
from server.models import BoxBatch, BoxCode, OptIn
from server.services import boxcodes, boxreports
from server.services.boxcodes import (
    SpentError,
    SweptError,
    UnknownPlacementError,
    Wanted,
)
from tests.boxes import PLACEMENT, fill_boxes, scan, take_box
from tests.factories import campaign_file

MEGABYTE = 1024 * 1024
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _campaign(publish):
    publish(campaign_file("box-scratch"))


def test_a_batch_holds_hashes_and_a_sealed_secret(database, vault, now, house):
    boxes = fill_boxes(database, vault, now=now, size=3)

    rows = house.rows(BoxCode)
    assert [row.number for row in rows] == [1, 2, 3]
    assert len({row.qr_hash for row in rows} | {row.typed_hash for row in rows}) == 6
    (batch,) = house.rows(BoxBatch)
    assert (batch.public_id, batch.size) == (boxes.batch, 3)
    stranger = Vault((os.urandom(32),))
    with pytest.raises(SealError), database.reading() as session:
        boxcodes.sheets(session, boxes.batch, vault=stranger)


@pytest.mark.parametrize("placement", ["nowhere", "box-scratch-page"])
def test_only_a_placement_of_the_box_gets_codes(session, vault, now, placement):
    with pytest.raises(UnknownPlacementError):
        boxcodes.create(
            session,
            Wanted(placement, "Autumn", 3),
            vault=vault,
            now=now,
            random=os.urandom,
        )


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(2_000, id="2000"),
        pytest.param(10_000, id="full", marks=pytest.mark.stress),
    ],
)
def test_many_codes_take_no_more_memory_than_one_range(
    session, vault, now, size, monkeypatch
):
    """PZ-11: rows are made a range at a time."""
    monkeypatch.setattr(boxcodes, "RANGE", 500)

    def make(size: int) -> int:
        tracemalloc.start()
        boxcodes.create(
            session,
            Wanted(PLACEMENT, "Autumn", size),
            vault=vault,
            now=now,
            random=os.urandom,
        )
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    make(500)
    few, many = make(500), make(size)

    assert many < few + MEGABYTE / 4


@pytest.fixture
def begun(database, vault, now):
    """A batch of which one range of two is there."""
    with database.transaction() as session:
        making = boxcodes.begin(
            session,
            Wanted(PLACEMENT, "Autumn", 4),
            vault=vault,
            now=now,
            random=os.urandom,
        )
    rows = [row for some in making.ranges(vault) for row in some]
    with database.transaction() as session:
        boxcodes.add(session, making, rows[:2])
    return making, rows[2:]


def test_a_batch_that_died_is_for_nobody(begun, database, vault, client, now):
    """PZ-11: it is not printed, played, revoked or counted, whatever is there of it."""
    making, _ = begun
    label = rules.label(making.secret, 1)

    with database.transaction() as session:
        assert boxcodes.sheets(session, making.public_id, vault=vault) is None
        assert not boxcodes.revoke(session, making.public_id, now=now)
        assert boxcodes.fresh(session, PLACEMENT, vault=vault) is None
        assert boxreports.lines(session, campaign=None, now=now) == []
    assert scan(client, label).status_code == 404


def test_a_batch_that_died_is_swept_away_in_time(
    begun, database, vault, now, house, monkeypatch
):
    """One that is being made is left alone; one that is swept stores nothing more."""
    monkeypatch.setattr(boxcodes, "RANGE", 2)
    making, rest = begun
    whole = fill_boxes(database, vault, now=now)

    def swept(moment):
        with database.transaction() as session:
            return boxcodes.sweep(session, now=moment)

    assert swept(now + boxcodes.LEFT_AFTER - SECOND) == 0
    while swept(now + boxcodes.LEFT_AFTER):
        pass

    assert [row.public_id for row in house.rows(BoxBatch)] == [whole.batch]
    assert len(house.rows(BoxCode)) == 3
    for step in (
        lambda session: boxcodes.add(session, making, rest),
        lambda session: boxcodes.finish(session, making),
    ):
        with pytest.raises(SweptError), database.transaction() as session:
            step(session)


@pytest.mark.parametrize("reference", ["", "nonsense", "ab.1"])
def test_what_names_no_code_uses_none_up(session, now, reference):
    with pytest.raises(SpentError):
        boxcodes.consume(session, reference, placement_id=1, entry_id=1, now=now)


def test_a_batch_is_revoked_once(database, vault, now):
    boxes = fill_boxes(database, vault, now=now)

    with database.transaction() as other:
        assert boxcodes.revoke(other, boxes.batch, now=now)
        assert not boxcodes.revoke(other, boxes.batch, now=now)
        assert not boxcodes.revoke(other, "nothing", now=now)


def test_a_report_counts_what_became_of_each_batch(client, database, vault, now, house):
    """Printed, opened, played, confirmed."""
    boxes = fill_boxes(database, vault, now=now, size=5)
    fill_boxes(database, vault, now=now, size=2, name="Winter")
    opened, played, asked, confirmed = boxes.labels[:4]
    ticket = take_box(client, opened).ticket
    client.post("/b/opened", data={"ticket": ticket})
    take_box(client, played).enter(client, "a@example.com")
    take_box(client, asked).enter(client, "b@example.com", consents=["newsletter"])
    email = "c@example.com"
    take_box(client, confirmed).enter(client, email, consents=["newsletter"])
    with database.transaction() as session:
        boxcodes.printed(session, boxes.batch, now=now)
        session.query(OptIn).update({"state": "sent"})
    house.press(client, house.link("confirm", to=email))

    with database.reading() as session:
        autumn, winter = boxreports.lines(session, campaign=None, now=now)
        none = boxreports.lines(session, campaign="other", now=now)

    figures = (autumn.size, autumn.printed, autumn.opened, autumn.played)
    assert figures == (5, 5, 4, 3)
    assert autumn.confirmed == 1
    assert (winter.printed, winter.opened, winter.played) == (0, 0, 0)
    assert winter.confirmed == 0
    assert none == []
