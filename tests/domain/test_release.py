"""A prize released over the days: the plan, and what the record shows of it (PZ-08)."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import lint, transcript
from server.domain.chance import Slot, Table, seed_for
from server.domain.parts import FileError
from server.domain.release import evenly, faults
from server.domain.transcript import Play, Promise, WrongLineError, verify
from tests.domain.test_transcript import LAST, ticket
from tests.factories import campaign_file, prize_table

PLAN = (1, 1, 3)
TABLE = Table((Slot("mug", 1, 3, PLAN), Slot("ten", 0, None)), "ten")
PROMISE = Promise(
    campaign="demo",
    opens=datetime(2026, 3, 2, 9, tzinfo=UTC),
    epochs=3,
    anchor=seed_for(LAST, epochs=3, epoch=0).hex(),
    table=TABLE,
)


def written(*days: list, table: Table = TABLE) -> list[bytes]:
    promise = Promise(PROMISE.campaign, PROMISE.opens, 3, PROMISE.anchor, table)
    told = [
        (epoch, seed_for(LAST, epochs=3, epoch=epoch), happened)
        for epoch, happened in enumerate(days, 1)
    ]
    return list(transcript.stream(promise, told))


def mug(number: int, unit: int | None) -> Play:
    return Play(ticket(number), "", "mug", "mug" if unit else "ten", unit)


HONEST = ([mug(1, 1), mug(2, None)], [mug(3, None)], [mug(4, 2), mug(5, 3)])


@given(st.integers(0, 5_000), st.integers(1, 366))
def test_an_even_plan_is_one_and_is_even(stock, epochs):
    plan = evenly(stock, epochs=epochs)

    each = [after - before for before, after in zip((0, *plan), plan, strict=False)]
    assert not list(faults(plan, stock=stock, epochs=epochs))
    assert max(each) - min(each) <= 1
    assert plan[0] == max(each)


def test_the_table_says_the_plan_only_where_there_is_one():
    """Else the digest of a campaign without plans would be another one."""
    mug, ten = TABLE.as_json()["slots"]

    assert mug == {"id": "mug", "weight": 1, "stock": 3, "release": [1, 1, 3]}
    assert ten == {"id": "ten", "weight": 0, "stock": None}


def test_units_of_later_days_are_not_missed_today():
    report = verify(written(*HONEST))

    assert report.awarded == {"mug": 3, "ten": 2}
    assert report.promise == PROMISE


def test_a_unit_before_its_day_is_found():
    """T13: nobody gets from tomorrow's."""
    with pytest.raises(WrongLineError, match="line 4: unit 2 of mug was not released"):
        verify(written([mug(1, 1), mug(2, 2)]))


def test_a_unit_kept_back_on_its_day_is_found():
    with pytest.raises(WrongLineError, match="line 3: mug had not run out"):
        verify(written([mug(1, None)], [], []))


@pytest.mark.parametrize("plan", [(1, 1), (1, 0, 3), (1, 2, 2), (1, 2, 4), ()])
def test_a_file_whose_plan_is_none_is_refused(plan):
    table = Table((Slot("mug", 1, 3, plan), Slot("ten", 0, None)), "ten")

    with pytest.raises(WrongLineError, match="line 1: it cannot release mug"):
        verify(written([], [], [], table=table))


def test_both_verifiers_are_tested_with_the_same_plan():
    """`tests/widget/transcript.test.mjs` reads it, too."""
    fixture = Path(__file__).parent.parent / "widget" / "released.jsonl"

    assert fixture.read_bytes() == b"".join(written(*HONEST))


# --- the campaign's file -----------------------------------------------------------


def planned(plan, **changes):
    prizes = [prize_table(stock=3, release=plan), prize_table("ten", stock=None)]
    options = {"prizes": prizes, "fallback": "ten", "days": 3} | changes
    return campaign_file("welcome-scratch", **options)


def test_the_word_even_plans_by_itself():
    file = planned("even")

    assert file.released(file.prizes[0]) == (1, 2, 3)
    assert file.released(file.prizes[1]) is None
    assert lint.judge(file) == []


@pytest.mark.parametrize(
    ("plan", "what"),
    [
        ([1, 2, 4], "it releases 4 of 3"),
        ([2, 1, 3], "day 2 has 1 after 2"),
        ([1, 3], "it says 2 days and the campaign has 3"),
        ([1, 1, 2], "it ends at 2 of 3"),
    ],
)
def test_a_plan_that_cannot_be_kept_is_refused_by_its_place(plan, what):
    (fault,) = lint.judge(planned(plan))

    assert fault.place == "prizes[1].release"
    assert what in fault.what
    assert fault.refuses


@pytest.mark.parametrize("plan", [[1, -1, 3], [1, "2", 3], [1, 2.5, 3]])
def test_a_plan_counts_in_whole_units(plan):
    with pytest.raises(FileError, match=r"prizes\[1\].release\[2\]"):
        planned(plan)


def test_a_plan_needs_stock_and_days():
    ends = datetime(2026, 9, 1, tzinfo=UTC)
    unlimited = planned(None, prizes__1__release="even")
    endless = planned("even", days=None, ends=ends)

    assert [f.place for f in lint.judge(unlimited)] == ["prizes[2].release"]
    assert [f.what for f in lint.judge(endless)] == [
        "a plan needs to know the days: `days`, or `starts` and `ends`"
    ]
