"""The draw `iw-1`, against the vectors of its fixed scheme."""

import hashlib
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.chance import (
    Slot,
    Table,
    draw,
    epoch_of,
    epochs_between,
    seed_for,
)

LAST = bytes(range(32))
FIRST = "2f287b4d3d4910f6cada9e1bd1b4648099e8c52c81aa4a6aebfa6fc86f19834e"
ANCHOR = "4e05063392f42b5180353ef82da86c714042155044d91ab3253f1bab08120a0a"
TABLE = Table(
    slots=(
        Slot("voucher50", 1, 1),
        Slot("disc10", 60, None),
        Slot("ship", 30, None),
        Slot("none", 9, None),
    ),
    fallback="none",
)
DIGEST = "eba3c5af7bb0d2d22d50bb4f864cb7899b03ecfde84e648bf53a869c4543d2a7"
BROWSER = "00112233445566778899aabbccddeeff"
OPENS = datetime(2026, 3, 1, 9, tzinfo=UTC)


def play(number: int) -> str:
    ticket = hashlib.sha256(f"ticket-{number}".encode()).hexdigest()[:32]
    return draw(
        TABLE,
        seed=seed_for(LAST, epochs=3, epoch=1),
        campaign="demo",
        epoch=1,
        ticket=ticket,
        browser=BROWSER,
    )


def test_each_seed_is_the_hash_of_the_next():
    """PZ-08: what is published later leads back to the anchor published first."""
    assert seed_for(LAST, epochs=3, epoch=3) == LAST
    assert seed_for(LAST, epochs=3, epoch=1).hex() == FIRST
    assert seed_for(LAST, epochs=3, epoch=0).hex() == ANCHOR
    for epoch in (1, 2, 3):
        seed = seed_for(LAST, epochs=3, epoch=epoch)
        before = seed_for(LAST, epochs=3, epoch=epoch - 1)
        assert hashlib.sha256(seed).digest() == before


@pytest.mark.parametrize("epoch", [-1, 4])
def test_there_is_no_seed_outside_the_chain(epoch: int):
    with pytest.raises(ValueError, match="outside"):
        seed_for(LAST, epochs=3, epoch=epoch)


def test_the_table_has_its_published_digest():
    assert TABLE.digest() == DIGEST


def test_the_first_plays_are_those_of_the_design():
    expected = ["disc10", "ship", *["disc10"] * 4, "ship", "ship", *["disc10"] * 4]

    assert [play(number) for number in range(1, 13)] == expected


def test_the_rare_prize_falls_where_the_design_says_and_once_in_stock():
    """PZ-05: 29 wins the only one; 87 draws it again and gets the fallback."""
    drawn = [number for number in range(1, 101) if play(number) == "voucher50"]

    left, awarded = 1, {}
    for number in drawn:
        awarded[number] = "voucher50" if left else TABLE.fallback
        left = max(left - 1, 0)

    assert drawn[:2] == [29, 87]
    assert awarded[29] == "voucher50"
    assert awarded[87] == "none"


def test_a_hundred_thousand_plays_are_those_of_the_design():
    found = Counter(play(number) for number in range(1, 100_001))

    assert found == {
        "disc10": 60_042,
        "ship": 30_055,
        "none": 8_901,
        "voucher50": 1_002,
    }


@given(ticket=st.binary(min_size=16, max_size=16), browser=st.booleans())
def test_the_same_play_gives_the_same_outcome(ticket: bytes, browser: bool):
    """CR-02: an outcome depends on these arguments and nothing else."""
    outcomes = {
        draw(
            TABLE,
            seed=LAST,
            campaign="demo",
            epoch=1,
            ticket=ticket.hex(),
            browser=BROWSER if browser else "",
        )
        for _ in range(2)
    }

    assert len(outcomes) == 1


@given(weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=24))
def test_a_slot_without_weight_is_never_drawn(weights: list[int]):
    weights = [*weights, 1]
    table = Table(
        tuple(Slot(str(i), weight, None) for i, weight in enumerate(weights)), "0"
    )

    drawn = draw(table, seed=LAST, campaign="x", epoch=1, ticket="00", browser="")

    assert weights[int(drawn)] > 0


@pytest.mark.parametrize(
    ("after", "epoch"),
    [
        (timedelta(0), 1),
        (timedelta(days=1) - timedelta(milliseconds=1), 1),
        (timedelta(days=1), 2),
        (timedelta(days=89, hours=23), 90),
    ],
)
def test_a_campaign_counts_its_days_from_one(after: timedelta, epoch: int):
    assert epoch_of(OPENS + after, opens=OPENS) == epoch


@given(length=st.timedeltas(timedelta(milliseconds=1), timedelta(days=366)))
def test_every_moment_of_a_campaign_has_a_seed(length: timedelta):
    epochs = epochs_between(OPENS, OPENS + length)
    last = epoch_of(OPENS + length - timedelta(microseconds=1), opens=OPENS)

    assert last == epochs
