"""What a campaign will give away, told before anybody has played.

How often a slot is drawn in so many plays is binomial, so what a limited prize gives is
told exactly: `min(drawn, stock)`, or day by day where it is released so. Only the whole
bill needs chance: prizes share the plays, so how dear a bad run can be is found by
playing many of them.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from server.domain import spread
from server.domain.chance import Slot, Table

Roll = Callable[[], float]

RUNS = 200
BAD_RUN = 0.99
MOST_VISITS = 100_000_000


@dataclass(frozen=True, slots=True)
class PrizeForecast:
    """What is expected of one prize. Costs are in cents.

    `sold_out` says for the end of each day how likely it is that none is left of what
    was released by then; it is empty for a prize that cannot run out.
    """

    key: str
    chance: float
    stock: int | None
    expected: float
    cost: float
    sold_out: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected of a campaign. Costs are in cents."""

    visits: int
    prizes: tuple[PrizeForecast, ...]
    # How many plays win anything that is a prize.
    winners: float
    cost: float
    # In 99 of 100 campaigns the bill is no higher than this.
    bad_run: float
    # What no run can exceed.
    limit: int
    # The mean of the played runs and its standard error, to hold against `cost`.
    played_mean: float
    played_error: float


def forecast(
    table: Table,
    *,
    visits: int,
    days: int,
    values: dict[str, int],
    blanks: frozenset[str],
    roll: Roll,
    runs: int = RUNS,
) -> Forecast:
    """Return what so many plays, spread evenly over the days, will give.

    `values` are in cents; `blanks` are the slots that are no prize. `roll` returns
    numbers from 0 up to 1, each as likely.
    """
    total = sum(slot.weight for slot in table.slots)
    plays = spread.per_day(visits, days)
    chances = {slot.id: slot.weight / total for slot in table.slots}
    given, used_up = {}, {}
    for slot in table.slots:
        given[slot.id], used_up[slot.id] = _given(slot, chances[slot.id], plays)
    # What was drawn and not there any more.
    given[table.fallback] += sum(
        visits * chances[slot.id] - given[slot.id]
        for slot in table.slots
        if slot.stock is not None and slot.id != table.fallback
    )
    prizes = tuple(
        PrizeForecast(
            key=slot.id,
            chance=chances[slot.id],
            stock=slot.stock,
            expected=given[slot.id],
            cost=given[slot.id] * values.get(slot.id, 0),
            sold_out=tuple(used_up[slot.id]),
        )
        for slot in table.slots
    )
    bills = sorted(_bill(table, plays, roll, values) for _ in range(runs))
    mean = sum(bills) / runs
    deviation = math.sqrt(sum((bill - mean) ** 2 for bill in bills) / max(runs - 1, 1))
    return Forecast(
        visits=visits,
        prizes=prizes,
        winners=sum(p.expected for p in prizes if p.key not in blanks),
        cost=sum(p.cost for p in prizes),
        bad_run=float(bills[min(runs - 1, math.ceil(BAD_RUN * runs) - 1)]),
        limit=_limit(table, visits, values),
        played_mean=mean,
        played_error=deviation / math.sqrt(runs),
    )


def at_least(plays: int, chance: float, times: int) -> float:
    """Return how likely a slot is drawn so many times or more."""
    return spread.at_least(spread.binomial(plays, chance), times)


def _given(slot: Slot, share: float, plays: Sequence[int]) -> tuple[float, list[float]]:
    """Return how much of a prize is given, and how likely none is left, day by day."""
    visits = sum(plays)
    if slot.stock is None:
        return visits * share, []
    if slot.release is None:
        drawn = spread.binomial(visits, share)
        return spread.mean(spread.capped(drawn, slot.stock)), [
            at_least(until, share, slot.stock) for until in accumulate(plays)
        ]
    days = list(spread.given(slot, share=share, plays=plays))
    used_up = [
        spread.at_least(day, slot.released(epoch)) for epoch, day in enumerate(days, 1)
    ]
    return spread.mean(days[-1]), used_up


def _bill(
    table: Table, plays: Sequence[int], roll: Roll, values: dict[str, int]
) -> int:
    """Play a campaign and return what it cost."""
    bill = replaced = 0
    for slot, drawn in _drawn(table, plays, roll):
        kept = _kept(slot, drawn)
        replaced += sum(drawn) - kept
        bill += kept * values.get(slot.id, 0)
    return bill + replaced * values.get(table.fallback, 0)


def _drawn(
    table: Table, plays: Sequence[int], roll: Roll
) -> Iterator[tuple[Slot, list[int]]]:
    """Draw how often each slot comes, one after the other from what is left.

    Day by day where a prize is released so; of the others the sum is enough.
    """
    left, weight_left = list(plays), sum(slot.weight for slot in table.slots)
    for slot in sorted(table.slots, key=lambda slot: slot.release is None):
        if slot.release is None:
            left = [sum(left)]
        share = slot.weight / weight_left if weight_left else 0.0
        drawn = [_sample(count, share, roll()) for count in left]
        yield slot, drawn
        left = [count - taken for count, taken in zip(left, drawn, strict=True)]
        weight_left -= slot.weight


def _kept(slot: Slot, drawn: Sequence[int]) -> int:
    """Return how much of what was drawn was there."""
    if slot.stock is None:
        return sum(drawn)
    kept = 0
    for epoch, count in enumerate(drawn, 1):
        kept = min(kept + count, slot.released(epoch))
    return kept


def _sample(plays: int, share: float, point: float) -> int:
    low, sums = spread.summed(plays, share)
    return low + min(bisect_left(sums, point), len(sums) - 1)


def _limit(table: Table, visits: int, values: dict[str, int]) -> int:
    """Return the dearest run there is: every play draws the dearest that is left."""
    left, bill = visits, 0
    slots = [slot for slot in table.slots if slot.weight]
    for slot in sorted(slots, key=lambda s: -values.get(s.id, 0)):
        count = left if slot.stock is None else min(left, slot.stock)
        bill += count * values.get(slot.id, 0)
        left -= count
    return bill + left * values.get(table.fallback, 0)
