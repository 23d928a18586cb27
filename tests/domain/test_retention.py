"""Until when a person is kept, and when a yes grows too old (DS-04, DS-05, SO-03)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.consent import LASTING, Act
from server.domain.months import months_after
from server.domain.parts import FileError
from server.domain.retention import (
    Held,
    Known,
    Played,
    Reason,
    endings,
    judge,
    longest,
    soft_until,
    sold_at,
    stays,
)
from server.domain.rights import due
from server.domain.shop import Retention
from tests.factories import shop_file

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
TERMS = Retention()
NOBODY = Known(created_at=NOW, alive_at=NOW)
GIVEN, SOFT = Held("news", Act.GIVEN, NOW), Held("soft:shoes", Act.SOFT_OPT_IN, NOW)

moments = st.datetimes(
    datetime(2020, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC)
)
decided = st.sampled_from([*LASTING, Act.WITHDRAWN, Act.LAPSED])
people = st.builds(
    Known,
    created_at=moments,
    alive_at=moments,
    held=st.lists(
        st.builds(Held, st.sampled_from(["a", "b", "soft:c"]), decided, moments),
        max_size=3,
        unique_by=lambda held: held.purpose,
    ).map(tuple),
    ever_given=st.frozensets(st.sampled_from(["a", "b", "soft:c"])),
    pending_until=st.none() | moments,
    entries=st.lists(
        st.builds(Played, st.none() | moments, st.booleans()), max_size=3
    ).map(tuple),
    won_at=st.none() | moments,
    voucher_until=st.none() | moments,
    is_restricted=st.booleans(),
    has_request=st.booleans(),
)
shops = st.builds(
    Retention,
    entry_days=st.integers(1, 366),
    prize_months=st.integers(12, 120),
    proof_months=st.integers(12, 120),
    stale_months=st.integers(3, 20),
    lapse_months=st.integers(21, 60),
    soft_months=st.integers(1, 36),
)


@pytest.mark.parametrize(
    ("known", "reason", "until"),
    [
        (NOBODY, Reason.NOTHING, NOW),
        (replace(NOBODY, held=(GIVEN,)), Reason.YES, None),
        (
            replace(NOBODY, held=(Held("news", Act.UNPROVEN, NOW),)),
            Reason.YES,
            None,
        ),
        (replace(NOBODY, held=(SOFT,)), Reason.SOFT, None),
        (replace(NOBODY, has_request=True), Reason.REQUEST, None),
        (replace(NOBODY, is_restricted=True), Reason.RESTRICTED, None),
        (replace(NOBODY, entries=(Played(None),)), Reason.RAFFLE, None),
        (replace(NOBODY, pending_until=NOW), Reason.PENDING, NOW + DAY),
        (replace(NOBODY, entries=(Played(NOW),)), Reason.ENTRY, NOW + 90 * DAY),
        (
            replace(NOBODY, won_at=NOW),
            Reason.PRIZE,
            datetime(2033, 3, 2, 10, 30, tzinfo=UTC),
        ),
        (replace(NOBODY, voucher_until=NOW), Reason.VOUCHER, NOW + DAY),
        (
            replace(
                NOBODY,
                held=(Held("news", Act.WITHDRAWN, NOW),),
                ever_given=frozenset({"news"}),
            ),
            Reason.PROOF,
            datetime(2031, 3, 2, 10, 30, tzinfo=UTC),
        ),
        (
            replace(
                NOBODY,
                held=(Held("soft:x", Act.LAPSED, NOW),),
                ever_given=frozenset({"soft:x"}),
            ),
            Reason.PROOF,
            datetime(2031, 3, 2, 10, 30, tzinfo=UTC),
        ),
    ],
)
def test_each_row_of_the_schedule(known, reason, until):
    """DS-04, row by row, with the defaults of a shop file that says nothing."""
    stay = longest(stays(known, TERMS))

    assert (stay.reason, stay.until) == (reason, until)
    if until is not None:
        assert not judge(known, TERMS, now=until - SECOND).is_over
        assert judge(known, TERMS, now=until).is_over


@pytest.mark.parametrize(
    "known",
    [
        # A form for its consents alone is kept for them, and for nothing else.
        replace(NOBODY, entries=(Played(NOW, is_bare=True),)),
        # Who took back what they never confirmed has no yes to be proven.
        replace(NOBODY, held=(Held("news", Act.WITHDRAWN, NOW),)),
    ],
)
def test_what_is_no_reason(known):
    assert longest(stays(known, TERMS)).reason is Reason.NOTHING


@given(people, shops, moments)
def test_nobody_is_erased_while_anything_holds(known, terms, now):
    """Whatever the order in which the reasons are found."""
    found = stays(known, terms)

    verdict = judge(known, terms, now=now)

    assert verdict.is_over == (not any(stay.holds(now) for stay in found))
    assert longest(reversed(found)) == verdict.stay


@given(people, shops, moments, st.integers(0, 4_000))
def test_time_alone_never_gives_a_reason(known, terms, now, days):
    later = now + days * DAY

    if judge(known, terms, now=now).is_over:
        assert judge(known, terms, now=later).is_over


@given(people, shops, moments)
def test_a_longer_term_never_erases_sooner(known, terms, now):
    longer = Retention(
        entry_days=366,
        prize_months=120,
        proof_months=120,
        stale_months=terms.stale_months,
        lapse_months=terms.lapse_months,
        soft_months=terms.soft_months,
    )

    if judge(known, longer, now=now).is_over:
        assert judge(known, terms, now=now).is_over


@given(people, shops, moments)
def test_what_lapses_stood_and_was_warned_about_before(known, terms, now):
    verdict = judge(known, terms, now=now)

    standing = {held.purpose for held in known.held if held.act in LASTING}
    ending = {one.purpose for one in (*verdict.lapsing, *verdict.stale)}
    assert ending <= (set() if known.is_restricted else standing)
    assert not set(verdict.lapsing) & set(verdict.stale)
    assert all(one.warned_at <= one.lapses_at for one in endings(known, terms))
    # Who has a yes is never erased before it has lapsed.
    assert not (verdict.is_over and standing)


@given(people, shops, moments)
def test_a_sign_of_life_puts_every_yes_off(known, terms, now):
    alive = replace(known, alive_at=now)

    lapsing = judge(alive, terms, now=now).lapsing

    assert all(one.act is Act.SOFT_OPT_IN for one in lapsing)


def test_a_yes_is_warned_about_after_two_years_and_lapses_after_three():
    """DS-05."""
    known = replace(NOBODY, held=(GIVEN,))
    two, three = months_after(NOW, 24), months_after(NOW, 36)

    def at(now):
        verdict = judge(known, TERMS, now=now)
        return len(verdict.stale), len(verdict.lapsing)

    assert [at(two - SECOND), at(two), at(three - SECOND), at(three)] == [
        (0, 0),
        (1, 0),
        (1, 0),
        (0, 1),
    ]


def test_a_younger_yes_is_not_touched():
    old = replace(GIVEN, at=months_after(NOW, -40))
    young = replace(GIVEN, purpose="offers", act=Act.UNPROVEN)
    known = replace(NOBODY, alive_at=old.at, held=(old, young))

    verdict = judge(known, TERMS, now=NOW)

    assert [one.purpose for one in verdict.lapsing] == ["news"]


def test_a_soft_opt_in_lapses_two_years_after_the_last_sale():
    """SO-03. A sign of life is no sale."""
    sold = datetime(2024, 6, 30, tzinfo=UTC)
    known = replace(NOBODY, held=(replace(SOFT, sold_at=sold),))

    (ending,) = endings(known, TERMS)
    (told_nothing,) = endings(replace(NOBODY, held=(SOFT,)), TERMS)

    assert ending.lapses_at == datetime(2026, 6, 30, tzinfo=UTC)
    assert told_nothing.lapses_at == datetime(2028, 3, 2, 10, 30, tzinfo=UTC)


@given(
    st.dates(min_value=date(1990, 1, 1), max_value=date(2100, 1, 1)),
    st.integers(1, 36),
)
def test_a_sale_counts_for_the_shops_months_and_no_longer_than_it_is_kept(sold, months):
    """SO-03: to the day, and who is in an export is not over in the register."""
    until = soft_until(sold, months)
    terms = Retention(soft_months=months)
    noted = sold_at({"sold_on": sold.isoformat()})
    (ending,) = endings(replace(NOBODY, held=(replace(SOFT, sold_at=noted),)), terms)

    whole = (until.year - sold.year) * 12 + until.month - sold.month
    assert whole == months
    assert until.day == sold.day or (until + DAY).day == 1
    assert until <= ending.lapses_at.date() <= until + DAY * 4


@pytest.mark.parametrize("context", [{}, {"sold_on": "soon"}, {"sold_on": None}])
def test_a_sale_without_a_day_is_none(context):
    assert sold_at(context) is None


def test_the_day_of_a_sale_counts_whole():
    assert sold_at({"sold_on": "2026-02-28"}) == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ((2026, 1, 31), (2026, 2, 28)),
        ((2024, 1, 31), (2024, 2, 29)),
        ((2026, 12, 15), (2027, 1, 15)),
        ((2026, 3, 2), (2026, 4, 2)),
    ],
)
def test_a_month_is_one_of_the_calendar(start, end):
    """GDPR 12(3); Regulation 1182/71: a short month ends with its last day."""
    assert due(datetime(*start, 8, tzinfo=UTC)) == datetime(*end, 8, tzinfo=UTC)


@given(moments, st.integers(-60, 120))
def test_months_keep_their_order(at, months):
    later = months_after(at, months)

    assert (later.year * 12 + later.month) - (at.year * 12 + at.month) == months
    assert later.day <= at.day
    assert (later > at) == (months > 0)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"entry_days": 0}, "retention.entry_days"),
        ({"entry_days": 400}, "retention.entry_days"),
        ({"prize_months": 11}, "retention.prize_months"),
        ({"proof_months": 121}, "retention.proof_months"),
        ({"soft_months": 37}, "retention.soft_months"),
        ({"lapse_months": 61}, "retention.lapse_months"),
        ({"lapse_months": 24}, "retention"),
        ({"entry_weeks": 2}, "retention.entry_weeks"),
        ({"entry_days": "90"}, "retention.entry_days"),
    ],
)
def test_a_shop_moves_its_terms_within_bounds(changes, place):
    with pytest.raises(FileError) as refusal:
        shop_file(retention=changes)

    assert [fault.place for fault in refusal.value.faults] == [place]


def test_a_shop_that_keeps_winners_for_a_shorter_time():
    assert shop_file(retention={"prize_months": 24}).retention.prize_months == 24
