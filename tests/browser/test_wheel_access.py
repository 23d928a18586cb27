"""Anybody can read the wheel: narrow, large, in light and dark, in forced colours."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, expect

from tests.browser.shop import Demo
from tests.browser.test_access import NARROW, faults
from tests.browser.visit import (
    Visit,
    new_visitor,
    spin,
    stop_wheel,
)
from tests.factories import campaign_tables, prize_table

LONG = "Een weekend voor twee op Terschelling, met ontbijt en gehuurde fietsen"
# What of a text is cut off, or lies outside the window.
CUT = """() => [...document.querySelectorAll('#legend li, .result > *')]
  .filter(each => each.checkVisibility({ visibilityProperty: true }))
  .filter(each => {
    const { left, right } = each.getBoundingClientRect()
    return each.scrollWidth > each.clientWidth + 1 || left < 0 || right > innerWidth
  }).map(each => each.textContent)"""
SMALLEST = """() => Math.min(...[...document.querySelectorAll('#legend li *')]
  .map(each => parseFloat(getComputedStyle(each).fontSize)))"""
# The words on the wheel that do not lie within their own segment, as drawn.
OUTSIDE = """() => [...document.querySelectorAll('.segment')].flatMap(segment => {
  const width = (segment.dataset.end - segment.dataset.start) * Math.PI / 180
  const text = [...segment.querySelectorAll('text')].at(-1)
  const { x, y, width: wide, height } = text.getBBox()
  const inward = text.classList.contains('inward')
  const corners = inward ? [] : [[x, y + height * .2], [x, y + height * .8],
    [x + wide, y + height * .2], [x + wide, y + height * .8]]
  const out = corners.filter(([a, b]) => Math.hypot(a, b) > 172
    || Math.abs(Math.atan2(a, -b)) > width / 2 + .02)
  const end = 148 - wide
  return out.length || (inward && end < 38) ? [segment.textContent.trim()] : []
})"""
FILLS = """() => [...document.querySelectorAll('.segment')].map(each => {
  const style = getComputedStyle(each.querySelector('path'))
  return [style.fill, style.stroke]
})"""


def _prize(key: str, label: str, weight: int, **more: Any) -> dict[str, Any]:
    texts = {locale: {"label": label, "claim": "-"} for locale in ("nl", "en")}
    made = prize_table(key, weight=weight, texts=texts, **more)
    return made if "stock" in more else made | {"stock": 1_000}


def _unlimited(prize: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in prize.items() if name != "stock"}


@pytest.fixture(scope="session")
def hard(demo: Demo) -> Iterator[list[str]]:
    """Wheels that are hard to draw: long texts, sold out, thin, 24, a gift, a loss."""
    ten = _unlimited(_prize("ten", "10% korting", 60))
    many = [_prize(f"p{number}", f"Prijs {number}", 1) for number in range(24)]
    one = _unlimited(_prize("gift", "Een plant van de kweker", 1))
    shapes: dict[str, dict[str, Any]] = {
        "hard-odds": {
            "prizes": [
                _prize("trip", LONG, 3),
                _prize("bag", "Tas", 7),
                _prize("gone", "Gratis verzending", 30, stock=0),
                ten,
            ],
            "fallback": "ten",
            "wheel": {},
        },
        "hard-many": {
            "prizes": [*many[1:], _unlimited(many[0])],
            "fallback": "p0",
            "wheel": {"area": "equal"},
        },
        "hard-gift": {"award": "same-gift", "prizes": [one], "fallback": "gift"},
        "hard-loss": {
            "award": "instant-win",
            "prizes": [_unlimited(_prize("no", "Geen prijs", 1, kind="none"))],
            "fallback": "no",
        },
    }
    for code, shape in shapes.items():
        tables = campaign_tables("welcome-wheel", code=code) | {"wheel": {}} | shape
        for locale in ("nl", "en"):
            tables["texts"][locale]["lost"] = "Helaas, deze keer niet"
        tables["placements"] = [{"code": code, "shape": "inline"}]
        demo.load("campaign", tables)
    yield list(shapes)


# --- narrow and large --------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "ratio"),
    [((320, 640), 1), ((640, 360), 2), ((1280, 800), 1)],
    ids=["320 px", "1280 px at 200%", "1280 px"],
)
def test_every_prize_can_be_read_at_any_width(
    browser: Browser, demo: Demo, hard: list[str], size: tuple[int, int], ratio: int
) -> None:
    """PZ-06, SC 1.4.10, 1.4.4: long texts too, before and after the play."""
    width, height = size
    for context in new_visitor(
        browser,
        viewport={"width": width, "height": height},
        device_scale_factor=ratio,
        reduced_motion="reduce",
    ):
        visit = Visit(demo, context.new_page())
        for code in ["welcome-wheel-inline", *hard]:
            game = visit.straight(code, lang="nl")
            assert game.evaluate(NARROW) <= 0
            assert game.evaluate(CUT) == []
            assert game.evaluate(SMALLEST) >= 13
            assert game.evaluate(OUTSIDE) == []
            spin(game)
            expect(game.locator(".result")).to_be_visible()
            assert game.evaluate(NARROW) <= 0
            assert game.evaluate(CUT) == []


def test_what_is_sold_out_says_so_in_words(
    demo: Demo, hard: list[str], visit: Visit
) -> None:
    """PZ-06, AX-02: not by its look alone, and before the play."""
    game = visit.straight("hard-odds", lang="nl")

    gone = game.locator("#legend .gone")
    expect(gone).to_have_text("3 Gratis verzending Op")
    expect(game.locator("#legend")).to_contain_text(
        "Wie op iets komt dat op is, krijgt 10% korting."
    )
    expect(game.locator(".segment.gone text").last).to_have_text("Op")


# --- colours -----------------------------------------------------------------------


def test_in_forced_colours_every_segment_has_an_edge(
    browser: Browser, demo: Demo, hard: list[str]
) -> None:
    """SC 1.4.1, 1.4.11: the tints are gone, the borders and the won segment are not."""
    for context in new_visitor(
        browser, forced_colors="active", reduced_motion="reduce"
    ):
        visit = Visit(demo, context.new_page())
        for code in ("welcome-wheel-inline", "hard-odds"):
            game = visit.straight(code)
            fills = game.evaluate(FILLS)
            assert len({tuple(each) for each in fills}) == 1
            assert fills[0][0] != fills[0][1]
            spin(game)
            expect(game.locator("#disc.landed")).to_be_attached()
            after = game.evaluate(FILLS)
            assert sum(each[0] != fills[0][0] for each in after) == 1
            assert faults(game) == []


@pytest.mark.parametrize(("language", "scheme"), [("nl", "light"), ("en", "dark")])
def test_axe_finds_nothing_on_a_hard_wheel(
    browser: Browser, demo: Demo, hard: list[str], language: str, scheme: str
) -> None:
    """AX-02, AX-05: before and after a turn; `test_every_step` has the other steps."""
    found: dict[str, list[str]] = {}
    for context in new_visitor(browser, color_scheme=scheme):
        visit = Visit(demo, context.new_page())
        for code in hard:
            game = visit.straight(code, lang=language)
            found[code] = faults(game)
            spin(game)
            stop_wheel(game)
            visit.page.wait_for_timeout(800)
            found[f"{code} stopped"] = faults(game)
    assert {step: list_ for step, list_ in found.items() if list_} == {}


def while_it_turns(game: Frame) -> list[str]:
    """Return the faults of the page as it is with the wheel in motion."""
    # Slowed down, because axe takes longer than the turn.
    # What fades in meanwhile is there at once: until then it has no contrast.
    game.evaluate("""() => document.getAnimations().forEach(each => {
      const isShort = each.effect.getComputedTiming().endTime < 2000
      if (isShort) each.finish()
      else each.pause()
    })""")
    found: list[str] = game.evaluate("""async () => {
      const found = await axe.run(document, { iframes: false })
      return found.violations.map(each => each.id)
    }""")
    game.evaluate("document.getAnimations().forEach(each => each.play())")
    return found
