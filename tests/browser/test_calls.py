"""What the shop's page says to the loader, and a page that swaps itself or forbids."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stage import GRACE_MS, TALL, Stage

QUEUE = "<script>window.jawoord = window.jawoord || []; jawoord.push({calls})</script>"
NO_NAVIGATION = "Object.defineProperty(window, 'navigation', { value: undefined })"
NO_STORAGE = """for (const name of ['sessionStorage', 'localStorage'])
  Object.defineProperty(window, name, {
    get() { throw new DOMException('refused', 'SecurityError') } })"""
# Where the loader looks again after the page said that it moved.
FOLLOWED_MS = 700


def swap(page: Page, path: str) -> None:
    """Go to another page of the shop without loading it."""
    page.evaluate("path => history.pushState({}, '', path)", path)
    page.wait_for_timeout(FOLLOWED_MS)


# --- open, close -------------------------------------------------------------------


@pytest.mark.parametrize("named", [True, False])
def test_what_was_called_for_before_the_rule_came_opens(
    stage: Stage, named: bool
) -> None:
    code = stage.place(trigger={"selector": "#none"})
    calls = f"['open', '{code}']" if named else "['open']"

    stage.go(code, body=QUEUE.format(calls=calls) + TALL)

    assert stage.is_open()


def test_a_name_that_is_not_there_opens_nothing_else(stage: Stage) -> None:
    code = stage.place(trigger={"selector": "#none"})
    stage.go(code)

    stage.page.evaluate("jawoord('open', 'another')")

    assert not stage.is_open()


def test_to_open_what_stands_in_the_page_is_to_go_there(stage: Stage) -> None:
    code = stage.place("inline")
    stage.go(code)
    slot = stage.page.locator("jawoord-widget")
    expect(slot).not_to_be_in_viewport()

    stage.page.evaluate("code => jawoord('open', code)", code)

    expect(slot).to_be_in_viewport()


def test_a_bar_is_closed_by_call_and_by_escape(stage: Stage) -> None:
    """CR-12, AX-04: the focus goes back to where it was before it came into the bar."""
    page = stage.page
    one, two = stage.place("bar"), stage.place("bar")
    stage.go(one)
    bar = page.locator("jawoord-widget .bar")
    expect(bar).to_be_visible()
    page.evaluate("jawoord('close')")
    expect(bar).to_be_hidden()
    assert page.evaluate("code => sessionStorage['jawoord.' + code]", one) == "closed"

    stage.go(two)
    expect(bar).to_be_visible()
    page.locator("#far").focus()
    bar.locator(".close").focus()
    page.keyboard.press("Escape")

    expect(bar).to_be_hidden()
    expect(page.locator("#far")).to_be_focused()


def test_the_dialog_of_a_bar_gives_the_focus_back_to_the_page(stage: Stage) -> None:
    """AX-04: the button that opened it is gone by then."""
    page = stage.page
    stage.go(stage.place("bar"))
    ask = page.locator("jawoord-widget .bar .ask")
    expect(ask).to_be_visible()
    page.locator("#far").focus()
    ask.focus()
    page.keyboard.press("Enter")
    expect(page.locator("jawoord-widget dialog")).to_be_visible()

    page.keyboard.press("Escape")

    expect(page.locator("#far")).to_be_focused()


# --- a page that swaps itself ------------------------------------------------------


@pytest.mark.parametrize("fallback", [False, True])
def test_pages_that_are_swapped_in_are_counted(stage: Stage, fallback: bool) -> None:
    """By the navigation API, or by looking where there is none."""
    if fallback:
        stage.page.add_init_script(NO_NAVIGATION)
    stage.go(stage.place(trigger={"views": {"least": 3}}))
    swap(stage.page, "/opening/2")
    assert not stage.is_open()

    swap(stage.page, "/opening/3")

    assert stage.is_open()


def test_a_jump_within_the_page_is_no_other_page(stage: Stage) -> None:
    stage.go(stage.place(trigger={"views": {"least": 2}}))
    for place in ("#end", "#top", "#end"):
        stage.page.evaluate("place => { location.hash = place }", place)
        stage.page.wait_for_timeout(FOLLOWED_MS)
    assert not stage.is_open()

    stage.page.evaluate("location.hash = '#/product/2'")
    stage.page.wait_for_timeout(FOLLOWED_MS)

    assert stage.is_open()


@pytest.mark.parametrize(("shape", "part"), [("tab", "button.tab"), ("bar", ".bar")])
def test_what_waits_goes_away_in_a_checkout_and_comes_back_after(
    stage: Stage, shape: str, part: str
) -> None:
    stage.go(stage.place(shape))
    waiting = stage.page.locator(f"jawoord-widget {part}")
    expect(waiting).to_be_visible()

    swap(stage.page, "/checkout/pay")
    expect(waiting).to_be_hidden()
    swap(stage.page, "/opening/again")

    expect(waiting).to_be_visible()


def test_a_slide_in_goes_away_in_what_calls_itself_a_checkout(stage: Stage) -> None:
    page = stage.page
    stage.go(stage.place("slide", trigger={"event": "now"}))
    page.evaluate("jawoord('event', 'now')")
    assert stage.is_open()

    page.evaluate("jawoord('view', 'checkout')")

    expect(page.locator("jawoord-widget .slide")).to_be_hidden()


# --- restraint from page to page ---------------------------------------------------


def test_who_closed_one_is_not_asked_by_another_on_the_next_page(stage: Stage) -> None:
    """CR-08: no second ask after a refusal in the session."""
    one = stage.place(trigger={"event": "one"})
    two = stage.place(trigger={"event": "two", "selector": "h1"})
    stage.go(one, path="/one")
    stage.page.evaluate("jawoord('event', 'one')")
    assert stage.is_open()
    stage.page.keyboard.press("Escape")

    stage.go(two, path="/two")
    stage.page.evaluate("jawoord('event', 'two')")
    assert not stage.is_open()
    stage.page.locator("h1").click()

    assert stage.is_open()


def test_who_came_by_mail_is_not_asked_on_the_next_page_either(stage: Stage) -> None:
    """CR-08: the page before is all that may be known without keeping anything."""
    code = stage.place(trigger={"delay_seconds": 0})
    stage.host.put("/next", TALL + stage.tag(code))
    stage.go(code, path="/shoes?utm_medium=email", body="<a href=/next>On</a>")
    assert not stage.is_open()

    stage.page.locator("a").click()
    stage.page.wait_for_url("**/next")
    stage.page.wait_for_timeout(FOLLOWED_MS)

    assert not stage.is_open()
    assert stage.page.evaluate("sessionStorage.length") == 0


# --- pages that forbid -------------------------------------------------------------


def test_where_storage_is_refused_the_page_itself_remembers(stage: Stage) -> None:
    """EM-02: it opens, it closes, and it stays closed on this page."""
    stage.page.add_init_script(NO_STORAGE)
    stage.go(stage.place(trigger={"event": "now", "selector": "h1"}))
    stage.page.evaluate("jawoord('event', 'now')")
    assert stage.is_open()
    stage.page.keyboard.press("Escape")

    stage.page.evaluate("jawoord('event', 'now')")
    assert not stage.is_open()
    stage.page.locator("h1").click()

    assert stage.is_open()


def test_a_tag_manager_may_put_the_tag_anywhere_and_again(stage: Stage) -> None:
    """There is no `document.currentScript`, and the tag may come twice."""
    one, two = stage.place("tab"), stage.place(trigger={"selector": "h1"})
    stage.page.goto(stage.host.put("/managed", TALL))
    add = """([address, code]) => new Promise(done => {
      const tag = document.createElement('script')
      tag.async = true
      tag.src = address
      tag.dataset.placement = code
      tag.onload = done
      document.head.append(tag)
    })"""
    address = f"{stage.demo.service}/embed.js"
    for code in (one, two, two):
        stage.page.evaluate(add, [address, code])
    expect(stage.page.locator("jawoord-widget button.tab")).to_have_count(1)

    stage.page.locator("h1").click()
    stage.page.wait_for_timeout(GRACE_MS)

    expect(stage.page.locator("jawoord-widget dialog:modal")).to_have_count(1)


def test_a_page_in_a_sandbox_shows_the_game(stage: Stage) -> None:
    """With what the documentation names, and nothing more."""
    code = stage.place("inline")
    inner = stage.host.put("/sandboxed", "<h1>Shop</h1>" + stage.tag(code))
    rights = "allow-scripts allow-forms allow-same-origin allow-popups"
    outer = f"<iframe id=box sandbox='{rights}' src='{inner}' height=800></iframe>"
    stage.page.goto(stage.host.put("/around", outer))

    box = stage.page.frame_locator("#box")
    game = box.frame_locator("jawoord-widget iframe")

    expect(game.locator("h1")).to_be_visible()
