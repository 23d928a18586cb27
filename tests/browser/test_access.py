"""Anybody can play: read aloud, calm, narrow, large, in light and dark (AX-01..05)."""

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from server.showroom import MEMBERS, PASSWORD
from tests.browser.shop import Demo
from tests.browser.visit import (
    Visit,
    accept_terms,
    address,
    fill_person,
    hold_wheel,
    new_visitor,
    play,
    reveal,
    say_adult,
    scratch,
    spoken,
    submit,
)
from tests.servers import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
# Animations end first: a text that fades in has no contrast yet.
CHECK = """async () => {
  await Promise.all(document.getAnimations()
    .filter(each => each.effect.getComputedTiming().iterations !== Infinity)
    .map(each => each.finished.catch(() => {})))
  const found = await axe.run(document, { iframes: false })
  return found.violations.map(each => each.id + ': '
    + each.nodes.map(node => node.target.join(' ') + ' '
      + node.any.map(check => check.message).join('; ')).join(' | '))
}"""
# Notes the longest that the page lets anybody wait, in motion or by a clock.
NOTE_WAITS = """window.waits = 0
const note = (ms) => { window.waits = Math.max(window.waits, Number(ms) || 0) }
const all = () => document.getAnimations()
  .forEach(each => note(each.effect.getComputedTiming().endTime))
addEventListener('transitionrun', all, true)
addEventListener('animationstart', all, true)
const { setTimeout } = window
window.setTimeout = (act, ms, ...rest) => {
  note(ms)
  return setTimeout(act, ms, ...rest)
}
const { animate } = Element.prototype
Element.prototype.animate = function (...how) {
  const made = animate.apply(this, how)
  note(made.effect.getComputedTiming().endTime)
  return made
}"""
CALM_MS = 600
NARROW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def faults(place: Page | Frame) -> list[str]:
    """Return what axe finds wrong in a page or frame."""
    if not place.evaluate("'axe' in window"):
        place.evaluate(_axe())
    found: list[str] = place.evaluate(CHECK)
    return found


def _axe() -> str:
    return AXE.read_text()


# --- the outcome -------------------------------------------------------------------


def test_the_outcome_is_read_aloud_once_it_shows(visit: Visit) -> None:
    """AX-02: not before, and in the words that are on the screen."""
    game = visit.straight("lucky-inline")
    region = spoken(game)
    assert region.count() == 1
    play(game)
    expect(region).to_have_text("")

    scratch(game)

    expect(game.locator("[data-reveal]")).to_be_hidden()
    outcome = game.locator("h1").inner_text()
    expect(region).to_have_text(outcome)
    assert game.locator(".result-label").inner_text() in outcome


def test_under_the_foil_nothing_is_read(visit: Visit) -> None:
    """AX-02: who listens waits as long as who looks."""
    game = visit.straight("lucky-inline")
    play(game)
    under = game.locator(".result-label").text_content()

    tree = visit.page.context.new_cdp_session(visit.page).send(
        "Accessibility.getFullAXTree"
    )
    heard = [
        node.get("name", {}).get("value", "")
        for node in tree["nodes"]
        if not node["ignored"]
    ]

    assert game.locator("h1").inner_text() in heard
    assert not any(str(under) in each for each in heard)
    expect(game.locator("[data-reveal]")).to_be_visible()


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("code", ["welcome-wheel-inline", "box-scratch-page"])
def test_no_paper_falls_on_what_is_to_be_read_and_filled_in(
    browser: Browser, demo: Demo, code: str, width: int
) -> None:
    """SC 2.2.2: it stays over the play, and the claim below it is clear."""
    for context in new_visitor(browser, viewport={"width": width, "height": 640}):
        page = context.new_page()
        if "wheel" in code:
            hold_wheel(page)
        game = Visit(demo, page).straight(code)
        say_adult(game)
        accept_terms(game)
        submit(game)
        game.locator("[data-reveal]").press("Enter")
        paper = game.locator("canvas.dust")
        expect(paper).to_be_visible()

        over, below = paper.bounding_box(), game.locator(".body").bounding_box()

        assert over and below
        assert over["y"] + over["height"] <= below["y"] + 1


def test_who_wants_calm_sees_it_at_once(browser: Browser, demo: Demo) -> None:
    """AX-03: nothing takes over 0.6 seconds, and no dust, paper or moving card."""
    for context in new_visitor(browser, reduced_motion="reduce"):
        page = context.new_page()
        page.add_init_script(NOTE_WAITS)
        game = Visit(demo, page).straight("lucky-inline")
        play(game)

        game.evaluate("window.waits = 0")
        game.locator("[data-reveal]").click()
        expect(game.locator("canvas")).to_have_count(0)
        expect(game.locator(".result")).to_be_visible()

        assert game.evaluate("window.waits") <= CALM_MS
        running = game.evaluate(
            "document.getAnimations().filter(a => a.playState === 'running')"
            ".filter(a => a.effect.getComputedTiming().duration > 10).length"
        )
        assert running == 0


# --- narrow and large --------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "ratio"),
    [((320, 640), 1), ((640, 360), 2)],
    ids=["320 px", "1280 px at 200%"],
)
@pytest.mark.parametrize("path", ["", "product/mok-branding", "done", "basket"])
def test_nothing_needs_scrolling_sideways(
    browser: Browser, demo: Demo, path: str, size: tuple[int, int], ratio: int
) -> None:
    """SC 1.4.10 and 1.4.4, on the shop's page and in the game."""
    width, height = size
    for context in new_visitor(
        browser,
        viewport={"width": width, "height": height},
        device_scale_factor=ratio,
    ):
        visit = Visit(demo, context.new_page())
        visit.page.goto(demo.shop(path))
        visit.page.wait_for_load_state("networkidle")
        assert visit.page.evaluate(NARROW) <= 0
        if path == "basket":
            continue
        game = visit.frame() if path else visit.open()
        assert game.evaluate(NARROW) <= 0
        if path != "done":
            play(game)
            reveal(game)
            game.locator("#notice summary").click()
            assert game.evaluate(NARROW) <= 0


# --- axe ---------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_around_the_game(
    browser: Browser, demo: Demo, scheme: str
) -> None:
    """The shop with the dialog open, the game in both shapes, links and office."""
    found: dict[str, list[str]] = {}
    email = address()
    for context in new_visitor(browser, color_scheme=scheme):
        page = context.new_page()
        visit = Visit(demo, page)
        game = visit.shop().open()
        page.wait_for_timeout(600)
        found["shop with a dialog"] = faults(page)
        found["game in a dialog"] = faults(game)
        found["form in the page"] = faults(visit.shop("done").frame())
        found["order done"] = faults(page)
        game = visit.straight("welcome-inline")
        fill_person(game, email, "newsletter")
        say_adult(game)
        accept_terms(game)
        submit(game)
        confirm = visit.mails(email)["confirm"]
        found["inbox"] = faults(page)
        mail = visit.read_mail(confirm)
        found["mail"] = _in_mail(mail)
        link = mail.locator("a[href*='/confirm/']").first.get_attribute("href")
        page.goto(str(link))
        found["confirm"] = faults(page)
        visit.press()
        found["confirmed"] = faults(page)
        page.goto(str(link))
        found["already confirmed"] = faults(page)
        page.goto(f"{demo.service}/confirm/x")
        found["unknown link"] = faults(page)
        page.goto(f"{demo.service}/w/nowhere")
        found["unknown game"] = faults(page)
        page.goto(f"{demo.service}/office/sign-in")
        found["sign-in"] = faults(page)
        page.locator("[name=email]").fill(MEMBERS[0][0])
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("button.primary").click()
        page.wait_for_url("**/office/demo/")
        found["campaigns"] = faults(page)
        for room in ("entries", "outbox", "campaigns/lucky-scratch"):
            page.goto(f"{demo.service}/office/demo/{room}")
            found[room] = faults(page)
    assert {step: list_ for step, list_ in found.items() if list_} == {}


def _in_mail(mail: Page | Frame) -> list[str]:
    """Return the faults of a mail; its sandbox refuses axe, so its parts are asked."""
    assert mail.locator("html").get_attribute("lang")
    return [
        f"{image} has no text instead" for image in mail.locator("img:not([alt])").all()
    ]
