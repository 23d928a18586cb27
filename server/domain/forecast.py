"""What a campaign will give away, told before anybody has played.

How often a slot is drawn in so many plays is binomial, so what a limited prize gives is
told exactly: `min(drawn, stock)`, or day by day where it is released so. Only the whole
bill needs chance: prizes share the plays, so how dear a bad run can be is found by
playing many of them.

Which of several a winner will pick is nobody's to know, so `picks` assumes the dearest
that is left; the exact figures and the played ones alike.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from server.domain import picks, spread
from server.domain.chance import Slot, Table
from server.domain.picks import Group

Roll = Callable[[], float]

RUNS = 200
BAD_RUN = 0.99
MOST_VISITS = 100_000_000


@dataclass(frozen=True, slots=True)
class PrizeForecast:
    """What is expected of one prize. Costs are in cents.

    `sold_out` says for the end of each day how likely it is that none is left of what
    was released by then; it is empty for a prize that cannot run out. Of an option
    it says so of all that is dearer as well. A choice costs what is picked of it.
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
    values: Mapping[str, int],
    blanks: frozenset[str],
    roll: Roll,
    choices: Mapping[str, Sequence[str]] | None = None,
    runs: int = RUNS,
) -> Forecast:
    """Return what so many plays, spread evenly over the days, will give.

    `values` are in cents; `blanks` are the slots that are no prize; `choices` are those
    whose winners pick one of several slots. `roll` returns numbers from 0 up to 1, each
    as likely.
    """
    choices = choices or {}
    groups = picks.groups(table.slots, choices, values)
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
    for group in groups:
        _share_out(group, given, used_up, plays)
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
    counted = _Counted(table, groups, values)
    bills = sorted(counted.bill(plays, roll) for _ in range(runs))
    mean = sum(bills) / runs
    deviation = math.sqrt(sum((bill - mean) ** 2 for bill in bills) / max(runs - 1, 1))
    return Forecast(
        visits=visits,
        prizes=prizes,
        # Who picks is counted with the choice, or with what is picked, but once.
        winners=sum(
            p.expected for p in prizes if p.key not in blanks and p.key not in choices
        ),
        cost=sum(p.cost for p in prizes),
        bad_run=float(bills[min(runs - 1, math.ceil(BAD_RUN * runs) - 1)]),
        limit=limit(table, visits=visits, values=values, choices=choices),
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


def _share_out(
    group: Group,
    given: dict[str, float],
    used_up: dict[str, list[float]],
    plays: Sequence[int],
) -> None:
    """Give the winners of choices what is dearest as long as there is any.

    Exact, but where what has run out is replaced by a choice: then its winners are as
    many as that makes on average, as if each play were as likely to be one.
    """
    visits, winners = sum(plays), sum(given[key] for key in group.choices)
    taken = []
    for level in group.levels:
        together, days = _given(level, winners / visits, plays)
        taken.append(together)
        used_up[level.id] = days
    for option, count in picks.shared_out(group, winners, taken):
        given[option] += count


@dataclass(frozen=True, slots=True)
class _Counted:
    """A table whose campaigns are played to count what they cost."""

    table: Table
    groups: Sequence[Group]
    values: Mapping[str, int]

    def bill(self, plays: Sequence[int], roll: Roll) -> int:
        """Play a campaign and return what it cost, in cents."""
        picking = {group.slot.id: group for group in self.groups}
        bill = replaced = 0
        winners: dict[str, list[int]] = {}
        for slot, drawn in _drawn(self._slots(), plays, roll):
            if slot.id in picking:
                winners[slot.id] = drawn
                continue
            kept = _kept(slot, drawn)
            replaced += sum(drawn) - kept
            bill += kept * self.values.get(slot.id, 0)
        for key, group in picking.items():
            if self.table.fallback in group.choices:
                # On the last day there is most to pick from.
                winners[key][-1] += replaced
                replaced = 0
            bill += self._picked(group, winners[key])
        return bill + replaced * self.values.get(self.table.fallback, 0)

    def _slots(self) -> list[Slot]:
        """Return what is drawn: a group in the place of its choices."""
        in_groups = {key for group in self.groups for key in group.choices}
        drawn = [slot for slot in self.table.slots if slot.id not in in_groups]
        return [*drawn, *(group.slot for group in self.groups)]

    def _picked(self, group: Group, winners: Sequence[int]) -> int:
        taken = [_kept(level, winners) for level in group.levels]
        shares = picks.shared_out(group, sum(winners), taken)
        return sum(int(count) * self.values.get(key, 0) for key, count in shares)


def _drawn(
    slots: Sequence[Slot], plays: Sequence[int], roll: Roll
) -> Iterator[tuple[Slot, list[int]]]:
    """Draw how often each slot comes, one after the other from what is left.

    Day by day where a prize is released so; of the others the sum is enough.
    """
    left, weight_left = list(plays), sum(slot.weight for slot in slots)
    for slot in sorted(slots, key=lambda slot: slot.release is None):
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


def limit(
    table: Table,
    *,
    visits: int,
    values: Mapping[str, int],
    choices: Mapping[str, Sequence[str]],
) -> int:
    """Return the dearest run there is: every play wins the dearest that is left."""
    had = {slot.id for slot in table.slots if slot.weight}
    if any(slot.stock is not None for slot in table.slots if slot.id in had):
        had.add(table.fallback)
    had |= {option for key in had & choices.keys() for option in choices[key]}
    left, bill = visits, 0
    slots = [slot for slot in table.slots if slot.id in had - choices.keys()]
    for slot in sorted(slots, key=lambda s: -values.get(s.id, 0)):
        count = left if slot.stock is None else min(left, slot.stock)
        bill += count * values.get(slot.id, 0)
        left -= count
    return bill + left * values.get(table.fallback, 0)
