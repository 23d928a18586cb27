"""Where the bars of a chart stand. Only sizes are decided here; colours are CSS."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from server.services.office.figures import Day, Figures, total

WIDTH, HEIGHT = 600, 120
GAP = 0.22
ROUND = (1, 2, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: a bar of plays, with the entries among them in front."""

    day: date
    figures: Figures
    x: float
    width: float
    plays: float
    entries: float


@dataclass(frozen=True, slots=True)
class Chart:
    """The bars of some days, and what the top line stands for."""

    bars: list[Bar]
    top: int
    total: Figures
    width: int = WIDTH
    height: int = HEIGHT


def of_days(days: Sequence[Day]) -> Chart:
    """Return the chart of at least one day."""
    top = rounded_up(max(max(d.figures.plays, d.figures.entries) for d in days))
    step = WIDTH / len(days)
    bars = [
        Bar(
            day=one.day,
            figures=one.figures,
            x=round(number * step + step * GAP / 2, 2),
            width=round(step * (1 - GAP), 2),
            plays=round(one.figures.plays / top * HEIGHT, 2),
            entries=round(one.figures.entries / top * HEIGHT, 2),
        )
        for number, one in enumerate(days)
    ]
    return Chart(bars, top, total(days))


def rounded_up(most: int) -> int:
    """Return a round number that is not below: 4, 60, 3000."""
    size = 1
    while size * ROUND[-1] < most:
        size *= 10
    return next(size * part for part in ROUND if size * part >= most)
