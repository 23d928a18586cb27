"""How a limited prize is released over the days of a campaign: cumulative units.

A prize whose units of today are used up is not sold out: more come on a later day. The
plan is part of the published table, so nobody can hold units back afterwards (PZ-08).
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

EVEN = "even"


def evenly(stock: int, *, epochs: int) -> tuple[int, ...]:
    """Return a plan that is as even as whole units can be, with one to begin with."""
    return tuple(-(-stock * epoch // epochs) for epoch in range(1, epochs + 1))


def faults(plan: Sequence[int], *, stock: int, epochs: int) -> Iterator[str]:
    """Yield what is wrong with a plan: it ends at the stock, and never goes back."""
    if len(plan) != epochs:
        yield f"it says {len(plan)} days and the campaign has {epochs}"
    for day, (before, after) in enumerate(pairwise(plan), 2):
        if after < before:
            yield f"day {day} has {after} after {before}; what is released stays so"
    if plan and max(plan) > stock:
        yield f"it releases {max(plan)} of {stock}"
    elif plan and plan[-1] < stock:
        # Every prize that is offered can be won (PZ-04).
        yield f"it ends at {plan[-1]} of {stock}; the last day releases all"
