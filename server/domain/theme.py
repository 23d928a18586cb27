"""A shop's colours, and the ones that keep them readable (WCAG 2.2, SC 1.4.3)."""

from dataclasses import dataclass

from server.domain.campaign import Theme

PAPER = "#fbf8f3"
DARK_PAPER = "#191614"
INK = "#1d1916"
WHITE = "#ffffff"
LEAST_CONTRAST = 4.5
STEPS = 40
RADII = {"sharp": "2px", "soft": "14px", "round": "26px"}


@dataclass(frozen=True, slots=True)
class Palette:
    """The tokens a theme comes down to; each text colour is readable on its ground."""

    accent: str
    accent_ink: str
    accent_text: str
    accent_text_dark: str
    support: str
    support_ink: str
    radius: str

    def as_css(self) -> str:
        """Return the tokens as custom properties."""
        return (
            ":root{"
            f"--accent:{self.accent};--accent-ink:{self.accent_ink};"
            f"--accent-text:{self.accent_text};"
            f"--accent-text-dark:{self.accent_text_dark};"
            f"--support:{self.support};--support-ink:{self.support_ink};"
            f"--radius:{self.radius}"
            "}"
        )


def palette(theme: Theme) -> Palette:
    """Return the tokens of a theme, repaired where text would be hard to read."""
    return Palette(
        accent=theme.accent,
        accent_ink=_ink_on(theme.accent),
        accent_text=_readable(theme.accent, on=PAPER, towards=INK),
        accent_text_dark=_readable(theme.accent, on=DARK_PAPER, towards=WHITE),
        support=theme.support,
        support_ink=_ink_on(theme.support),
        radius=RADII[theme.corner],
    )


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two `#rrggbb` colours, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _ink_on(ground: str) -> str:
    return max((INK, WHITE), key=lambda ink: contrast(ink, ground))


def _readable(colour: str, *, on: str, towards: str) -> str:
    """Move a colour towards another until it can be read on its ground."""
    for step in range(STEPS + 1):
        mixed = _mix(colour, towards, step / STEPS)
        if contrast(mixed, on) >= LEAST_CONTRAST:
            return mixed
    return towards


def _mix(one: str, other: str, share: float) -> str:
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (
        c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4
        for c in _channels(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
