"""The wheel as it is drawn: every segment stands at the top, then is turned into place.

Sizes are units of the drawing, whose middle is at 0,0 and whose rim lies at 200. On the
narrowest screen a unit is two thirds of a pixel.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from server.domain.parts import Locale
from server.domain.wheel import Segment, layout, tones, within_reach
from server.services.campaigns import Live

EDGE = 170
# Where words begin and where the hub leaves them no more room.
TOP, INNERMOST = 148, 56
SIZES = (36, 33, 30, 27, 24, 22, 20, 18)
LEADING = 1.08
LEAST_ON_A_LINE = 3
LONGEST_IN_A_COLUMN = 22
# How wide a letter is to its height in the boldest of the system fonts.
NARROW, WIDE = frozenset(" .,:;!'|-iIjlt1fr"), frozenset("mwMW%@€&")


@dataclass(frozen=True, slots=True)
class Caption:
    """Words on a segment: lines across it, or one line from the rim inwards."""

    lines: tuple[str, ...]
    size: int
    is_inward: bool = False

    @property
    def baselines(self) -> list[tuple[str, float]]:
        """Return each line and the height of its baseline."""
        first = self.size * 0.8 - TOP
        return [
            (line, round(first + number * self.size * LEADING, 1))
            for number, line in enumerate(self.lines)
        ]


@dataclass(frozen=True, slots=True)
class Slice:
    """A segment, ready to be drawn. Angles are rounded as the page has them."""

    prize: str
    number: int
    start: float
    end: float
    middle: float
    tone: int
    outline: str
    caption: Caption | None
    is_sold_out: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A prize in the legend, in full."""

    number: int
    label: str
    chance: str
    is_sold_out: bool


@dataclass(frozen=True, slots=True)
class Wheel:
    """What the templates draw."""

    slices: tuple[Slice, ...]
    rows: tuple[Row, ...]
    # What is given for a prize that has run out, where one has.
    instead: str | None

    @property
    def is_wordy(self) -> bool:
        """Return whether a prize needs a line of its own on a phone."""
        return any(len(row.label) > LONGEST_IN_A_COLUMN for row in self.rows)

    def turn(self, prize: str) -> float:
        """Return how far it is turned to show a prize without any script."""
        middle = next(s.middle for s in self.slices if s.prize == prize)
        return round(-middle, 2)


def drawn(live: Live, locale: Locale) -> Wheel:
    """Return the wheel of a campaign in one language, with what has run out marked."""
    campaign = live.campaign
    texts = {prize.key: prize.texts[locale] for prize in within_reach(campaign)}
    short = {key: text.short or text.label for key, text in texts.items()}
    segments = layout(campaign, sold_out=live.sold_out)
    total = sum(prize.weight for prize in campaign.outcomes)
    return Wheel(
        slices=tuple(
            _slice(segment, tone, short[segment.prize])
            for segment, tone in zip(segments, tones(len(segments)), strict=True)
        ),
        rows=tuple(
            Row(
                number,
                texts[prize.key].label,
                f"{prize.weight * 100 / total:.3g}%",
                prize.key in live.sold_out,
            )
            for number, prize in enumerate(within_reach(campaign), 1)
        ),
        instead=texts[campaign.falls_back_to].label if live.sold_out else None,
    )


def _slice(segment: Segment, tone: int, words: str) -> Slice:
    return Slice(
        prize=segment.prize,
        number=segment.number,
        start=round(segment.start, 3),
        end=round(segment.end, 3),
        middle=round(segment.middle, 3),
        tone=tone,
        outline=_outline(segment.width),
        caption=caption(words, segment.width),
        is_sold_out=segment.is_sold_out,
    )


def _outline(width: float) -> str:
    """Return the path of a segment of so many degrees that stands at the top."""
    if width >= 360:
        return f"M0-{EDGE}a{EDGE} {EDGE} 0 1 1-.01 0z"
    x = round(EDGE * math.sin(math.radians(width / 2)), 2)
    y = round(EDGE * math.cos(math.radians(width / 2)), 2)
    large = int(width > 180)
    return f"M0 0L{-x} {-y}A{EDGE} {EDGE} 0 {large} 1 {x} {-y}z"


def caption(words: str, width: float) -> Caption | None:
    """Return the largest way to write words on a segment of so many degrees.

    None where they do not fit: its number and the legend say it then.
    """
    half = math.tan(math.radians(min(width, 160) / 2))
    for size in SIZES:
        for lines in _broken(words):
            if _fits_across(lines, size, half):
                return Caption(lines, size)
        if _fits_inward(words, size, half):
            return Caption((words,), size, is_inward=True)
    return None


def _broken(words: str) -> Iterator[tuple[str, ...]]:
    """Yield the words on one line, and on two as even as they can be."""
    yield (words,)
    parts = words.split()
    pairs = [
        (" ".join(parts[:at]), " ".join(parts[at:])) for at in range(1, len(parts))
    ]
    # A sign or a figure alone on its line looks lost.
    pairs = [pair for pair in pairs if min(map(len, pair)) >= LEAST_ON_A_LINE]
    if pairs:
        yield min(pairs, key=lambda pair: abs(len(pair[0]) - len(pair[1])))


def _fits_across(lines: tuple[str, ...], size: int, half: float) -> bool:
    """Each line fits the chord below it, where the segment is at its narrowest."""
    for number, line in enumerate(lines, 1):
        bottom = TOP - number * size * LEADING
        if bottom < INNERMOST or _length(line) * size > 2 * bottom * half * 0.94:
            return False
    return True


def _fits_inward(line: str, size: int, half: float) -> bool:
    """The line ends before the segment gets as narrow as the letters are high."""
    end = TOP - _length(line) * size
    return end >= INNERMOST and 2 * end * half >= size


def _length(line: str) -> float:
    """Return how long a line is at size 1."""
    return sum(
        0.38 if letter in NARROW else 0.95 if letter in WIDE else 0.64
        for letter in line
    )
