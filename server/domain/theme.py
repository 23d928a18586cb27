"""A shop's colours, and the ones that keep them readable (WCAG 2.2, SC 1.4.3, 1.4.11).

A shop chooses two colours. Everything that is written on them, or in them, is worked
out here, by day and by night, so that no choice of colours can make a text fade.
"""

from dataclasses import dataclass

from server.domain.campaign import Theme

# The grounds and inks that no theme changes: those of widget/widget.css and the mails.
PAPERS = ("#fffdf9", "#f6f1e8", "#fffdfa", "#f8f3ea")
DARK_PAPERS = ("#191613", "#24201b", "#1f1b18", "#2a2521")
PAPER, DARK_PAPER = PAPERS[0], DARK_PAPERS[0]
INK = "#1c1813"
WHITE = "#ffffff"
BLACK = "#000000"
FOILS = (("#8f8a82", 0.18), ("#d5d0c7", 0.16), ("#fbf8f2", 0.08), ("#b5afa5", 0.18))

LEAST_CONTRAST = 4.5
# For what is not text: borders of controls, and marks that tell a state.
LEAST_EDGE = 3.0
STEPS = 40
TINT, DARK_TINT = 0.08, 0.14
RAY, GLOW = 0.07, 0.38
# How much paper the fields of a wheel have taken in.
WHEEL_PAPER = "#fffaf2"
WHEEL = (0.0, 0.86, 0.62)

RADII = {"sharp": "2px", "soft": "14px", "round": "26px"}
# Only what is on the visitor's device already: a font file costs more than the game.
FONTS = {
    # Names that are looked up one after the other cost time before the first letter.
    "plain": "system-ui,sans-serif",
    "humanist": 'Seravek,"Gill Sans Nova",Ubuntu,Calibri,"DejaVu Sans",'
    "source-sans-pro,sans-serif",
    "geometric": 'Avenir,Montserrat,Corbel,"URW Gothic",source-sans-pro,sans-serif',
    "rounded": 'ui-rounded,"Hiragino Maru Gothic ProN",Quicksand,Comfortaa,Manjari,'
    '"Arial Rounded MT Bold",Calibri,source-sans-pro,sans-serif',
    "serif": 'Charter,"Bitstream Charter","Sitka Text",Cambria,serif',
    "slab": 'Rockwell,"Rockwell Nova","Roboto Slab","DejaVu Serif","Sitka Small",serif',
}


@dataclass(frozen=True, slots=True)
class Palette:
    """The tokens a theme comes down to; each ink is readable on its ground."""

    accent: str
    accent_ink: str
    # The accent as a text, on every paper and on the tint.
    accent_text: str
    accent_text_dark: str
    # The accent as an edge.
    accent_edge: str
    accent_edge_dark: str
    tint_light: str
    tint_dark: str
    support: str
    support_ink: str
    # The light behind the play, as strong as its ink allows.
    ray: str
    glow: str
    # What is won, on its rays: the same paper by day and by night.
    won_ray: str
    won_gap: str
    won_ink: str
    foil: tuple[str, ...]
    foil_ink: str
    wheel: tuple[tuple[str, str], ...]
    radius: str
    font: str

    def as_css(self) -> str:
        """Return the tokens as custom properties."""
        names = [
            *("accent", "accent_ink", "accent_text", "accent_text_dark"),
            *("accent_edge", "accent_edge_dark", "tint_light", "tint_dark"),
            *("support", "support_ink", "ray", "glow"),
            *("won_ray", "won_gap", "won_ink", "foil_ink", "radius", "font"),
        ]
        tokens = {name.replace("_", "-"): str(getattr(self, name)) for name in names}
        for number, tone in enumerate(self.foil, 1):
            tokens[f"foil-{number}"] = tone
        for number, (ground, ink) in enumerate(self.wheel, 1):
            tokens |= {f"wheel-{number}": ground, f"wheel-ink-{number}": ink}
        return (
            ":root{"
            + ";".join(f"--{name}:{value}" for name, value in tokens.items())
            + "}"
        )


def palette(theme: Theme) -> Palette:
    """Return the tokens of a theme, repaired where something would be hard to read."""
    accent, accent_ink = _written_on(theme.accent)
    tint = _mix(PAPER, accent, TINT)
    tint_dark = _mix(DARK_PAPER, accent, DARK_TINT)
    support, support_ink, glow = _panel(theme.support, accent)
    won_ray, won_gap = _mix(WHITE, accent, 0.34), _mix(WHITE, accent, 0.16)
    light, dark = (*PAPERS, tint), (*DARK_PAPERS, tint_dark)
    return Palette(
        accent=accent,
        accent_ink=accent_ink,
        accent_text=_readable(accent, on=light, towards=INK),
        accent_text_dark=_readable(accent, on=dark, towards=WHITE),
        accent_edge=_readable(accent, on=light, towards=INK, least=LEAST_EDGE),
        accent_edge_dark=_readable(accent, on=dark, towards=WHITE, least=LEAST_EDGE),
        tint_light=tint,
        tint_dark=tint_dark,
        support=support,
        support_ink=support_ink,
        ray=_mix(support, support_ink, RAY),
        glow=f"{accent}{round(glow * 255):02x}",
        won_ray=won_ray,
        won_gap=won_gap,
        won_ink=_readable(accent, on=(won_ray, won_gap, WHITE), towards=INK),
        foil=tuple(_foil(tone, accent, share) for tone, share in FOILS),
        foil_ink=INK,
        wheel=tuple(_written_on(_mix(accent, WHEEL_PAPER, share)) for share in WHEEL),
        radius=RADII[theme.corner],
        font=FONTS[theme.font],
    )


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two `#rrggbb` colours, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _written_on(ground: str) -> tuple[str, str]:
    """Return a ground and its ink. Black or white reaches 4.5 on every colour."""
    ink = max((INK, WHITE), key=lambda ink: contrast(ink, ground))
    return ground, ink if contrast(ink, ground) >= LEAST_CONTRAST else BLACK


def _panel(support: str, accent: str) -> tuple[str, str, float]:
    """Return the panel's ground, its ink, and how much light may fall on it.

    Rays and glow lie between the two, so the ground gives way until there is room
    for the rays, and the glow until it leaves the ink alone.
    """
    _, ink = _written_on(support)
    away = BLACK if ink == WHITE else WHITE
    for step in range(STEPS + 1):
        ground = _mix(support, away, step / STEPS)
        if contrast(ink, _mix(ground, ink, RAY)) >= LEAST_CONTRAST:
            break
    for step in range(STEPS, -1, -1):
        glow = GLOW * step / STEPS
        if all(
            contrast(ink, _mix(below, accent, glow * part / 8)) >= LEAST_CONTRAST
            for below in (ground, _mix(ground, ink, RAY))
            for part in range(9)
        ):
            break
    return ground, ink, glow


def _foil(tone: str, accent: str, share: float) -> str:
    """Return metal with a breath of the accent, light enough for its words."""
    return _readable(_mix(tone, accent, share), on=(INK,), towards=WHITE)


def _readable(
    colour: str, *, on: tuple[str, ...], towards: str, least: float = LEAST_CONTRAST
) -> str:
    """Move a colour towards another until it can be told from all of its grounds."""
    for step in range(STEPS + 1):
        mixed = _mix(colour, towards, step / STEPS)
        if all(contrast(mixed, ground) >= least for ground in on):
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
