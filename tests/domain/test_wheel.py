"""What lies where on the wheel: as wide as it is likely, or all as wide (PZ-06)."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import lint
from server.domain.campaign import Campaign, parse_campaign
from server.domain.game import MOST_SEGMENTS
from server.domain.parts import FileError
from server.domain.wheel import (
    LEAST_DEGREES,
    SHARES_OF_ONE,
    WHOLE,
    layout,
    tones,
    within_reach,
)
from tests.factories import campaign_tables, prize_table

weights = st.lists(st.integers(1, 10**9), min_size=2, max_size=MOST_SEGMENTS)
counts = st.integers(2, MOST_SEGMENTS)


def wheel(weighted: list[int], /, **wheel_says: object) -> Campaign:
    """Return a campaign of prizes `p1`, `p2` ... with these weights."""
    prizes = [
        prize_table(f"p{number}", weight=weight, stock=None)
        for number, weight in enumerate(weighted, 1)
    ]
    return parse_campaign(
        campaign_tables("welcome-wheel")
        | {"prizes": prizes, "fallback": "p1", "wheel": wheel_says}
    )


def refusals(campaign: Campaign) -> list[tuple[str, str]]:
    """Return place and rule of every fault that stops an import."""
    return [(f.place, f.rule) for f in lint.judge(campaign) if f.refuses]


# --- areas -------------------------------------------------------------------------


@given(weights)
def test_areas_are_proportional_to_the_odds_and_make_a_whole(weighted: list[int]):
    """PZ-06."""
    segments = layout(wheel(weighted))

    assert math.isclose(sum(segment.width for segment in segments), WHOLE)
    for segment, weight in zip(segments, weighted, strict=True):
        expected = WHOLE * weight / sum(weighted)
        assert math.isclose(segment.width, expected, abs_tol=1e-9)


@given(counts, st.data())
def test_in_an_equal_wheel_all_are_as_wide(count: int, data: st.DataObject):
    """PZ-06: whatever the odds; those are printed then."""
    weighted = data.draw(st.lists(st.integers(1, 10**9), min_size=2, max_size=count))
    keys = [f"p{number}" for number in range(1, len(weighted) + 1)]
    more = data.draw(
        st.lists(st.sampled_from(keys), max_size=MOST_SEGMENTS - len(keys))
    )
    campaign = wheel(weighted, area="equal", segments=[*keys, *more])

    segments = layout(campaign)

    assert [segment.prize for segment in segments] == [*keys, *more]
    for segment in segments:
        assert math.isclose(segment.width, WHOLE / len(segments))


@given(weights, st.sampled_from(["odds", "equal"]))
def test_segments_follow_each_other_without_a_gap(weighted: list[int], area: str):
    """PZ-05: every angle belongs to one prize, so a landing inside is that prize."""
    segments = layout(wheel(weighted, area=area))

    for one, following in pairwise(segments):
        assert one.end == following.start
    assert math.isclose(segments[-1].end, segments[0].start + WHOLE)
    for segment in segments:
        assert segment.start < segment.middle < segment.end


def test_the_pointer_rests_on_a_prize_and_not_between_two():
    assert layout(wheel([3, 1]))[0].middle == 0


@given(st.integers(1, 10**9), st.sampled_from(["odds", "equal"]))
def test_one_gift_for_all_is_repeated(weight: int, area: str):
    segments = layout(wheel([weight], area=area))

    assert [segment.prize for segment in segments] == ["p1"] * SHARES_OF_ONE
    assert {segment.width for segment in segments} == {WHOLE / SHARES_OF_ONE}


def test_the_order_of_an_odds_wheel_can_be_chosen():
    campaign = wheel([1, 2, 3], segments=["p3", "p1", "p2"])

    assert [segment.prize for segment in layout(campaign)] == ["p3", "p1", "p2"]
    assert [segment.number for segment in layout(campaign)] == [3, 1, 2]
    assert refusals(campaign) == []


def test_what_can_never_be_won_is_not_on_the_wheel():
    """PZ-06: a segment of weight 0 would promise what no draw gives."""
    campaign = wheel([1, 0, 1], area="equal")

    assert [segment.prize for segment in layout(campaign)] == ["p1", "p3"]
    assert [prize.key for prize in within_reach(campaign)] == ["p1", "p3"]


def test_the_fallback_is_on_an_equal_wheel_even_when_it_is_never_drawn():
    """PZ-05: a prize that has run out is replaced by it, so it needs a place."""
    campaign = wheel([0, 1, 1], area="equal")

    assert "p1" in {segment.prize for segment in layout(campaign)}
    assert refusals(campaign) == []


@given(weights, st.data())
def test_what_is_sold_out_keeps_its_place_and_is_marked(
    weighted: list[int], data: st.DataObject
):
    """PZ-06: marked before the next play."""
    campaign = wheel(weighted)
    keys = [prize.key for prize in campaign.prizes]
    gone = frozenset(data.draw(st.lists(st.sampled_from(keys))))

    before, after = layout(campaign), layout(campaign, gone=gone)

    assert {segment.prize for segment in after if segment.is_gone} == gone
    for one, other in zip(before, after, strict=True):
        assert (one.prize, one.start, one.end) == (other.prize, other.start, other.end)


@given(counts)
def test_no_two_neighbours_have_the_same_tone(count: int):
    chosen = list(tones(count))

    assert len(chosen) == count and set(chosen) <= {0, 1, 2}
    for one, following in pairwise([*chosen, chosen[0]]):
        assert one != following


# --- what is refused ---------------------------------------------------------------


@given(weights)
def test_a_segment_is_refused_exactly_when_it_is_too_thin(weighted: list[int]):
    """L-32: with the advice that helps."""
    campaign = wheel(weighted)
    thin = [
        number
        for number, weight in enumerate(weighted, 1)
        if weight / sum(weighted) * WHOLE < LEAST_DEGREES - 1e-9
    ]

    faults = lint.judge(campaign)

    places = [f"prizes[{number}].weight" for number in thin]
    assert [fault.place for fault in faults] == places
    assert all('area = "equal"' in fault.what for fault in faults)
    assert lint.judge(wheel(weighted, area="equal")) == []


@pytest.mark.parametrize(
    ("weighted", "says", "place"),
    [
        ([1, 1], {"segments": ["p1", "p2", "p9"]}, "wheel.segments[3]"),
        ([1, 1], {"area": "equal", "segments": ["p1"]}, "wheel.segments"),
        ([1, 1], {"segments": ["p1", "p2", "p1"]}, "wheel.segments"),
        (
            [1, 0, 1],
            {"area": "equal", "segments": ["p1", "p2", "p3"]},
            "wheel.segments[2]",
        ),
        (
            [0, 1, 1],
            {"area": "equal", "segments": ["p2", "p3"]},
            "wheel.segments",
        ),
        ([0, 1, 1], {}, "prizes[1].weight"),
    ],
    ids=[
        "unknown",
        "missing",
        "repeated by odds",
        "never won",
        "fallback not named",
        "fallback without an area",
    ],
)
def test_a_wheel_that_would_mislead_is_refused_by_its_place(weighted, says, place):
    """L-32, PZ-06."""
    assert refusals(wheel(weighted, **says)) == [(place, "L-32")]


def test_a_wheel_has_24_segments_at_most():
    keys = ["p1", "p2"] * 12

    assert refusals(wheel([1, 1], area="equal", segments=keys)) == []
    with pytest.raises(FileError, match="wheel.segments"):
        wheel([1, 1], area="equal", segments=[*keys, "p1"])


def test_other_games_are_not_asked_about_a_wheel():
    tables = campaign_tables("lucky-scratch", wheel__segments=["nothing_of_ours"])

    assert refusals(parse_campaign(tables)) == []


def test_the_shipped_wheel_is_without_fault():
    assert lint.judge(parse_campaign(campaign_tables("welcome-wheel"))) == []
