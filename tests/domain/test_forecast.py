"""What a campaign will give: exact figures, held against playing it."""

import math
import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.chance import Slot, Table
from server.domain.forecast import at_least, forecast

VALUES = {"mug": 1_500, "ten": 200}
TABLE = Table(
    (Slot("mug", 2, 5), Slot("ten", 30, None), Slot("none", 68, None)), "none"
)


def foresee(table=TABLE, *, visits=200, days=4, seed=1, **options):
    given = {"values": VALUES, "blanks": frozenset({"none"})} | options
    roll = random.Random(seed).random  # noqa: S311  # no secret
    return forecast(table, visits=visits, days=days, roll=roll, **given)


def exactly(plays: int, chance: Fraction, times: int) -> Fraction:
    """Return the tail of a binomial in fractions, term by term."""
    return sum(
        (
            math.comb(plays, k) * chance**k * (1 - chance) ** (plays - k)
            for k in range(times, plays + 1)
        ),
        Fraction(0),
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(1, 99), st.integers(0, 61))
def test_tails_are_those_of_exact_fractions(plays, percent, times):
    chance = Fraction(percent, 100)

    found = at_least(plays, percent / 100, times)

    assert found == pytest.approx(float(exactly(plays, chance, times)), abs=1e-12)


def test_a_limited_prize_gives_no_more_than_there_is():
    mug, ten, none = foresee(visits=100_000).prizes

    assert mug.expected == pytest.approx(5)
    assert ten.expected == pytest.approx(30_000)
    assert none.expected == pytest.approx(100_000 - 5 - 30_000)


def test_nothing_is_lost_between_the_prizes():
    for visits in (1, 7, 250, 5_000):
        found = foresee(visits=visits)

        assert sum(p.expected for p in found.prizes) == pytest.approx(visits)


def test_what_replaces_a_prize_that_ran_out_is_paid_for():
    table = Table((Slot("mug", 1, 0), Slot("ten", 1, None)), "ten")

    found = foresee(table, visits=10, blanks=frozenset())

    assert found.cost == pytest.approx(10 * 200)
    assert found.winners == pytest.approx(10)


def test_playing_it_agrees_with_the_exact_figure_within_its_error():
    """Within four standard errors, for several campaigns."""
    for visits in (50, 400, 20_000):
        for seed in range(3):
            found = foresee(visits=visits, seed=seed)

            away = abs(found.played_mean - found.cost)
            assert away <= 4 * found.played_error + 1e-6, (visits, seed)


def test_no_run_exceeds_the_limit():
    found = foresee(visits=300)

    assert found.cost <= found.bad_run <= found.limit
    assert found.limit == 5 * 1_500 + 295 * 200


def test_selling_out_becomes_likelier_day_by_day():
    mug = foresee(visits=500, days=5).prizes[0]

    assert list(mug.sold_out) == sorted(mug.sold_out)
    assert 0 < mug.sold_out[0] < mug.sold_out[-1] < 1
    assert mug.sold_out[-1] == pytest.approx(
        float(exactly(500, Fraction(2, 100), 5)), abs=1e-12
    )


RELEASED = Table(
    (
        Slot("mug", 20, 9, (2, 2, 5, 9)),
        Slot("bag", 10, 5, (5, 5, 5, 5)),
        Slot("ten", 70, None),
    ),
    "ten",
)


def released(plan, chance: float, plays: int) -> list[dict[int, float]]:
    """Play every number of draws of every day, and return what was given by then."""
    given, days = {0: 1.0}, []
    for most in plan:
        after: dict[int, float] = {}
        for before, likely in given.items():
            for k in range(plays + 1):
                here = math.comb(plays, k) * chance**k * (1 - chance) ** (plays - k)
                units = min(before + k, most)
                after[units] = after.get(units, 0.0) + likely * here
        given = after
        days.append(given)
    return days


def test_what_is_released_by_day_is_told_exactly():
    mug, bag, _ = foresee(RELEASED, visits=40).prizes

    days = released((2, 2, 5, 9), 0.2, 10)
    expected = sum(units * likely for units, likely in days[-1].items())
    assert mug.expected == pytest.approx(expected, abs=1e-12)
    used_up = [day.get(most, 0.0) for day, most in zip(days, (2, 2, 5, 9), strict=True)]
    assert mug.sold_out == pytest.approx(used_up, abs=1e-12)
    # All released at once is no plan.
    assert bag.sold_out[-1] == pytest.approx(at_least(40, 0.1, 5), abs=1e-12)


def test_playing_what_is_released_by_day_agrees_with_it():
    """Within four standard errors; what one prize is short of, no other gets."""
    for seed in range(3):
        found = foresee(RELEASED, visits=40, seed=seed)

        assert sum(p.expected for p in found.prizes) == pytest.approx(40)
        assert abs(found.played_mean - found.cost) <= 4 * found.played_error


def test_a_big_campaign_with_a_plan_is_foreseen_too():
    plan = tuple(40_000 * day // 90 for day in range(1, 91))
    table = Table((Slot("mug", 1, 40_000, plan), Slot("ten", 24, None)), "ten")

    mug, ten = foresee(table, visits=1_000_000, days=90, runs=2).prizes

    assert mug.expected + ten.expected == pytest.approx(1_000_000)
    assert 39_000 < mug.expected < 40_000


def test_the_same_seed_gives_the_same_forecast():
    assert foresee(seed=7) == foresee(seed=7)


def test_a_big_campaign_is_foreseen_too():
    """Ten million plays: nothing overflows, nothing becomes no number."""
    found = foresee(visits=10_000_000, runs=4)

    assert found.cost == pytest.approx(5 * 1_500 + 3_000_000 * 200)
    assert math.isfinite(found.bad_run)


# Of every hundred plays forty pick, and can pick a television while there are any.
PICKED = Table(
    (
        Slot("mug", 20, 40),
        Slot("pick", 40, None),
        Slot("tote", 0, None),
        Slot("tv", 0, 2),
        Slot("pan", 0, 30),
        Slot("none", 40, None),
    ),
    "none",
)
WORTH = {"mug": 1_000, "tote": 100, "tv": 50_000, "pan": 2_000}
CHOICES = {"pick": ("tote", "pan", "tv")}


def pick(table=PICKED, *, choices=CHOICES, **options):
    return foresee(table, values=WORTH, choices=choices, **options)


def by_key(found):
    return {prize.key: prize for prize in found.prizes}


def test_winners_of_a_choice_take_the_dearest_that_is_left():
    """PZ-09: a bound that holds whatever they like best."""
    found = pick(visits=1_000)

    each = by_key(found)
    assert each["tv"].expected == pytest.approx(2)
    assert each["pan"].expected == pytest.approx(30)
    assert each["tote"].expected == pytest.approx(400 - 32)
    assert each["pick"].expected == pytest.approx(400)
    assert each["pick"].cost == 0
    assert found.winners == pytest.approx(40 + 400)
    assert found.limit == 2 * 50_000 + 30 * 2_000 + 40 * 1_000 + 928 * 100


def test_options_that_few_winners_reach_are_told_exactly():
    each = by_key(pick(visits=60, days=3))

    many = [float(exactly(60, Fraction(2, 5), times)) for times in range(61)]
    assert each["tv"].expected == pytest.approx(many[1] + many[2])
    assert each["pan"].expected == pytest.approx(sum(many[3:33]))
    first_day = float(exactly(20, Fraction(2, 5), 2))
    assert each["tv"].sold_out[0] == pytest.approx(first_day)
    assert each["pan"].sold_out[-1] == pytest.approx(many[32])
    assert each["tote"].sold_out == ()


PLANNED = Table(
    (
        Slot("mug", 20, 4, (1, 2, 4)),
        Slot("pick", 40, None),
        Slot("other", 10, None),
        Slot("tote", 0, None),
        Slot("tv", 0, 3, (1, 1, 3)),
        Slot("pan", 0, 9),
        Slot("none", 30, None),
    ),
    "none",
)
SHARED = {"pick": ("tote", "pan", "tv"), "other": ("tv", "tote")}


@pytest.mark.parametrize(
    ("table", "choices"), [(PICKED, CHOICES), (PLANNED, CHOICES), (PLANNED, SHARED)]
)
@pytest.mark.parametrize("visits", [7, 30, 90])
def test_playing_choices_agrees_with_the_exact_figure(table, choices, visits):
    """Also with a plan, and where two choices share what can run out."""
    if "other" not in choices:
        table = Table(tuple(s for s in table.slots if s.id != "other"), "none")

    found = pick(table, choices=choices, visits=visits, days=3, runs=600)

    assert abs(found.played_mean - found.cost) <= 4 * found.played_error + 1e-6
    assert found.cost <= found.limit and found.bad_run <= found.limit
    picked = sum(by_key(found)[key].expected for key in ("tote", "tv", "pan"))
    chosen = sum(by_key(found)[key].expected for key in choices)
    assert picked == pytest.approx(chosen)


def test_a_choice_that_replaces_what_ran_out_is_paid_for():
    """Its winners are as many as that makes on average."""
    table = Table(PICKED.slots, "pick")

    found = pick(table, visits=2_000)

    each = by_key(found)
    assert each["pick"].expected == pytest.approx(800 + 360, abs=0.1)
    assert each["tote"].expected == pytest.approx(1_160 - 32, abs=0.1)
    assert abs(found.played_mean - found.cost) <= 4 * found.played_error + 1e-6


def test_no_run_exceeds_the_limit_where_the_fallback_is_never_drawn():
    table = Table(
        (Slot("mug", 1, 5), Slot("ten", 0, None), Slot("none", 1, None)), "ten"
    )

    found = foresee(table, visits=40)

    assert found.limit == 5 * 1_500 + 35 * 200
