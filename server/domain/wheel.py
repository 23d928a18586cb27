"""The wheel of fortune: which prize lies where on it, in degrees (PZ-05, PZ-06).

Degrees run clockwise from the top, where the pointer is. The draw knows nothing of
this: a wheel only shows what was drawn.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass

from server.domain.campaign import Campaign, Prize

WHOLE = 360.0
# Narrower than this nobody sees the number of the prize, so nobody sees the prize.
LEAST_DEGREES = 8.0
# One gift for all still looks like a wheel.
SHARES_OF_ONE = 8
TONES = (0, 1, 2, 1)


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the wheel; `number` is its prize's in the legend, from 1."""

    prize: str
    number: int
    start: float
    end: float
    # It has run out, for good or until more of it is released.
    is_gone: bool = False

    @property
    def width(self) -> float:
        return self.end - self.start

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2


def within_reach(campaign: Campaign) -> tuple[Prize, ...]:
    """Return the prizes a play can come to: drawn, or given for what has run out."""
    return tuple(
        prize
        for prize in campaign.outcomes
        if prize.weight or prize.key == campaign.falls_back_to
    )


def layout(campaign: Campaign, *, gone: Set[str] = frozenset()) -> tuple[Segment, ...]:
    """Return the segments in order; together they are the whole wheel.

    The first has its middle at the top, so that the pointer rests on a prize and not
    between two.
    Each is as wide as its prize is likely, or all are as wide (`wheel.area`). Where
    only one prize is within reach it is repeated. A prize that has run out keeps its
    place and is marked, so that the others do not move between two visits.
    """
    shares = _shares(campaign)
    numbers = {prize.key: n for n, prize in enumerate(within_reach(campaign), 1)}
    total = sum(share for _, share in shares)
    segments, before = [], -shares[0][1] / 2 if shares else 0.0
    for key, share in shares:
        start, end = WHOLE * before / total, WHOLE * (before + share) / total
        segments.append(Segment(key, numbers[key], start, end, key in gone))
        before += share
    return tuple(segments)


def _shares(campaign: Campaign) -> list[tuple[str, int]]:
    """Return how much of the wheel each segment takes, in order."""
    prizes = {prize.key: prize for prize in within_reach(campaign)}
    order = [key for key in campaign.wheel.segments if key in prizes] or list(prizes)
    if len(prizes) == 1:
        return [(key, 1) for key in prizes] * SHARES_OF_ONE
    if campaign.wheel.area == "equal":
        return [(key, 1) for key in order]
    return [(key, weight) for key in order if (weight := prizes[key].weight)]


def tones(count: int) -> Iterator[int]:
    """Yield a tone for each of `count` segments; no two neighbours have the same.

    Tone 0 is the accent and stands between lighter ones, as on a fair's wheel.
    """
    for place in range(count):
        # The last one also touches the first.
        is_clash = place == count - 1 > 0 and TONES[place % len(TONES)] == TONES[0]
        yield 2 if is_clash else TONES[place % len(TONES)]
