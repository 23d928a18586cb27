"""A voucher's states and days, and how its life is told (PZ-04)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from server.domain import codes, pool
from server.domain import voucher as rules
from server.domain.voucher import Happened, Moments, State, Step, Verdict

AT = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
MOMENTS = some.datetimes(
    datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=some.just(UTC)
)


def test_every_state_says_what_may_follow_and_the_end_is_the_end():
    assert set(rules.FOLLOWS) == set(State)
    ends = {state for state, after in rules.FOLLOWS.items() if not after}
    assert ends == {State.REDEEMED, State.LAPSED, State.REVOKED}
    assert {State.AWARDED, *ends} == set(rules.GIVEN)
    # Nothing that was given is ever given again.
    assert State.FREE not in set().union(*(rules.FOLLOWS[s] for s in rules.GIVEN))


@given(MOMENTS, some.integers(1, 1_826))
def test_the_day_that_is_told_is_good_to_its_last_minute(awarded, days):
    """Wherever the clock stands in summer and winter; and no day more is promised."""
    zone = ZoneInfo("Europe/Amsterdam")
    until = rules.valid_until(awarded, days=days)

    told = rules.last_day(until).astimezone(zone).date()
    evening = datetime(told.year, told.month, told.day, 23, 59, 59, tzinfo=zone)

    assert evening < until <= evening + timedelta(hours=3)
    assert until - awarded >= timedelta(days=days)
    assert until - awarded <= timedelta(days=days + 1)


def test_without_days_it_never_lapses():
    assert rules.valid_until(AT, days=None) is None
    assert rules.stands(State.AWARDED, None, now=AT) is State.AWARDED


@pytest.mark.parametrize("state", State)
def test_only_what_is_not_used_lapses_by_the_clock(state):
    later = rules.stands(state, AT, now=AT)

    assert later is (State.LAPSED if state is State.AWARDED else state)
    assert rules.stands(state, AT, now=AT - timedelta(seconds=1)) is state


def test_what_nobody_has_is_unknown_and_what_all_have_is_shared():
    for state in (State.FREE, State.RESERVED):
        for is_shared in (True, False):
            assert rules.verdict(state, is_shared=is_shared) is Verdict.UNKNOWN
    for state in rules.GIVEN:
        assert rules.verdict(state, is_shared=True) is Verdict.SHARED


def test_a_life_is_told_in_its_order():
    def later(hours):
        return AT + timedelta(hours=hours)

    told = rules.history(
        Moments(
            reserved_at=AT,
            awarded_at=AT,
            mailed_at=later(1),
            redeemed_at=later(3),
            redeemed_by="device:a",
            place="Till 1",
        ),
        [Happened(Step.MAILED_AGAIN, later(2)), Happened(Step.RELEASED, later(-1))],
    )

    assert [one.step for one in told] == [
        Step.RELEASED,
        Step.RESERVED,
        Step.AWARDED,
        Step.MAILED,
        Step.MAILED_AGAIN,
        Step.REDEEMED,
    ]
    assert (told[-1].by, told[-1].note) == ("device:a", "Till 1")


@given(some.binary(min_size=8, max_size=8), some.booleans())
def test_our_own_code_is_found_however_it_is_typed(chance, lower):
    code = codes.make(chance)
    typed = code.replace("0", "O").replace("1", "l").replace("-", " ")

    assert code in rules.spellings(typed.lower() if lower else typed)


@given(some.text(max_size=200))
def test_whatever_is_typed_gives_few_spellings(typed):
    found = rules.spellings(typed)

    assert len(found) <= 3
    assert all(0 < len(one) <= 2 * rules.LONGEST_CODE for one in found)
    assert all("\x00" not in one for one in found)


@given(some.binary(max_size=2_000), some.integers(0, 20))
def test_whatever_a_file_holds_each_line_is_a_code_or_named(body, room):
    import io

    found = list(pool.read(io.BytesIO(body).readline, room=room))

    codes_in = [one for one in found if isinstance(one, str)]
    assert all(pool.CODE.fullmatch(one) for one in codes_in)
    assert len(codes_in) <= room
    assert found, "an empty file is named as well"
    lines = [one.line for one in found if isinstance(one, pool.Wrong)]
    assert lines == sorted(set(lines))


@given(some.binary(min_size=8, max_size=8))
def test_a_code_of_ours_may_be_in_a_pool(chance):
    assert pool.CODE.fullmatch(codes.make(chance))
