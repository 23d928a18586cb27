"""Anybody can take the quiz: narrow, large, calm, in light, dark and forced colours."""

import pytest
from playwright.sync_api import Browser, Frame, expect

from tests.browser.shop import Demo
from tests.browser.test_access import NARROW, faults
from tests.browser.test_quiz import PAGE, answer
from tests.browser.visit import (
    Visit,
    accept_terms,
    address,
    fill_person,
    new_visitor,
    say_adult,
    submit,
)

PRESSED = ".answer, [type=range], summary, button, .links a"
# What is smaller than a finger, by its text (SC 2.5.8; 44 px is our own measure). As it
# is laid out: what pops up is smaller for a moment.
SMALL = """wanted => [...document.querySelectorAll(wanted)]
  .filter(each => each.checkVisibility({ visibilityProperty: true }))
  .filter(each => each.offsetHeight < 44)
  .map(each => each.textContent.trim() || each.type)"""
# What moves, or would: a calm visitor sees each question at once.
MOVING = """() => document.getAnimations()
  .filter(each => each.effect.getComputedTiming().duration > 10).length"""


def each_page(game: Frame):
    """Go from question to question, and yield a name for each page on the way."""
    yield "place"
    game.locator("[data-forward]").click()
    yield "place without an answer"
    answer(game, "[value=sea]")
    game.locator("summary:visible").first.click()
    yield "colours, and why"
    answer(game, "[name='quiz.colours.blue']")
    yield "warmth"
    game.locator("[data-forward]").click()
    answer(game, "[value=fish]")
    yield "terms"
    submit(game, "[data-send]")
    yield "terms with faults"
    say_adult(game)
    accept_terms(game)
    submit(game, "[data-send]")
    expect(game.locator("#found")).to_be_visible()
    yield "result"
    fill_person(game, "nobody")
    submit(game, "#claim .main")
    # What was typed before the answer came would be typed into a form that goes.
    expect(game.locator("#claim [aria-invalid]").first).to_be_visible()
    yield "claim with a fault"
    fill_person(game, address(), "style_profile")
    submit(game, "#claim .main")
    expect(game.locator("#prize")).to_be_visible()
    yield "done"


def test_axe_finds_nothing_without_script_on_the_page(
    browser: Browser, demo: Demo
) -> None:
    """All questions below each other, and with what is missing."""
    for context in new_visitor(browser):
        page = context.new_page()
        # The page's own script is kept away; axe needs one to look.
        page.route("**/steps.js", lambda route: route.abort())
        game = Visit(demo, page).straight(PAGE, lang="nl")
        expect(game.locator("fieldset[data-step]:visible")).to_have_count(5)
        assert faults(game) == []
        submit(game, "[data-send]")
        expect(game.locator(".faults")).to_be_visible()
        assert faults(game) == []


@pytest.mark.parametrize(
    ("size", "ratio"),
    [((320, 640), 1), ((640, 360), 2), ((768, 1_024), 1), ((1_280, 800), 1)],
    ids=["320 px", "1280 px at 200%", "768 px", "1280 px"],
)
def test_it_fits_and_can_be_pressed_at_any_width(
    browser: Browser, demo: Demo, size: tuple[int, int], ratio: int
) -> None:
    """AX-04, SC 1.4.10, 1.4.4, 2.5.8."""
    width, height = size
    for context in new_visitor(
        browser,
        viewport={"width": width, "height": height},
        device_scale_factor=ratio,
    ):
        game = Visit(demo, context.new_page()).straight(PAGE, lang="nl")
        for name in each_page(game):
            assert game.evaluate(NARROW) <= 0, name
            assert game.evaluate(SMALL, PRESSED) == [], name


def test_who_wants_calm_sees_each_question_at_once(
    browser: Browser, demo: Demo
) -> None:
    """AX-03."""
    for context in new_visitor(browser, reduced_motion="reduce"):
        game = Visit(demo, context.new_page()).straight(PAGE, lang="nl")
        for name in each_page(game):
            assert game.evaluate(MOVING) == 0, name


def test_in_forced_colours_what_was_chosen_can_be_told(
    browser: Browser, demo: Demo
) -> None:
    """SC 1.4.1, 1.4.11: by its outline, and by the control itself."""
    outline = "() => getComputedStyle(document.querySelector('.answer:has(:checked)'))"
    for context in new_visitor(browser, forced_colors="active"):
        game = Visit(demo, context.new_page()).straight(PAGE, lang="nl")
        game.locator("[value=city]").check()
        game.locator("h1").click()

        assert game.evaluate(f"{outline}.outlineStyle") == "solid"
        assert faults(game) == []
