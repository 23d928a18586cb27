"""`keys status` and `keys rotate`: T24, on both databases."""

import os
import secrets
import subprocess
import sys

import pytest
from sqlalchemy import select

from server.domain.seals import KEY_ID_BYTES, Vault
from server.models import (
    Attribute,
    Base,
    Contact,
    Entry,
    Evidence,
    MonthKey,
    Outbox,
    Webhook,
)
from server.services import privacy, rotations
from server.services.rotations import KINDS
from tests.boxes import fill_boxes
from tests.factories import campaign_file, make
from tests.raffles import raffle_file
from tests.servers import LOOPBACK, ROOT, free_port
from tests.visits import EMAIL, at_once, sure_win, take_card

NEWER = secrets.token_hex()
# What a person's own key seals, which a rotation must not touch.
OWN = (Contact.sealed_email, Attribute.sealed_value, Evidence.sealed)
ELSEWHERE = {"address_change.sealed"}


@pytest.fixture
def filled(publish, client, house, run):
    """Something of each kind that the data keys seal."""
    publish(campaign_file("box-scratch"))
    fill_boxes(house.database, house.vault, now=house.clock.now())
    hidden = [{"key": "order", "from": "data:order"}]
    answer = {"key": "likes", "kind": "text", "purpose": "newsletter"}
    words = {"nl": "Likes", "en": "Likes"}
    fields = [{**answer, "label": words, "why": words}]
    publish(sure_win("lucky-scratch", fields=fields, hidden=hidden))
    publish(raffle_file(1))
    run("webhook", "add", "demo", "CRM", "https://crm.example/hook")
    with house.database.reading() as session:
        webhook = session.scalars(select(Webhook.public_id)).one()
    run("webhook", "rotate", webhook)
    for email in (EMAIL, "ben@example.com"):
        card = take_card(client, "lucky-inline")
        card.play(client, more={"h.order": "order 7"})
        card.claim(client, email, consents=["newsletter"], more={"likes": "the sea"})
        house.press(client, house.link("confirm", to=email))
    take_card(client, "lucky-inline").play(client, more={"h.order": "order 8"})
    return house


@pytest.fixture
def with_two(settings) -> dict[str, str]:
    """The environment in which a newer key stands behind the first."""
    return {"JAWOORD_DATA_KEYS": f"{settings.data_keys[0].hex()},{NEWER}"}


@pytest.fixture
def newer(settings) -> Vault:
    return Vault((*settings.data_keys, bytes.fromhex(NEWER)))


def sealed_by_keys(house) -> dict[str, set[bytes]]:
    """Return the ids of the keys that each kind of rows is under."""
    with house.database.reading() as session:
        return {kind.name: set(rotations.counts(session, kind)) for kind in KINDS}


def own(house) -> list[bytes]:
    """Return what people's own keys have sealed."""
    with house.database.reading() as session:
        claimed = select(Entry.sealed_answers, Entry.sealed_source).where(
            Entry.contact_id.is_not(None)
        )
        return [
            *(v for each in OWN for v in sorted(session.scalars(select(each)))),
            *sorted(v for row in session.execute(claimed) for v in row if v),
        ]


def test_a_rotation_rewraps_keys_and_no_field(filled, run, with_two, newer):
    """T24: rotation of the master key re-wraps n keys only."""
    before, (oldest, newest) = own(filled), newer.key_ids

    told = run("keys", "rotate", **with_two)

    assert told.exit_code == 0
    assert "2  people" in told.output
    assert "All is under the newest key." in told.output
    assert own(filled) == before
    assert len(before) > 6
    found = sealed_by_keys(filled)
    assert {name for name, under in found.items() if under} >= {
        *("people", "months", "mails", "unclaimed sources", "campaigns"),
        *("raffles", "box codes"),
    }
    assert {key for under in found.values() for key in under} == {newest}
    assert oldest != newest


def test_all_opens_afterwards_and_the_first_key_only_hashes(
    filled, run, with_two, newer, settings
):
    run("keys", "rotate", **with_two)

    # As if the first key had been dropped for what it opens, not for what it hashes.
    unable = Vault((bytes.fromhex(NEWER),))
    with filled.database.reading() as session:
        for kind in KINDS:
            wanted = select(
                kind.key.label("key"), kind.sealed.label("sealed"), *kind.bound_to
            )
            for row in session.execute(wanted.where(*kind.rows())):
                assert unable.open(row.sealed, about=kind.about(row))
    assert filled.emails() == ["", ""]
    assert newer.hashed("x") == Vault(settings.data_keys).hashed("x")


def test_the_service_goes_on_with_both_keys(filled, run, with_two, house_with, client):
    """Before, while and after: whoever has both keys opens what either sealed."""
    both = house_with(DATA_KEYS=with_two["JAWOORD_DATA_KEYS"])
    browser = both.app.test_client()
    take_card(browser, "lucky-inline").enter(browser, "cas@example.com")

    run("keys", "rotate", **with_two)

    take_card(browser, "lucky-inline").enter(browser, EMAIL)
    with both.database.reading() as session:
        vault = both.app.extensions["tools"].vault
        for row in session.scalars(select(Contact)):
            assert vault.open(row.sealed_key, about=row.subject_ref)


def test_what_was_stopped_is_begun_again(filled, run, with_two, newer, monkeypatch):
    monkeypatch.setattr(rotations, "AT_ONCE", 1)
    people = KINDS[0]
    with filled.database.transaction() as session:
        done = rotations.rewrap(
            session, people, after=None, vault=newer, random=os.urandom
        )
    with filled.database.reading() as session:
        left = rotations.due(session, people, vault=newer)

    told = run("keys", "rotate", **with_two)

    assert (done.rewrapped, left) == (1, 1)
    assert "1  people" in told.output
    again = run("keys", "rotate", **with_two)
    assert again.output == "All is under the newest key.\n"


def test_who_is_erased_meanwhile_stays_erased(filled, newer):
    """The key that was destroyed is not written back."""
    who = filled.person("ben@example.com")

    at_once([lambda: rewrap(filled, newer), lambda: erase(filled, who)], threads=2)

    rows = filled.rows(Contact)
    assert [bool(row.erased_at) for row in rows].count(True) == 1
    assert [row.sealed_key for row in rows if row.erased_at] == [b""]


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_whoever_is_referred_to_meanwhile_is_rewrapped_all_the_same(filled, newer):
    """As an entry refers to its person: neither waits, and nobody is left out."""
    who = filled.person("ben@example.com")
    refer = select(Contact.id).with_for_update(read=True, key_share=True, nowait=True)

    with (
        filled.database.transaction() as referring,
        filled.database.transaction() as rotating,
    ):
        assert referring.scalar(refer.where(Contact.id == who.id))
        done = rotations.rewrap(
            rotating, KINDS[0], after=None, vault=newer, random=os.urandom
        )
        everybody = referring.scalars(refer).all()

    assert (done.rewrapped, len(everybody)) == (2, 2)


def rewrap(house, vault) -> None:
    with house.database.transaction() as session:
        rotations.rewrap(session, KINDS[0], after=None, vault=vault, random=os.urandom)


def erase(house, who) -> None:
    with house.database.transaction() as session:
        privacy.erase(
            session,
            who,
            use=privacy.Use("en", "office", {}),
            tools=house.app.extensions["tools"],
            now=house.clock.now(),
        )


def test_the_status_says_what_is_under_which_key_and_what_may_go(
    filled, run, with_two, newer
):
    before = run("keys", "status", **with_two).output.splitlines()
    run("keys", "rotate", **with_two)
    after = run("keys", "status", **with_two).output.splitlines()
    three = {"JAWOORD_DATA_KEYS": f"{with_two['JAWOORD_DATA_KEYS']},{'c' * 64}"}
    run("keys", "rotate", **three)
    last = run("keys", "status", **three).output.splitlines()

    oldest, newest = (key.hex() for key in newer.key_ids)
    assert before[0].startswith(f"key 1 of 2  {oldest}  2 people, 1 months, ")
    assert before[0].endswith(
        "; makes the hashes by which people are found: never drop it"
    )
    assert before[1] == f"key 2 of 2  {newest}  nothing; seals what is new"
    assert after[0].startswith(f"key 1 of 2  {oldest}  nothing; makes the hashes")
    assert after[1].startswith(f"key 2 of 2  {newest}  2 people")
    assert last[1] == f"key 2 of 3  {newest}  nothing; may be dropped"


def test_a_key_that_is_gone_is_said_and_nothing_is_changed(filled, run, with_two):
    before = filled.dump()
    alone = {"JAWOORD_DATA_KEYS": NEWER}

    rotated, status = run("keys", "rotate", **alone), run("keys", "status", **alone)

    assert (rotated.exit_code, status.exit_code) == (1, 1)
    assert "cannot be opened with the keys at hand" in rotated.output
    assert "NOT at hand" in status.output
    assert filled.dump() == before


@pytest.mark.parametrize("keys", ["the first is gone", "another is in front"])
def test_a_first_key_that_is_not_in_its_place_is_said(filled, run, with_two, keys):
    """T30: by other hashes nobody is found, and who was erased could come back."""
    assert run("keys", "rotate", **with_two).exit_code == 0
    oldest, newest = with_two["JAWOORD_DATA_KEYS"].split(",")
    listed = newest if keys == "the first is gone" else f"{newest},{oldest}"
    before, wrong = filled.dump(), {"JAWOORD_DATA_KEYS": listed}

    status, rotated = run("keys", "status", **wrong), run("keys", "rotate", **wrong)
    doctor = run("doctor", **wrong)

    assert (status.exit_code, rotated.exit_code, doctor.exit_code) == (1, 2, 1)
    assert "NOT in place   key 1" in status.output
    assert "key 1 is not in its place" in rotated.output
    assert "NOT   keys: data keys are missing or in another order" in doctor.output
    assert filled.dump() == before
    assert "NOT in place" not in run("keys", "status", **with_two).output


@pytest.mark.parametrize("command", ["serve", "worker"])
@pytest.mark.parametrize("keys", ["one is missing", "another is in front"])
def test_nothing_runs_without_the_keys_of_its_database(
    filled, run, with_two, environ, command, keys
):
    """F20: whoever takes part again would be met as somebody new, for good."""
    oldest, newest = with_two["JAWOORD_DATA_KEYS"].split(",")
    listed = newest if keys == "one is missing" else f"{newest},{oldest}"

    at = f"{LOOPBACK}:{free_port()}"
    # As a process of its own: what it does to the log is for good.
    ended = subprocess.run(
        [sys.executable, "-m", "server", command],
        env={**os.environ, **environ, "JAWOORD_DATA_KEYS": listed, "JAWOORD_BIND": at},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ended.returncode == 2
    assert "data keys are missing or in another order" in ended.stderr


def test_people_in_the_middle_tell_that_a_key_is_missing(house, vault, monkeypatch):
    """F20: as a rotation leaves it that was cut short before its old key was let go."""
    monkeypatch.setattr(rotations, "AT_ONCE", 4)
    with house.database.transaction() as session:
        people = [make(session, Contact, now=house.clock.now()) for _ in range(12)]
        for person in people:
            person.sealed_key = vault.key_ids[0] + bytes(60)
        session.flush()
        assert rotations.are_at_hand(session, vault=vault)

        for person in people[4:8]:
            person.sealed_key = b"gone" + bytes(60)
        session.flush()
        assert not rotations.are_at_hand(session, vault=vault)


def test_every_sealed_column_is_rotated_or_under_a_persons_key():
    """A new column has to be told of, or a rotation would leave it behind."""
    columns = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name.startswith("sealed")
    }
    rotated = {f"{kind.model.__tablename__}.{kind.sealed.key}" for kind in KINDS}
    of_people = {f"{each.class_.__tablename__}.{each.key}" for each in OWN}

    assert columns == rotated | of_people | ELSEWHERE


def test_the_key_ids_are_what_stands_in_front(filled):
    row = filled.rows(Outbox)[0]

    assert row.sealed[:KEY_ID_BYTES] in filled.vault.key_ids
    assert filled.rows(MonthKey)[0].sealed[:KEY_ID_BYTES] == filled.vault.key_ids[-1]
