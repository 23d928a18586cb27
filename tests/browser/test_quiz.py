"""The style quiz in a browser: question by question, by keyboard, without script."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.shop import Demo
from tests.browser.visit import Keys, Visit, accept_terms, say_adult

PAGE = "style-quiz-page"
PLACE = "Waar wil je het liefst zijn op een vrije zondag?"
COLOURS = "Welke kleuren hangen er in jouw kast?"


def question(page: Page, words: str) -> None:
    """Wait until this question, and no other, is there."""
    expect(page.locator("fieldset[data-step]:visible legend").first).to_have_text(words)
    expect(page.locator("fieldset[data-step]:visible")).to_have_count(1)


def answer(page: Page, selector: str) -> None:
    page.locator(selector).check()
    page.locator("[data-forward]").click()


def finish(page: Page) -> None:
    """Go from the first question to the result by the sea."""
    answer(page, "[value=sea]")
    answer(page, "[name='quiz.colours.blue']")
    page.locator("[data-forward]").click()
    answer(page, "[value=fish]")
    say_adult(page)
    accept_terms(page)
    with page.expect_response(re.compile("/entries$")):
        page.locator("[data-send]").click()


def test_a_result_without_an_address(visit: Visit) -> None:
    """CR-10: title, reason and links, and nobody asked who you are."""
    visit.straight(PAGE, lang="nl")
    finish(visit.page)

    expect(visit.page.locator("h1")).to_have_text("Kustlicht")
    expect(visit.page.locator("h1")).to_be_focused()
    expect(visit.page.locator(".reason")).to_contain_text("je koos voor lucht")
    links = visit.page.locator(".links a")
    expect(links).to_have_count(2)
    assert str(links.first.get_attribute("href")).startswith("http://localhost")


def test_the_way_back_loses_nothing(visit: Visit) -> None:
    page = visit.page
    visit.straight(PAGE, lang="nl")
    question(page, PLACE)
    answer(page, "[value=sea]")
    question(page, COLOURS)
    page.locator("[name='quiz.colours.earth']").check()

    page.locator("[data-back]").click()
    question(page, PLACE)
    expect(page.locator("[value=sea]")).to_be_checked()
    page.locator("[data-forward]").click()

    expect(page.locator("[name='quiz.colours.earth']")).to_be_checked()


def test_an_answer_branches_and_the_progress_knows(visit: Visit) -> None:
    page = visit.page
    visit.straight(PAGE, lang="nl")
    expect(page.locator(".progress p")).to_have_text("Vraag 1 van 5")

    answer(page, "[value=sofa]")

    question(page, "Hoeveel spullen mogen er in beeld staan?")
    expect(page.locator(".progress p")).to_have_text("Vraag 2 van 4")
    page.locator("[data-back]").click()
    question(page, PLACE)


def test_a_question_without_an_answer_says_so(visit: Visit) -> None:
    page = visit.page
    visit.straight(PAGE, lang="nl")

    page.locator("[data-forward]").click()

    question(page, PLACE)
    expect(page.locator("fieldset:visible .fault")).to_have_text(
        "Kies eerst een antwoord."
    )
    expect(page.locator("#announce")).to_have_text("Kies eerst een antwoord.")
    expect(page.locator("[value=sea]")).to_be_focused()


def test_it_is_played_with_the_keyboard_alone(visit: Visit) -> None:
    """AX-01, AX-02: each question takes the focus and is announced."""
    page = visit.page
    visit.straight(PAGE, lang="nl")
    keys = Keys(page).into(page.main_frame)

    keys.to("[value=sea]").press("Space").to("[data-forward]").press("Enter")
    expect(page.locator("legend:visible").first).to_be_focused()
    expect(page.locator("#announce")).to_have_text("Vraag 2 van 5")
    keys.to("[name='quiz.colours.blue']").press("Space").press("Enter")
    keys.to("[type=range]").press("ArrowRight")
    expect(page.locator("output:visible")).to_have_text("6")
    keys.press("Enter")
    keys.to("[value=fish]").press("Space").press("Enter")
    keys.to("[name=adult]").press("Space")
    keys.to("[name=terms]").press("Space").press("Enter")

    expect(page.locator("h1")).to_have_text("Kustlicht")


def test_it_works_without_script(demo: Demo, browser: Browser) -> None:
    """All questions below each other, and one plain POST."""
    context = browser.new_context(java_script_enabled=False, locale="nl-NL")
    page = context.new_page()
    page.goto(f"{demo.service}/w/{PAGE}?lang=nl")
    expect(page.locator("fieldset[data-step]:visible")).to_have_count(5)
    expect(page.locator("[data-forward]")).to_be_hidden()
    page.locator("[data-send]").click()
    expect(page.locator(".faults")).to_be_visible()

    page.locator("[value=sofa]").check()
    page.locator("[value=soup]").check()
    say_adult(page)
    accept_terms(page)
    page.locator("[data-send]").click()

    expect(page.locator("h1")).to_have_text("Warm nest")
    context.close()


@pytest.mark.parametrize("width", [320, 1_280])
def test_it_fits_in_the_shop(visit: Visit, width: int) -> None:
    """AX-04: no scrolling sideways, in the shop's page and by itself."""
    visit.page.set_viewport_size({"width": width, "height": 800})
    visit.straight(PAGE, lang="nl")

    wide = "document.documentElement.scrollWidth > innerWidth"
    assert visit.page.evaluate(wide) is False
    finish(visit.page)
    assert visit.page.evaluate(wide) is False
