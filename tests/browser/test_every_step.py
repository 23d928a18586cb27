"""Axe finds nothing at any step of any game, by day and by night, in both languages.

A shape is only the holder around the same frame: each step is asked here once, without
a holder, and each game once in each of its holders in `test_games`.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import waiting
from tests.browser.shop import Demo
from tests.browser.test_access import NARROW, faults
from tests.browser.test_fair_play import SEND
from tests.browser.test_quiz import PAGE as QUIZ
from tests.browser.test_quiz import finish
from tests.browser.test_quiz_access import MOVING, each_page
from tests.browser.test_wheel_access import while_it_turns
from tests.browser.visit import (
    accept_terms,
    address,
    fill_person,
    new_visitor,
    reveal,
    say_adult,
    stop_wheel,
    submit,
    until,
)
from tests.factories import campaign_tables

SCHEMES = ("light", "dark")
LANGUAGES = ("nl", "en")
DAY = timedelta(days=1)
TURNING = "turning"
# What is pressed or filled in and cannot be told from the ground: no border is drawn.
EDGELESS = """() => [...document.querySelectorAll('button, textarea, select, input')]
  .filter(each => each.checkVisibility({ visibilityProperty: true }))
  .filter(each => !/hidden|range|radio|checkbox/.test(each.type))
  .filter(each => {
    const { borderTopStyle, borderTopWidth } = getComputedStyle(each)
    return borderTopStyle === 'none' || parseFloat(borderTopWidth) < 1
  }).map(each => 'without an edge: ' + each.outerHTML.slice(0, 80))"""
SAY_YES = "[name^='consent.']"


def unfold(page: Page) -> None:
    """Open every notice, every reason and the conditions."""
    for summary in page.locator("summary").locator("visible=true").all():
        summary.click()


def agree(page: Page) -> None:
    say_adult(page.main_frame)
    accept_terms(page.main_frame)


def claim(page: Page) -> Iterator[str]:
    game = page.main_frame
    unfold(page)
    yield "claim"
    fill_person(game, "nobody")
    submit(game)
    yield "claim with a fault"
    fill_person(game, address())
    game.locator(SAY_YES).first.check()
    submit(game)
    expect(game.locator("#prize .code")).to_be_visible()
    yield "done"


def ask(page: Page) -> Iterator[str]:
    unfold(page)
    yield "ask"
    submit(page.main_frame)
    yield "ask with faults"
    agree(page)


def scratch(page: Page) -> Iterator[str]:
    yield from ask(page)
    submit(page.main_frame)
    yield "foil"
    reveal(page.main_frame)
    yield from claim(page)


def wheel(page: Page) -> Iterator[str]:
    yield from ask(page)
    # A calm wheel does not turn.
    page.emulate_media(reduced_motion="no-preference")
    submit(page.main_frame)
    expect(page.locator("#wheel[data-prize]")).to_be_attached()
    yield TURNING
    stop_wheel(page.main_frame)
    page.emulate_media(reduced_motion="reduce")
    yield from claim(page)


def form_first(page: Page) -> Iterator[str]:
    game = page.main_frame
    yield from ask(page)
    fill_person(game, address())
    game.locator(SAY_YES).first.check()
    submit(game)
    yield "play"
    reveal(game)
    yield "revealed"


def newsletter(page: Page) -> Iterator[str]:
    game = page.main_frame
    yield "folded"
    game.locator("[name=email]").focus()
    unfold(page)
    yield "unfolded"
    submit(game)
    yield "with faults"
    fill_person(game, address())
    game.locator(SAY_YES).first.check()
    submit(game)
    expect(game.locator("#next")).to_be_visible()
    yield "done"


def waiting_list(page: Page) -> Iterator[str]:
    game = page.main_frame
    yield "first page"
    game.locator("[data-forward]").click()
    game.locator("[name=postcode]").fill("nowhere")
    yield "second page"
    game.locator("[data-forward]").click()
    unfold(page)
    yield "last page"
    submit(game)
    yield "a page with a fault"
    game.locator("[name=postcode]").fill("1234 ab")
    game.locator("[data-forward]").click()
    yield "last page with faults"
    fill_person(game, address())
    game.locator(SAY_YES).first.check()
    submit(game)
    expect(game.locator("#next")).to_be_visible()
    yield "done"


def raffle(page: Page) -> Iterator[str]:
    yield from ask(page)
    fill_person(page.main_frame, address())
    yield "filled in"
    submit(page.main_frame)
    expect(page.main_frame.locator(".raffle")).to_be_visible()
    yield "done"


# A placement of the demo, and the way through its game.
WAYS: dict[str, Callable[[Page], Iterator[str]]] = {
    "welcome-wheel-inline": wheel,
    "lucky-inline": scratch,
    "welcome-inline": form_first,
    QUIZ: lambda page: each_page(page.main_frame),
    "footer-newsletter-inline": newsletter,
    # With the extra question of a second visit.
    "footer-newsletter-inline?asked=interests": newsletter,
    "black-friday-page": waiting_list,
    "summer-raffle-page": raffle,
}


def way(demo: Demo, code: str, language: str) -> str:
    """Return the address at which a way begins."""
    joint = "&" if "?" in code else "?"
    return f"{demo.service}/w/{code}{joint}lang={language}"


def in_both_shades(page: Page, step: str = "") -> list[str]:
    """Return what axe finds in a page by day and by night."""
    look = while_it_turns if step == TURNING else faults
    found = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}: {fault}" for fault in look(page.main_frame)]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", WAYS)
def test_axe_finds_nothing_on_the_way(
    browser: Browser, demo: Demo, code: str, language: str
) -> None:
    """AX-02, AX-05: ask, faults, play, outcome, claim and end."""
    found: dict[str, list[str]] = {}
    # Calm, because what fades in has no contrast yet.
    for context in new_visitor(browser, reduced_motion="reduce"):
        page = context.new_page()
        page.goto(way(demo, code, language))
        for step in WAYS[code](page):
            found[step] = in_both_shades(page, step)
    assert len(found) >= 4
    assert {step: said for step, said in found.items() if said} == {}


@pytest.mark.parametrize("code", WAYS)
def test_the_way_can_be_gone_calm_large_and_in_forced_colours(
    browser: Browser, demo: Demo, code: str
) -> None:
    """AX-03, AX-04 (SC 1.4.10, 1.4.4, 1.4.11): all at once, at every step.

    What a page of 640 pixels is at 200%: 320 of them, each twice as large.
    """
    found: dict[str, list[str]] = {}
    for context in new_visitor(
        browser,
        viewport={"width": 320, "height": 640},
        device_scale_factor=2,
        forced_colors="active",
        reduced_motion="reduce",
    ):
        page = context.new_page()
        page.goto(way(demo, code, "nl"))
        turned = False
        for step in WAYS[code](page):
            if step == TURNING:
                turned = True
                continue
            if turned:
                # The turn was looked at in motion; what it began comes to its end.
                until(page, f"({MOVING})() === 0", limit_ms=2_000)
                turned = False
            found[step] = [
                *page.evaluate(EDGELESS),
                *(["something moves"] * (page.evaluate(MOVING) > 0)),
                *(["too wide"] * (page.evaluate(NARROW) > 0)),
                *faults(page),
            ]
    assert len(found) >= 4
    assert {step: said for step, said in found.items() if said} == {}


@pytest.fixture(scope="module")
def shut(demo: Demo) -> list[str]:
    """A form that did not open yet, and one that is over."""
    now = datetime.now(UTC)
    # Nobody can publish what is over already.
    end = now + timedelta(seconds=10)
    dates = {
        "axe-early": {"starts": now + DAY, "ends": now + 9 * DAY},
        "axe-late": {"starts": now - 9 * DAY, "ends": end},
    }
    for code, between in dates.items():
        tables = campaign_tables("welcome-scratch", code=code, days=None) | between
        tables["placements"] = [{"code": code, "shape": "inline"}]
        demo.load("campaign", tables)
    waiting.until(lambda: datetime.now(UTC) > end, within_s=30)
    return list(dates)


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_where_the_way_ends(
    browser: Browser, demo: Demo, shut: list[str], language: str
) -> None:
    """AX-05: a minor, a play made twice, not open, over, terms, no game, no claim."""
    found: dict[str, list[str]] = {}
    for context in new_visitor(browser, reduced_motion="reduce"):
        page = context.new_page()
        for code in ("welcome-wheel-inline", "lucky-inline"):
            page.goto(f"{demo.service}/w/{code}?lang={language}")
            say_adult(page.main_frame, yes=False)
            submit(page.main_frame)
            found[f"{code}, a minor"] = in_both_shades(page)
        page.goto(f"{demo.service}/w/lucky-inline?lang={language}")
        answers = {"adult": "yes", "terms": "yes", "seed": "0" * 32}
        assert page.evaluate(SEND, [answers])[0] == 200
        agree(page)
        with page.expect_response(re.compile("/entries$")) as again:
            page.locator("form button.main").click()
        assert again.value.status == 409
        expect(page.locator("main.message a.main")).to_be_visible()
        found["made twice"] = in_both_shades(page)
        for path in (*(f"w/{code}" for code in shut), "terms/lucky-inline", "w/none"):
            page.goto(f"{demo.service}/{path}?lang={language}")
            found[path] = in_both_shades(page)
        page.goto(f"{demo.service}/w/{QUIZ}?lang={language}")
        finish(page)
        page.locator("[data-skip]").click()
        found["only the result"] = in_both_shades(page)
    assert len(found) == 8
    assert {place: said for place, said in found.items() if said} == {}
