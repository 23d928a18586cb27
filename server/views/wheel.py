"""The wheel as it is drawn: every segment stands at the top, then is turned into place.

Sizes are units of the drawing, whose middle is at 0,0 and whose rim lies at 200. On the
narrowest screen a unit is two thirds of a pixel.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from flask_babel import format_datetime
from flask_babel import gettext as _

from server.domain.parts import Locale
from server.domain.wheel import Segment, layout, tones, within_reach
from server.services.campaigns import Live
from server.views import odds

EDGE = 170
# Where words may begin: near the rim, or lower where a wide segment has more room.
TOPS = (148, 128, 108)
# Where the hub leaves them no more room.
INNERMOST = 56
SIZES = (36, 33, 30, 27, 24, 22, 20, 18)
# A number has a place on the thinnest segment that is allowed.
NUMBER_SIZES = (*SIZES, 16)
LEADING = 1.08
LEAST_ON_A_LINE = 3
LONGEST_IN_A_COLUMN = 22
MOST_IN_SIGHT = 8
# How wide a letter is to its height in the boldest of the system fonts.
NARROW, WIDE = frozenset(" .,:;!'|-iIjlt1fr"), frozenset("mwMW%@€&")


@dataclass(frozen=True, slots=True)
class Caption:
    """Words on a segment: lines across it, or one line from the rim inwards."""

    lines: tuple[str, ...]
    size: int
    top: int = TOPS[0]
    is_inward: bool = False

    @property
    def baselines(self) -> list[tuple[str, float]]:
        """Return each line and the height of its baseline."""
        first = self.size * 0.8 - self.top
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
    # Words where they fit, and else the number.
    caption: Caption
    has_words: bool
    is_gone: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A prize in the legend, in full."""

    number: int
    label: str
    chance: str
    # That it has run out, and until when; empty where it can be won.
    gone: str


@dataclass(frozen=True, slots=True)
class Wheel:
    """What the templates draw."""

    slices: tuple[Slice, ...]
    rows: tuple[Row, ...]
    # What is given for a prize that has run out, where one has; else empty.
    instead: str

    @property
    def is_wordy(self) -> bool:
        """Return whether a prize needs a line of its own on a phone."""
        return any(len(row.label) > LONGEST_IN_A_COLUMN for row in self.rows)

    @property
    def is_long(self) -> bool:
        """Return whether the legend would push the game out of a phone's sight."""
        return len(self.rows) > MOST_IN_SIGHT

    def turn(self, prize: str) -> float:
        """Return how far it is turned to show a prize without any script."""
        middle = next(s.middle for s in self.slices if s.prize == prize)
        return round(-middle, 2)


def drawn(live: Live, locale: Locale) -> Wheel:
    """Return the wheel of a campaign in one language, with what has run out marked."""
    campaign = live.campaign
    texts = {prize.key: prize.texts[locale] for prize in within_reach(campaign)}
    gone = _gone(live)
    short = {
        key: gone[key][0] if key in gone else text.short or text.label
        for key, text in texts.items()
    }
    segments = layout(campaign, gone=gone.keys())
    return Wheel(
        slices=tuple(
            _slice(segment, tone, short[segment.prize])
            for segment, tone in zip(segments, tones(len(segments)), strict=True)
        ),
        rows=tuple(
            Row(
                number,
                texts[prize.key].label,
                odds.printed(prize, campaign),
                gone[prize.key][1] if prize.key in gone else "",
            )
            for number, prize in enumerate(within_reach(campaign), 1)
        ),
        instead=_instead(live, texts[campaign.falls_back_to].label),
    )


def _gone(live: Live) -> dict[str, tuple[str, str]]:
    """Return what is said of what cannot be won now: on its segment, and in full."""
    sold_out = str(_("Sold out"))
    later = {
        key: (str(_("Back later")), str(_("Back on %(at)s", at=_moment(at))))
        for key, at in live.resting
    }
    return dict.fromkeys(live.sold_out, (sold_out, sold_out)) | later


def _moment(at: datetime) -> str:
    return str(format_datetime(at, "EEE d MMM, HH:mm"))


def _instead(live: Live, prize: str) -> str:
    if live.sold_out:
        return str(_("Whoever hits what is sold out gets %(prize)s.", prize=prize))
    if live.resting:
        return str(_("Whoever hits what comes back later gets %(prize)s.", prize=prize))
    return ""


def _slice(segment: Segment, tone: int, words: str) -> Slice:
    said = caption(words, segment.width)
    return Slice(
        prize=segment.prize,
        number=segment.number,
        start=round(segment.start, 3),
        end=round(segment.end, 3),
        middle=round(segment.middle, 3),
        tone=tone,
        outline=_outline(segment.width),
        caption=said or number(segment.number, segment.width),
        has_words=said is not None,
        is_gone=segment.is_gone,
    )


def _outline(width: float) -> str:
    """Return the path of a segment of so many degrees that stands at the top."""
    if width >= 360:
        return f"M0-{EDGE}a{EDGE} {EDGE} 0 1 1-.01 0z"
    x = round(EDGE * math.sin(math.radians(width / 2)), 2)
    y = round(EDGE * math.cos(math.radians(width / 2)), 2)
    large = int(width > 180)
    return f"M0 0L{-x} {-y}A{EDGE} {EDGE} 0 {large} 1 {x} {-y}z"


def caption(
    words: str, width: float, *, sizes: tuple[int, ...] = SIZES
) -> Caption | None:
    """Return the largest way to write words on a segment of so many degrees.

    None where they do not fit: its number and the legend say it then.
    """
    half = math.tan(math.radians(min(width, 160) / 2))
    for size in sizes:
        for top, lines in itertools.product(TOPS, _broken(words)):
            if _fits_across(lines, size, top=top, half=half):
                return Caption(lines, size, top)
        if _fits_inward(words, size, half):
            return Caption((words,), size, is_inward=True)
    return None


def number(value: int, width: float) -> Caption:
    """Return how a prize's number stands on a segment that holds no words."""
    digits = str(value)
    return caption(digits, width, sizes=NUMBER_SIZES) or Caption(
        (digits,), NUMBER_SIZES[-1], is_inward=True
    )


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


def _fits_across(lines: tuple[str, ...], size: int, *, top: int, half: float) -> bool:
    """Each line fits where the segment is narrowest: below it, or at the rim."""
    for place, line in enumerate(lines):
        upper = top - place * size * LEADING
        lower = upper - size * LEADING
        if lower < INNERMOST:
            return False
        chord = 2 * math.sqrt((EDGE - 6) ** 2 - upper**2)
        if _length(line) * size > min(2 * lower * half * 0.94, chord):
            return False
    return True


def _fits_inward(line: str, size: int, half: float) -> bool:
    """The line ends before the segment gets as narrow as the letters are high."""
    end = TOPS[0] - _length(line) * size
    return end >= INNERMOST and 2 * end * half >= size


def _length(line: str) -> float:
    """Return how long a line is at size 1."""
    return sum(
        0.38 if letter in NARROW else 0.95 if letter in WIDE else 0.64
        for letter in line
    )
