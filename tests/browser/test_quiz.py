"""The style quiz in a browser: question by question, by keyboard, without script."""

import re

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from tests.browser.host import Host
from tests.browser.shop import Demo
from tests.browser.stage import Stage
from tests.browser.visit import (
    Keys,
    Visit,
    accept_terms,
    address,
    fill_person,
    rest,
    say_adult,
    submit,
)
from tests.factories import campaign_tables

PAGE = "style-quiz-page"
PLACE = "Waar wil je het liefst zijn op een vrije zondag?"
COLOURS = "Welke kleuren hangen er in jouw kast?"


SHAPES = ("inline", "dialog", "slide", "bar", "tab")


def question(page: Page, words: str) -> None:
    """Wait until this question, and no other, is there."""
    expect(page.locator("fieldset[data-step]:visible legend").first).to_have_text(words)
    expect(page.locator("fieldset[data-step]:visible")).to_have_count(1)


def answer(game: Page | Frame, selector: str) -> None:
    game.locator(selector).check()
    game.locator("[data-forward]").click()


def to_the_terms(game: Frame) -> None:
    """Answer every question as somebody by the sea would."""
    for selector in ("[value=sea]", "[name='quiz.colours.blue']", None, "[value=fish]"):
        rest(game)
        if selector:
            game.locator(selector).check()
        game.locator("[data-forward]").click()
    rest(game)
    expect(game.locator("[data-send]")).to_be_visible()


def finish(page: Page) -> None:
    """Go from the first question to the result by the sea."""
    game = page.main_frame
    to_the_terms(game)
    say_adult(game)
    accept_terms(game)
    submit(game, "[data-send]")


def plain_quiz(code: str, **changes: object) -> dict[str, object]:
    """Return the demo's quiz without its pictures, under another code."""
    tables = campaign_tables("style-quiz", code=code, name__nl=code, **changes)
    for asked in tables["quiz"]["questions"]:
        for each in asked.get("answers", ()):
            each.pop("image", None)
    for outcome in tables["quiz"]["outcomes"]:
        outcome.pop("image", None)
    return tables


@pytest.fixture(scope="session")
def shaped(demo: Demo, host: Host) -> dict[str, str]:
    """The quiz in every shape, in a shop of our own: shape -> placement."""
    codes = {shape: f"quiz-{shape}" for shape in SHAPES}
    trigger = {"event": "now"}
    waits = {shape: {} if shape in {"inline", "tab"} else trigger for shape in SHAPES}
    tables = plain_quiz("quiz-shapes", shop="host")
    tables["placements"] = [
        {"code": codes[shape], "shape": shape}
        | ({"trigger": waits[shape]} if waits[shape] else {})
        for shape in SHAPES
    ]
    demo.load("campaign", tables)
    return codes


@pytest.fixture(scope="session")
def ranged(demo: Demo) -> str:
    """A quiz without a prize, in which the lowest numbers of a slider are the end."""
    tables = plain_quiz("quiz-ranged", award="nothing", minimum_age=0)
    del tables["prizes"], tables["terms"]
    for outcome in tables["quiz"]["outcomes"]:
        del outcome["prize"]
    tables["quiz"]["questions"][2]["slider"]["ranges"][0]["next"] = "end"
    tables["placements"] = [{"code": "quiz-ranged", "shape": "inline"}]
    demo.load("campaign", tables)
    return "quiz-ranged"


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


def test_who_only_wants_the_result_is_done(visit: Visit) -> None:
    """CR-08, CR-10: that button is as large as the other, and nothing more is asked."""
    page = visit.page
    visit.straight(PAGE, lang="nl")
    finish(page)
    yes, no = page.locator("#claim .main"), page.locator("[data-skip]")
    sizes = [each.bounding_box() for each in (yes, no)]
    assert sizes[0] and sizes[1]
    assert sizes[0]["width"] == sizes[1]["width"]
    assert sizes[0]["height"] == sizes[1]["height"]
    entries = visit.demo.counts()["entry"]

    no.click()

    expect(page.locator("#claim")).to_have_count(0)
    expect(page.locator(".reason")).to_be_visible()
    expect(page.locator(".steps [aria-current]")).to_have_text("Klaar")
    expect(page.locator("h1")).to_be_focused()
    assert visit.demo.counts()["entry"] == entries


def test_who_wants_more_leaves_an_address(visit: Visit) -> None:
    """CR-10, DO-08: the code is on the screen, whatever else was said yes to."""
    visit.straight(PAGE, lang="nl")
    finish(visit.page)

    fill_person(visit.page.main_frame, address(), "style_profile")
    submit(visit.page.main_frame)

    expect(visit.page.locator(".code code")).to_have_text("STIJLVRIJ")
    expect(visit.page.locator(".board-words")).to_have_text("Kustlicht")


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_played_in_every_shape_in_a_shop(
    stage: Stage, shaped: dict[str, str], shape: str
) -> None:
    """Across two origins, from the opening to the result."""
    page = stage.page
    stage.go(shaped[shape], body="<main><h1>Shop</h1></main>")
    if shape not in {"inline", "tab"}:
        page.evaluate("jawoord('event', 'now')")
    if shape in {"bar", "tab"}:
        page.locator(f"jawoord-widget {'.ask' if shape == 'bar' else '.tab'}").click()
    game = Visit(stage.demo, page).frame()

    to_the_terms(game)
    say_adult(game)
    accept_terms(game)
    submit(game, "[data-send]")

    expect(game.locator("h1")).to_have_text("Kustlicht")
    expect(game.locator(".links a").first).to_have_attribute(
        "href", re.compile(re.escape(stage.host.origin))
    )
    reached = "document.documentElement.scrollHeight - innerHeight"
    if shape == "inline":
        rest(game)
        assert game.evaluate(reached) <= 0


def test_a_range_of_a_slider_is_a_branch(visit: Visit, ranged: str) -> None:
    """The page and the server go the same way."""
    page = visit.page
    visit.straight(ranged, lang="nl")
    answer(page, "[value=sofa]")
    expect(page.locator("[data-forward]")).to_be_visible()

    page.locator("[type=range]:visible").fill("3")
    expect(page.locator("[data-forward]")).to_be_hidden()
    with page.expect_response(re.compile("/entries$")) as sent:
        page.locator("[data-send]").click()

    assert sent.value.status == 200
    expect(page.locator("h1")).to_have_text("Warm nest")
    expect(page.locator("#found")).to_be_visible()


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
    place = page.locator("fieldset:visible")
    expect(place).to_have_attribute("aria-invalid", "true")
    page.locator("[value=city]").check()
    expect(page.locator(".fault")).to_have_count(0)
    expect(place).not_to_have_attribute("aria-invalid", "true")


def test_what_the_server_misses_is_where_the_visitor_is_led(visit: Visit) -> None:
    """SC 3.3.1: on the last page, with every answer still there."""
    page = visit.page
    visit.straight(PAGE, lang="nl")
    to_the_terms(page.main_frame)
    say_adult(page.main_frame)

    submit(page.main_frame, "[data-send]")

    expect(page.locator("[name=terms]")).to_be_focused()
    expect(page.locator(".progress p")).to_have_text("Vraag 5 van 5")
    for _ in range(3):
        page.locator("[data-back]").click()
    expect(page.locator("[name='quiz.colours.blue']")).to_be_checked()


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
