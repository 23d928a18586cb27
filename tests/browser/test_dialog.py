"""The dialog over a shop's page: it comes once, goes when asked, and leaves no trap."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visit import Visit, until

# The demo's dialog opens by itself after four seconds.
DELAY_MS = 4_000
# A browser's own bar is part of the round: there the page has no focus at all.
NOT_BENEATH = "document.activeElement.matches('body, jawoord-widget')"
ON_THE_BUTTON = "document.activeElement.shadowRoot?.activeElement?.matches('.close')"


def close_by_escape(visit: Visit) -> None:
    visit.page.keyboard.press("Escape")


def close_by_button(visit: Visit) -> None:
    visit.close_button.click()


@pytest.mark.parametrize("close", [close_by_escape, close_by_button])
def test_closing_gives_the_focus_back_to_what_opened_it(visit: Visit, close) -> None:
    """AX-04, CR-12."""
    visit.shop().open()
    assert _holds_focus(visit.page)

    close(visit)

    expect(visit.dialog).to_be_hidden()
    expect(visit.opener).to_be_focused()


IN_SIGHT = """e => {
  const { left, top, right, bottom } = e.getBoundingClientRect()
  const at = document.elementFromPoint((left + right) / 2, (top + bottom) / 2)
  return left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight
    && e.parentElement.contains(at)
}"""


def test_on_a_phone_on_its_side_the_game_begins_in_sight_and_all_is_reached(
    visit: Visit,
) -> None:
    """Beside the card, not below it; nothing lies under the close button."""
    visit.page.set_viewport_size({"width": 740, "height": 360})
    game = visit.shop().open()

    for what in ("#card", "h1", "[name=adult]"):
        assert game.locator(what).first.evaluate(IN_SIGHT), what
    for what in ("[name=terms]", "form button.main"):
        game.locator(what).scroll_into_view_if_needed()
        assert game.locator(what).evaluate(IN_SIGHT), what
    # The card stays where it is, so that a press shows at once what it does.
    assert game.locator("#card").evaluate(IN_SIGHT)
    assert game.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_escape_closes_it_from_within_the_game(visit: Visit) -> None:
    """AX-04: the frame is another site, which the browser's own Esc does not reach."""
    game = visit.shop().open()
    game.locator("[name=terms]").focus()

    visit.page.keyboard.press("Escape")

    expect(visit.dialog).to_be_hidden()
    expect(visit.opener).to_be_focused()


@pytest.mark.parametrize("key", ["Tab", "Shift+Tab"])
def test_tab_stays_in_the_dialog(visit: Visit, key: str) -> None:
    """AX-04: whole rounds, over the button and through the game; never the shop
    beneath, nor the other frame of ours that stands in its foot.
    """
    page = visit.shop().page
    letter = page.locator("footer iframe")
    letter.scroll_into_view_if_needed()
    footer = letter.element_handle().content_frame()
    footer.wait_for_selector("[name=email]")
    game = visit.open()
    game.wait_for_selector("[name=terms]")
    on_the_button, in_the_game = [], []

    for _ in range(40):
        page.keyboard.press(key)
        assert page.evaluate(NOT_BENEATH)
        assert not footer.evaluate("document.hasFocus()")
        on_the_button.append(bool(page.evaluate(ON_THE_BUTTON)))
        in_the_game.append(bool(game.evaluate("document.hasFocus()")))

    assert on_the_button.count(True) >= 2
    assert in_the_game.count(True) >= 20


def test_once_closed_it_stays_closed_but_for_the_visitors_own_wish(
    visit: Visit,
) -> None:
    """CR-12: not on this page, not after a reload, not on another page."""
    page = visit.page
    visit.shop().open()
    depth = page.evaluate("history.length")
    close_by_escape(visit)
    until(page, "sessionStorage.length")

    for path in ("", "category/wonen", ""):
        visit.shop(path)
        if not path:
            page.wait_for_timeout(DELAY_MS + 1_500)
        expect(visit.dialog).to_have_count(0)
    assert visit.open()
    close_by_button(visit)

    # Three pages more, and nothing of ours.
    assert page.evaluate("history.length") == depth + 2
    page.go_back()
    assert page.url == visit.demo.shop("category/wonen")


def test_it_opens_by_itself_after_a_while_and_takes_no_history(visit: Visit) -> None:
    """CR-12: the back button leads out of the page, as if nothing had opened."""
    page = visit.page
    page.goto(visit.demo.shop("how"))
    visit.shop()
    depth = page.evaluate("history.length")

    expect(visit.dialog).to_be_visible(timeout=DELAY_MS + 4_000)
    visit.frame()

    expect(visit.close_button).to_be_visible()
    assert page.evaluate("history.length") == depth
    page.go_back()
    assert page.url == visit.demo.shop("how")


def _holds_focus(page: Page) -> bool:
    return bool(page.evaluate("document.activeElement?.matches('jawoord-widget')"))
