"""How many mails one mailbox gets: REQUIREMENTS section 15, SAFETY T16, DO-10."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.limits import (
    LONGEST,
    Kind,
    Sending,
    as_text,
    from_text,
    may_send,
    remember,
    turn,
)

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FIVE_IN_A_MONTH = [days * DAY for days in (1, 2, 9, 20, 29)]
FOUR_IN_A_MONTH = [days * DAY for days in (1, 2, 9, 20, 30)]

SHOP = 1

kinds = st.sampled_from(Kind)
shops = st.integers(1, 3)
gaps = st.timedeltas(timedelta(0), timedelta(days=3))


def sent(kind: Kind, *ago: timedelta) -> list[Sending]:
    return [Sending(kind, NOW - before, SHOP) for before in ago]


def elsewhere(kind: Kind, *ago: timedelta, shop: int | None = 2) -> list[Sending]:
    return [Sending(kind, NOW - before, shop) for before in ago]


@pytest.mark.parametrize(
    ("past", "kind", "expected"),
    [
        ([], Kind.CONFIRM, True),
        (sent(Kind.CONFIRM, 9 * MINUTE), Kind.CONFIRM, False),
        (sent(Kind.CONFIRM, 10 * MINUTE), Kind.CONFIRM, True),
        # Prize and request are two mails of one entry (DO-08).
        (sent(Kind.CONFIRM, MINUTE), Kind.PRIZE, True),
        (sent(Kind.PRIZE, HOUR, 2 * HOUR, 23 * HOUR), Kind.CONFIRM, False),
        (sent(Kind.PRIZE, HOUR, 2 * HOUR, 24 * HOUR), Kind.CONFIRM, True),
        (
            sent(Kind.CONFIRM, *FIVE_IN_A_MONTH),
            Kind.CONFIRM,
            False,
        ),
        (sent(Kind.CONFIRM, *FOUR_IN_A_MONTH), Kind.CONFIRM, True),
        (sent(Kind.CONFIRM, *FIVE_IN_A_MONTH), Kind.PRIZE, True),
        # One "manage your choices" mail a day (DO-10).
        (sent(Kind.MANAGE, 23 * HOUR), Kind.MANAGE, False),
        (sent(Kind.MANAGE, 24 * HOUR), Kind.MANAGE, True),
        # A receipt finds its place, and takes nobody else's.
        (sent(Kind.PRIZE, HOUR, 2 * HOUR), Kind.RECEIPT, True),
        (sent(Kind.PRIZE, HOUR, 2 * HOUR, 3 * HOUR), Kind.RECEIPT, False),
        (sent(Kind.RECEIPT, 23 * HOUR), Kind.RECEIPT, False),
        (
            [*sent(Kind.PRIZE, HOUR, 2 * HOUR), *sent(Kind.RECEIPT, HOUR)],
            Kind.CONFIRM,
            True,
        ),
    ],
)
def test_a_mailbox_is_left_in_peace(past, kind, expected):
    assert may_send(past, kind, shop=SHOP, now=NOW) is expected


@given(st.lists(st.tuples(kinds, gaps), max_size=60))
def test_no_day_has_more_than_three_mails(asked: list[tuple[Kind, timedelta]]):
    """T16, whatever is asked and when; and one receipt, for who pressed a button."""
    past: list[Sending] = []
    moment = NOW
    for kind, gap in asked:
        moment += gap
        if may_send(past, kind, shop=SHOP, now=moment):
            past.append(Sending(kind, moment, SHOP))
        within = [s for s in past if s.at > moment - DAY]

        receipts = sum(s.kind is Kind.RECEIPT for s in within)
        assert len(within) - receipts <= 3
        assert receipts <= 1
        assert sum(s.kind is Kind.MANAGE for s in within) <= 1


@pytest.mark.parametrize(
    ("past", "kind", "waits"),
    [
        (sent(Kind.PRIZE, 20 * MINUTE), Kind.PRIZE, timedelta(0)),
        (sent(Kind.PRIZE, MINUTE), Kind.PRIZE, 9 * MINUTE),
        # One that waits already is before it.
        (sent(Kind.PRIZE, MINUTE, -9 * MINUTE), Kind.PRIZE, 19 * MINUTE),
        (sent(Kind.PRIZE, HOUR, 2 * HOUR, 23 * HOUR), Kind.PRIZE, HOUR),
        (sent(Kind.PRIZE, 0 * HOUR, -HOUR, -2 * HOUR), Kind.PRIZE, None),
        (sent(Kind.CONFIRM, MINUTE), Kind.CONFIRM, None),
    ],
)
def test_a_prize_waits_for_its_turn_and_nothing_else_does(past, kind, waits):
    expected = None if waits is None else NOW + waits

    assert turn(past, kind, shop=SHOP, now=NOW) == expected


@given(st.lists(st.tuples(kinds, gaps), max_size=60))
def test_no_day_has_more_than_three_mails_though_some_wait(asked):
    """T16: counted when they go, whatever day that is."""
    past: list[Sending] = []
    moment = NOW
    for kind, gap in asked:
        moment += gap
        if at := turn(past, kind, shop=SHOP, now=moment):
            past.append(Sending(kind, at, SHOP))
    goes = sorted(s.at for s in past if s.kind is not Kind.RECEIPT)
    for last in goes:
        assert sum(last - DAY < at <= last for at in goes) <= 3


@pytest.mark.parametrize(
    ("past", "kind", "expected"),
    [
        # Each shop has its own pace.
        (elsewhere(Kind.CONFIRM, MINUTE), Kind.CONFIRM, True),
        (elsewhere(Kind.PRIZE, HOUR, 2 * HOUR, 3 * HOUR), Kind.CONFIRM, True),
        (elsewhere(Kind.CONFIRM, *FIVE_IN_A_MONTH), Kind.CONFIRM, True),
        # Five a day from all of them, whatever they are.
        (
            [
                *sent(Kind.PRIZE, HOUR, 2 * HOUR),
                *elsewhere(Kind.CONFIRM, HOUR, 2 * HOUR),
                *elsewhere(Kind.RECEIPT, 3 * HOUR, shop=3),
            ],
            Kind.CONFIRM,
            False,
        ),
        (
            [
                *sent(Kind.PRIZE, HOUR, 2 * HOUR),
                *elsewhere(Kind.CONFIRM, HOUR, 2 * HOUR, DAY),
            ],
            Kind.CONFIRM,
            True,
        ),
        (elsewhere(Kind.PRIZE, *(n * HOUR for n in range(5))), Kind.RECEIPT, False),
        # One of nobody was sent before it was noted by whom: it counts for every shop.
        (elsewhere(Kind.CONFIRM, MINUTE, shop=None), Kind.CONFIRM, False),
        (
            [
                *sent(Kind.PRIZE, HOUR, 2 * HOUR),
                *elsewhere(Kind.PRIZE, 3 * HOUR, shop=None),
            ],
            Kind.CONFIRM,
            False,
        ),
    ],
)
def test_shops_have_a_pace_each_and_five_a_day_together(past, kind, expected):
    """Section 15: across controllers of the instance 5 per 24 h."""
    assert may_send(past, kind, shop=SHOP, now=NOW) is expected


def test_a_prize_waits_for_the_mails_of_other_shops():
    past = elsewhere(Kind.PRIZE, *(n * HOUR for n in (1, 2, 3, 22, 23)))

    assert turn(past, Kind.PRIZE, shop=SHOP, now=NOW) == NOW + HOUR


@given(st.lists(st.tuples(kinds, gaps, shops), max_size=60))
def test_no_day_has_more_than_five_mails_whoever_they_are_from(asked):
    """Section 15 and T16: counted when they go, though some wait."""
    past: list[Sending] = []
    moment = NOW
    for kind, gap, shop in asked:
        moment += gap / 10
        if at := turn(past, kind, shop=shop, now=moment):
            past.append(Sending(kind, at, shop))
    for last in past:
        day = [s for s in past if last.at - DAY < s.at <= last.at]
        assert len(day) <= 5
        for shop in (1, 2, 3):
            mails = [s.kind for s in day if s.shop == shop]
            assert sum(kind is not Kind.RECEIPT for kind in mails) <= 3


@given(st.lists(st.tuples(kinds, gaps, shops), max_size=30), kinds)
def test_what_is_forgotten_would_not_have_counted(asked, kind):
    past = [Sending(k, NOW - gap * 20, shop) for k, gap, shop in asked]

    kept = remember(past, now=NOW)

    assert may_send(kept, kind, shop=SHOP, now=NOW) == may_send(
        past, kind, shop=SHOP, now=NOW
    )
    assert all(s.at > NOW - LONGEST for s in kept)


@given(st.lists(st.tuples(kinds, gaps, shops | st.none()), max_size=30))
def test_a_row_keeps_mails_to_the_second(asked):
    past = tuple(
        Sending(k, (NOW - gap).replace(microsecond=0), shop) for k, gap, shop in asked
    )

    assert from_text(as_text(past)) == past


def test_a_row_of_before_shops_were_noted_can_be_read():
    assert as_text(from_text("c1790000000 p1790000000/1")) == (
        "c1790000000 p1790000000/1"
    )
