"""No choice of colours makes a text fade, by day or by night (WCAG 1.4.3, 1.4.11)."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.domain.campaign import Theme
from server.domain.parts import FileError
from server.domain.theme import (
    DARK_PAPERS,
    FONTS,
    LEAST_CONTRAST,
    LEAST_EDGE,
    PAPERS,
    RADII,
    contrast,
    palette,
)
from tests.factories import campaign_file

STYLE = Path(__file__).parents[2] / "widget" / "widget.css"
colours = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


def over(below: str, above: str, share: float) -> str:
    """Return what is seen of a colour that lets another through."""
    pairs = zip(*(re.findall("..", colour[1:7]) for colour in (below, above)), strict=1)
    mixed = (round(int(b, 16) * (1 - share) + int(a, 16) * share) for b, a in pairs)
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def tokens(name: str) -> dict[str, str]:
    """Return the tokens that a rule of the stylesheet sets."""
    rules = re.findall(
        rf"^ *{re.escape(name)} {{(.*?)}}", STYLE.read_text(), re.M | re.S
    )
    return dict(re.findall(r"--([\w-]+): (.*?);", "".join(rules)))


DAY = tokens(":root")
NIGHT = DAY | tokens(":root:not([data-scheme=light])")


@given(accent=colours, support=colours)
@example(accent="#ffffff", support="#ffffff")
@example(accent="#000000", support="#000000")
@example(accent="#767676", support="#767676")
@example(accent="#ffe600", support="#ffe600")
def test_every_text_can_be_read_on_every_ground_it_stands_on(accent, support):
    made = palette(Theme(accent=accent, support=support))
    light, dark = (*PAPERS, made.tint_light), (*DARK_PAPERS, made.tint_dark)
    pairs = [
        (made.accent_ink, made.accent),
        (made.support_ink, made.support),
        (made.support_ink, made.ray),
        *((made.won_ink, ground) for ground in (made.won_ray, made.won_gap, "#ffffff")),
        *((made.foil_ink, tone) for tone in made.foil),
        *((ink, ground) for ground, ink in made.wheel),
        *((made.accent_text, ground) for ground in light),
        *((made.accent_text_dark, ground) for ground in dark),
        # What no theme changes, on the one ground that it does.
        *((DAY[ink], made.tint_light) for ink in ("ink", "ink-2", "fault")),
        *((NIGHT[ink], made.tint_dark) for ink in ("ink", "ink-2", "fault")),
    ]

    hard = [pair for pair in pairs if contrast(*pair) < LEAST_CONTRAST]

    assert hard == []


@given(accent=colours, support=colours)
@example(accent="#ffffff", support="#808080")
def test_the_light_behind_the_play_leaves_its_words_alone(accent, support):
    made = palette(Theme(accent=accent, support=support))
    most = int(made.glow[7:], 16) / 255

    for ground in (made.support, made.ray):
        for part in range(11):
            lit = over(ground, made.glow, most * part / 10)
            # A tenth of leeway for rounding to whole channels.
            assert contrast(made.support_ink, lit) >= LEAST_CONTRAST - 0.1


@given(accent=colours)
@example(accent="#fffdf9")
@example(accent="#191613")
def test_every_control_can_be_told_from_its_ground(accent):
    made = palette(Theme(accent=accent))
    pairs = [
        *((made.accent_edge, ground) for ground in PAPERS),
        *((made.accent_edge_dark, ground) for ground in DARK_PAPERS),
        *((DAY["edge"], DAY[ground]) for ground in ("paper", "paper-2")),
        *((NIGHT["edge"], NIGHT[ground]) for ground in ("paper", "paper-2")),
        (DAY["edge"], made.tint_light),
        (NIGHT["edge"], made.tint_dark),
    ]

    faint = [pair for pair in pairs if contrast(*pair) < LEAST_EDGE]

    assert faint == []


def test_colours_that_can_be_read_stay_as_the_shop_chose_them():
    made = palette(Theme(accent="#9c2f00", support="#12372a"))

    assert (made.accent, made.accent_text, made.accent_edge) == ("#9c2f00",) * 3
    assert made.support == "#12372a"


def test_the_stylesheet_starts_from_the_default_theme():
    """What a browser shows before, or without, a shop's tokens is the same."""
    made = dict(re.findall(r"--([\w-]+):(.*?)(?=;--|\}$)", palette(Theme()).as_css()))

    for name, value in made.items():
        assert DAY[name].replace(", ", ",").replace("#fff", "#ffffff") in {
            value,
            value.replace("#fff", "#ffffff"),
        }, name


def test_the_papers_are_those_of_the_stylesheet():
    assert {DAY["paper"], DAY["paper-2"]} <= set(PAPERS)
    assert {NIGHT["paper"], NIGHT["paper-2"]} <= set(DARK_PAPERS)


@pytest.mark.parametrize("font", FONTS)
@pytest.mark.parametrize("corner", RADII)
def test_every_name_of_a_theme_leads_to_tokens(font, corner):
    css = palette(Theme(font=font, corner=corner)).as_css()

    assert f"--font:{FONTS[font]}" in css and f"--radius:{RADII[corner]}" in css
    assert "url(" not in css


HOSTILE = [
    "red",
    "#fff",
    "#E8590C",
    "#e8590c;",
    "#e8590c\n",
    "#e8590c}body{display:none",
    "url(//evil.example/x)",
    "expression(alert(1))",
    "javascript:alert(1)",
    "</style><script>alert(1)</script>",
    "var(--paper)",
    "\\23 e8590c",
    "#e8590\x00c",
    "#é8590c",
    "@import '//evil.example'",
    "",
    7,
    None,
    ["#e8590c"],
    {"a": "#e8590c"},
]


@pytest.mark.parametrize(
    "name", ["accent", "support", "foil", "corner", "font", "logo"]
)
@pytest.mark.parametrize("value", HOSTILE)
def test_a_theme_takes_nothing_but_what_it_knows(name, value):
    """T4: what styles and scripts are written with is refused by its place."""
    if value is None:
        value = "none"
    with pytest.raises(FileError) as refused:
        campaign_file(**{f"theme__{name}": value})

    assert {fault.place for fault in refused.value.faults} == {f"theme.{name}"}


def test_a_theme_has_no_room_for_styles_of_ones_own():
    """T4: there is no free CSS, whatever it is called."""
    for name in ("css", "style", "background", "font_url", "redirect"):
        with pytest.raises(FileError):
            campaign_file(**{f"theme__{name}": "x"})
