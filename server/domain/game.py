"""How each game is set up: what its file may say beyond prizes and odds."""

from typing import Literal

from pydantic import Field

from server.domain.parts import Key, Part

Mechanic = Literal["scratch", "wheel", "quiz", "form"]
MOST_SEGMENTS = 24


class Scratch(Part):
    """The scratch card: how much of the foil has to go before all of it goes."""

    reveal_percent: int = Field(default=55, ge=20, le=95)


class Wheel(Part):
    """The wheel of fortune.

    With `area = "odds"` a segment is as wide as its prize is likely; with `"equal"`
    all are as wide and the odds are printed beside the wheel (PZ-06). `segments`
    orders the prizes and may repeat them, in an equal wheel only. What follows from
    it is in `domain/wheel`; what is refused, in `domain/lint/wheel`.
    """

    area: Literal["odds", "equal"] = "odds"
    segments: tuple[Key, ...] = Field(default=(), max_length=MOST_SEGMENTS)
