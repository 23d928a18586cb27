"""Chances as lists: how often something is drawn, and how much of it is given.

A list is the first number that counts and the chance of it and of each one after it.
"""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate

from server.domain.chance import Slot

Chances = tuple[int, tuple[float, ...]]

# Beyond this many standard deviations nothing is left that a double could hold.
SPREAD = 12
# A chance as a whole number of so many bits, and the room that sums of products need.
BITS = 64
ROOM = 20
# What is less likely than this changes no figure that is shown.
NEVER = 2.0**-60


@lru_cache(maxsize=64)
def binomial(plays: int, chance: float) -> Chances:
    """Return the chances of a binomial, from the first that counts.

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


@lru_cache(maxsize=512)
def summed(plays: int, chance: float) -> tuple[int, Sequence[float]]:
    """Return a binomial's chances, each added to those before it."""
    low, chances = binomial(plays, chance)
    return low, list(accumulate(chances))


def per_day(visits: int, days: int) -> list[int]:
    """Return how many plays each day has when they are spread evenly."""
    until = [visits * day // days for day in range(days + 1)]
    return [after - before for before, after in zip(until, until[1:], strict=False)]


def given(slot: Slot, *, share: float, plays: Iterable[int]) -> Iterable[Chances]:
    """Yield for the end of each day how much of a planned prize was given by then.

    What was not drawn of a day's units can still be won on a later one.
    """
    chances: Chances = (0, (1.0,))
    for epoch, count in enumerate(plays, 1):
        chances = capped(added(chances, binomial(count, share)), slot.released(epoch))
        yield chances


def added(one: Chances, other: Chances) -> Chances:
    """Return the chances of the sum of two.

    As the digits of two numbers, which multiplies them all at once: that is what keeps
    ninety days of a big campaign within a second.
    """
    product = _as_number(one[1]) * _as_number(other[1])
    width = len(one[1]) + len(other[1]) - 1
    digits = product.to_bytes((width + 1) * ROOM, "little")
    chances = [
        int.from_bytes(digits[at : at + ROOM], "little") / 2.0 ** (2 * BITS)
        for at in range(0, width * ROOM, ROOM)
    ]
    first = next(at for at, chance in enumerate(chances) if chance > NEVER)
    last = next(at for at in range(width, 0, -1) if chances[at - 1] > NEVER)
    return one[0] + other[0] + first, tuple(chances[first:last])


def _as_number(chances: Iterable[float]) -> int:
    return int.from_bytes(
        b"".join(int(chance * 2**BITS).to_bytes(ROOM, "little") for chance in chances),
        "little",
    )


def capped(chances: Chances, most: int) -> Chances:
    """Return the chances of the lesser of a number and `most`."""
    low, each = chances
    if low >= most:
        return most, (math.fsum(each),)
    kept = most - low
    if kept >= len(each):
        return chances
    return low, (*each[:kept], math.fsum(each[kept:]))


def mean(chances: Chances) -> float:
    """Return the mean of a number."""
    low, each = chances
    return math.fsum((low + at) * chance for at, chance in enumerate(each))


def at_least(chances: Chances, times: int) -> float:
    """Return how likely a number is so high or higher."""
    low, each = chances
    if times <= 0:
        return 1.0
    return min(1.0, math.fsum(each[max(0, times - low) :])) if times > low else 1.0
