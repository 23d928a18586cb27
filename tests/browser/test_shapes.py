"""The shapes of a placement, and the calls and events of the shop's page."""

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.host import Host
from tests.browser.shop import Demo
from tests.browser.stage import TALL, Stage
from tests.browser.test_access import faults
from tests.browser.test_embedding import JUMPS, MOST_JUMP
from tests.browser.visit import (
    accept_terms,
    fill_person,
    new_visitor,
    say_adult,
    submit,
    until,
)

PARTS = {"slide": ".slide", "bar": ".bar", "tab": ".tab", "dialog": ".panel"}

# --- shapes ------------------------------------------------------------------------


@pytest.mark.parametrize("width", [320, 1_280])
def test_a_slide_in_leaves_the_page_to_the_visitor(stage: Stage, width: int) -> None:
    """CR-12, AX-04: it takes no focus, and its close button is there at once."""
    page = stage.page
    page.set_viewport_size({"width": width, "height": 700})
    code = stage.place("slide", trigger={"event": "now"})
    stage.go(code)
    page.locator("#far").focus()

    page.evaluate("jawoord('event', 'now')")

    assert stage.is_open()
    panel = page.locator("jawoord-widget .slide")
    expect(panel).to_have_attribute("role", "region")
    expect(panel).to_have_attribute("aria-label", "Welkom, kras maar raak")
    expect(panel.locator(".close")).to_be_in_viewport(ratio=1)
    expect(page.locator("#far")).to_be_focused()
    box = panel.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["height"] < 620
    panel.locator(".close").focus()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.locator("#far")).to_be_focused()


def test_a_side_tab_waits_at_the_edge_and_opens_a_dialog(stage: Stage) -> None:
    page = stage.page
    code = stage.place("tab")
    stage.go(code)
    tab = page.locator("jawoord-widget button.tab")
    expect(tab).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0

    tab.focus()
    page.keyboard.press("Enter")

    expect(page.locator("jawoord-widget dialog")).to_be_visible()
    expect(tab).to_be_hidden()
    page.keyboard.press("Escape")
    expect(tab).to_be_visible()
    expect(tab).to_be_focused()


def test_a_bar_can_be_closed_or_opened(stage: Stage) -> None:
    page = stage.page
    code = stage.place("bar", trigger={"event": "now"})
    stage.go(code)
    page.evaluate("jawoord('event', 'now')")
    bar = page.locator("jawoord-widget .bar")
    expect(bar).to_be_visible()
    expect(bar).to_contain_text("Welkom, kras maar raak")

    bar.locator(".ask").click()
    expect(page.locator("jawoord-widget dialog")).to_be_visible()
    page.keyboard.press("Escape")

    expect(bar).to_be_hidden()
    assert page.evaluate("code => sessionStorage['jawoord.' + code]", code) == "closed"


def test_no_shape_moves_the_page(stage: Stage) -> None:
    codes = [
        stage.place("slide", trigger={"event": "slide"}),
        stage.place("bar", trigger={"event": "bar"}),
        stage.place("tab"),
    ]
    stage.go(*codes)
    for name in ("bar", "slide"):
        stage.page.evaluate("name => jawoord('event', name)", name)
        stage.page.wait_for_timeout(600)

    assert stage.page.evaluate(JUMPS) <= MOST_JUMP


# --- the shop's own calls ----------------------------------------------------------


def test_calls_made_before_the_loader_are_kept(stage: Stage) -> None:
    code = stage.place(trigger={"selector": "#none"})
    body = (
        "<script>window.jawoord = window.jawoord || []; window.seen = [];"
        "jawoord.push(['on', 'opened', what => seen.push(what)])</script>"
    )
    stage.go(code, body=body + TALL)

    stage.page.evaluate("code => jawoord('open', code)", code)

    assert stage.is_open()
    seen = stage.page.evaluate("seen")
    assert seen == [{"placement": code, "type": "opened"}]
    stage.page.evaluate("jawoord('close')")
    assert not stage.is_open()


def test_a_callback_that_fails_stops_nothing(
    stage: Stage, context: BrowserContext
) -> None:
    stage.page = context.new_page()
    code = stage.place(trigger={"selector": "h1"})
    stage.go(code)
    stage.page.evaluate("jawoord('on', 'opened', () => { throw new Error('theirs') })")

    stage.page.evaluate("code => jawoord('open', code)", code)

    assert stage.is_open()


def test_what_happens_is_told_and_nothing_about_anybody(stage: Stage) -> None:
    """EM-05: events to document, callback and data layer, without personal data."""
    code = stage.place("inline")
    body = (
        "<script>window.dataLayer = []; window.told = [];"
        "document.addEventListener('jawoord', event => told.push(event.detail))"
        "</script><h1>Shop</h1>"
    )
    stage.go(code, body=body)
    stage.page.locator("jawoord-widget iframe").scroll_into_view_if_needed()
    until(stage.page, "frames.length")
    frame = stage.page.frames[-1]
    frame.wait_for_load_state()
    fill_person(frame, "ada.geheim@huispost.nl", "newsletter", name="Ada")
    say_adult(frame)
    accept_terms(frame)
    submit(frame)
    until(stage.page, "told.some(each => each.type === 'consent')")

    told = stage.page.evaluate("told")
    layer = stage.page.evaluate("dataLayer")
    kinds = [each["type"] for each in told]
    # Whether there is a "won" among them is for the draw to say.
    assert {"shown", "played", "submitted", "consent"} <= set(kinds)
    consent = next(each for each in told if each["type"] == "consent")
    assert consent == {
        "placement": code,
        "type": "consent",
        "purposes": ["newsletter"],
        "state": "requested",
    }
    assert [each["event"] for each in layer] == [f"jawoord_{kind}" for kind in kinds]
    for word in ("ada", "geheim", "huispost", "Ada"):
        assert word not in str(told) + str(layer)


def test_several_placements_share_a_page(stage: Stage) -> None:
    inline, dialog = stage.place("inline"), stage.place(trigger={"selector": "h1"})
    stage.go(inline, dialog)
    expect(stage.page.locator("jawoord-widget > iframe")).to_have_count(1)

    stage.page.locator("h1").click()

    expect(stage.page.locator("jawoord-widget dialog")).to_be_visible()


def test_a_pinned_loader_keeps_its_version(stage: Stage) -> None:
    code = stage.place(trigger={"selector": "h1"})
    rule = stage.demo.get(f"/p/{code}.json")
    version = rule.partition('"frame":"/widget/')[2].partition("/")[0]
    tag = stage.tag(code).replace("/embed.js", f"/widget/{version}/embed.js")
    asked: list[str] = []
    stage.page.on("request", lambda request: asked.append(request.url))
    with stage.page.expect_response(lambda answer: "/p/" in answer.url):
        stage.page.goto(stage.host.put("/pinned", TALL + tag))
    stage.page.wait_for_timeout(200)

    stage.page.locator("h1").click()

    assert stage.is_open()
    assert f"{stage.demo.service}/widget/{version}/frame.js" in asked


# --- for everybody -----------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("shape", ["slide", "bar", "tab", "dialog"])
def test_axe_finds_nothing_in_any_shape(
    demo: Demo, host: Host, browser: Browser, shape: str, scheme: str
) -> None:
    """AX-04: at 320 pixels, where nothing of it may be wider than the page."""
    for context in new_visitor(
        browser,
        color_scheme=scheme,
        reduced_motion="reduce",
        viewport={"width": 320, "height": 640},
    ):
        stage = Stage(demo, host, context.new_page())
        code = stage.place(shape, trigger={"event": "now"})
        sheet = "<style>:root { color-scheme: light dark }</style>"
        stage.go(code, body=f"{sheet}<main><h1>Shop</h1><p>Coffee</p></main>")
        stage.page.evaluate("jawoord('event', 'now')")
        part = stage.page.locator("jawoord-widget").locator(PARTS[shape])
        expect(part).to_be_visible()

        assert faults(stage.page) == []
        box = part.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320
        assert (
            stage.page.evaluate(
                "document.querySelector('jawoord-widget').shadowRoot"
                ".getAnimations().filter(each => each.playState === 'running').length"
            )
            == 0
        )
        if shape != "dialog":
            # Only a dialog may take the whole phone (CR-12).
            assert box["height"] < 0.75 * 640
