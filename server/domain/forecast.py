"""What a campaign will give away, told before anybody has played.

How often a slot is drawn in so many plays is binomial, so what a limited prize gives is
told exactly: `min(drawn, stock)`. Only the whole bill needs chance: prizes share the
plays, so how dear a bad run can be is found by playing many of them.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from server.domain.chance import Table

Roll = Callable[[], float]

# Beyond this many standard deviations nothing is left that a double could hold.
SPREAD = 12
RUNS = 200
BAD_RUN = 0.99
MOST_VISITS = 100_000_000


@dataclass(frozen=True, slots=True)
class PrizeForecast:
    """What is expected of one prize. Costs are in cents.

    `sold_out` says for the end of each day how likely it is that none is left; it is
    empty for a prize that cannot run out.
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
    chances = {slot.id: slot.weight / total for slot in table.slots}
    given = {
        slot.id: _capped_mean(visits, chances[slot.id], slot.stock)
        for slot in table.slots
    }
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
            sold_out=_sold_out(visits, days, chances[slot.id], slot.stock),
        )
        for slot in table.slots
    )
    bills = sorted(
        _bill(table, _drawn(table, visits, roll), values) for _ in range(runs)
    )
    mean = sum(bills) / runs
    spread = math.sqrt(sum((bill - mean) ** 2 for bill in bills) / max(runs - 1, 1))
    return Forecast(
        visits=visits,
        prizes=prizes,
        winners=sum(p.expected for p in prizes if p.key not in blanks),
        cost=sum(p.cost for p in prizes),
        bad_run=float(bills[min(runs - 1, math.ceil(BAD_RUN * runs) - 1)]),
        limit=_limit(table, visits, values),
        played_mean=mean,
        played_error=spread / math.sqrt(runs),
    )


def at_least(plays: int, chance: float, times: int) -> float:
    """Return how likely a slot is drawn so many times or more."""
    if times <= 0:
        return 1.0
    low, pmf = _binomial(plays, chance)
    return min(1.0, math.fsum(pmf[max(0, times - low) :])) if times > low else 1.0


def _capped_mean(plays: int, chance: float, stock: int | None) -> float:
    """Return the mean of `min(drawn, stock)`."""
    if stock is None:
        return plays * chance
    low, pmf = _binomial(plays, chance)
    return math.fsum(min(low + k, stock) * p for k, p in enumerate(pmf))


def _sold_out(
    visits: int, days: int, chance: float, stock: int | None
) -> tuple[float, ...]:
    if stock is None:
        return ()
    return tuple(
        at_least(visits * day // days, chance, stock) for day in range(1, days + 1)
    )


@lru_cache(maxsize=64)
def _binomial(plays: int, chance: float) -> tuple[int, tuple[float, ...]]:
    """Return the probabilities of a binomial, from the first that counts.

    They are stepped outward from the likeliest number, so none is lost to rounding.
    """
    if plays == 0 or chance <= 0:
        return 0, (1.0,)
    if chance >= 1:
        return plays, (1.0,)
    mode = min(plays, math.floor((plays + 1) * chance))
    reach = math.ceil(SPREAD * math.sqrt(plays * chance * (1 - chance))) + SPREAD
    low, high = max(0, mode - reach), min(plays, mode + reach)
    odds = chance / (1 - chance)
    below, above = [1.0], [1.0]
    for k in range(mode, low, -1):
        below.append(below[-1] * k / ((plays - k + 1) * odds))
    for k in range(mode, high):
        above.append(above[-1] * (plays - k) * odds / (k + 1))
    weights = [*reversed(below[1:]), *above]
    whole = math.fsum(weights)
    return low, tuple(weight / whole for weight in weights)


def _drawn(table: Table, visits: int, roll: Roll) -> list[int]:
    """Draw how often each slot comes, one after the other from what is left."""
    left, weight_left, counts = visits, sum(s.weight for s in table.slots), []
    for slot in table.slots:
        share = slot.weight / weight_left if weight_left else 0.0
        count = _sample(left, share, roll())
        counts.append(count)
        left -= count
        weight_left -= slot.weight
    return counts


def _sample(plays: int, share: float, point: float) -> int:
    low, sums = _summed(plays, share)
    return low + min(bisect_left(sums, point), len(sums) - 1)


@lru_cache(maxsize=16)
def _summed(plays: int, share: float) -> tuple[int, Sequence[float]]:
    low, pmf = _binomial(plays, share)
    return low, list(accumulate(pmf))


def _bill(table: Table, counts: Sequence[int], values: dict[str, int]) -> int:
    bill = replaced = 0
    for slot, count in zip(table.slots, counts, strict=True):
        kept = count if slot.stock is None else min(count, slot.stock)
        replaced += count - kept
        bill += kept * values.get(slot.id, 0)
    return bill + replaced * values.get(table.fallback, 0)


def _limit(table: Table, visits: int, values: dict[str, int]) -> int:
    """Return the dearest run there is: every play draws the dearest that is left."""
    left, bill = visits, 0
    slots = [slot for slot in table.slots if slot.weight]
    for slot in sorted(slots, key=lambda s: -values.get(s.id, 0)):
        count = left if slot.stock is None else min(left, slot.stock)
        bill += count * values.get(slot.id, 0)
        left -= count
    return bill + left * values.get(table.fallback, 0)
