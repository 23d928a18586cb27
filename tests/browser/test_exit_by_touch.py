"""What resembles a leave on touch, and what does not, all by a finger on the screen.

There is no pointer that could leave, and the back button is not ours (CR-12).
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.finger import HIGH, LOW, SWING_MS, Finger
from tests.browser.host import Host
from tests.browser.shop import Demo
from tests.browser.stage import TALL, Stage

PHONE = "<meta name=viewport content='width=device-width'>"


@pytest.fixture
def touch(demo: Demo, host: Host, browser: Browser, exit_code: str) -> Iterator[Stage]:
    """The same shop on a phone, just opened."""
    context = browser.new_context(
        locale="nl-NL",
        viewport={"width": 390, "height": 700},
        has_touch=True,
        is_mobile=True,
    )
    stage = Stage(demo, host, context.new_page())
    stage.go(exit_code, body=PHONE + TALL)
    yield stage
    context.close()


@pytest.fixture
def finger(touch: Stage) -> Finger:
    """The finger on it."""
    return Finger(touch.page)


def test_a_flick_up_after_reading_down_is_a_leave(touch: Stage, finger: Finger) -> None:
    finger.read_down()
    assert touch.page.evaluate("scrollY") > 1_000
    assert not touch.is_open()

    finger.flick_up()

    assert touch.is_open()


def test_it_asks_once_only(touch: Stage, finger: Finger) -> None:
    """CR-12."""
    finger.read_down()
    finger.flick_up()
    assert touch.is_open()
    touch.page.locator("jawoord-widget .close").tap()
    assert not touch.is_open()

    finger.read_down()
    finger.flick_up()

    assert not touch.is_open()


def _tap(touch: Stage, finger: Finger) -> None:
    finger.read_down()
    touch.page.touchscreen.tap(200, 20)


def _slow_scroll(touch: Stage, finger: Finger) -> None:
    finger.read_down()
    for _ in range(2):
        finger.drag(HIGH, LOW, steps=30, pause=50)


def _anchor(touch: Stage, finger: Finger) -> None:
    """Tapped while the page has only just stood still."""
    touch.page.evaluate(
        """() => {
          const up = document.createElement('a')
          up.href = '#top'
          up.textContent = 'Up'
          up.style.cssText = 'position:fixed;left:10px;bottom:10px;padding:20px'
          document.body.append(up)
        }"""
    )
    finger.read_down()
    # A tap on a page that still moves does no more than stop it; then there is another.
    for _ in range(10):
        touch.page.wait_for_timeout(400)
        touch.page.touchscreen.tap(30, 670)
        touch.page.wait_for_timeout(100)
        if touch.page.evaluate("scrollY") == 0:
            return
    raise AssertionError("the anchor was never reached")


def _pull_to_refresh(touch: Stage, finger: Finger) -> None:
    finger.drag(HIGH, LOW, steps=10)


def _short_read(touch: Stage, finger: Finger) -> None:
    # Slow enough to throw nothing, however slow the machine is.
    finger.drag(LOW, 200, steps=14, pause=60)
    touch.page.wait_for_timeout(SWING_MS)
    finger.flick_up()


def _rotate(touch: Stage, finger: Finger) -> None:
    finger.read_down()
    touch.page.wait_for_timeout(SWING_MS)
    touch.page.set_viewport_size({"width": 700, "height": 390})


def _soft_keyboard(touch: Stage, finger: Finger) -> None:
    touch.page.evaluate(
        """() => {
          const field = document.createElement('textarea')
          field.style.cssText = 'position:fixed;left:10px;bottom:10px'
          document.body.append(field)
        }"""
    )
    finger.read_down()
    touch.page.touchscreen.tap(30, 670)
    touch.page.set_viewport_size({"width": 390, "height": 350})


@pytest.mark.parametrize(
    "act",
    [
        *(_tap, _slow_scroll, _anchor, _pull_to_refresh, _short_read, _rotate),
        _soft_keyboard,
    ],
)
def test_what_is_no_flick_stays_quiet(
    touch: Stage, finger: Finger, act: Callable[[Stage, Finger], None]
) -> None:
    act(touch, finger)

    assert not touch.is_open()


def _away(page: Page, seconds: int) -> None:
    """Hide the page and show it again, without waiting for real."""
    page.evaluate(
        """seconds => {
          const real = Date.now
          const turn = hidden => {
            const now = { value: hidden, configurable: true }
            Object.defineProperty(document, 'hidden', now)
            document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))
          }
          turn(true)
          Date.now = () => real() + seconds * 1000
          turn(false)
          Date.now = real
        }""",
        seconds,
    )


@pytest.mark.parametrize(("seconds", "opens"), [(20, True), (5, False)])
def test_who_comes_back_after_a_while_is_asked(
    touch: Stage, seconds: int, opens: bool
) -> None:
    _away(touch.page, seconds)

    assert touch.is_open() is opens


def test_an_idle_phone_asks_once_but_not_while_a_field_is_in_use(
    touch: Stage, exit_code: str
) -> None:
    touch.page.clock.install()
    touch.go(exit_code, body=PHONE + "<input><h1>Shop</h1>")
    touch.page.locator("input").focus()
    touch.page.clock.run_for(25_000)
    assert touch.box.locator("visible=true").count() == 0

    touch.page.locator("input").blur()
    touch.page.clock.run_for(21_000)

    expect(touch.box.first).to_be_visible()
    touch.page.locator("jawoord-widget .close").tap()
    touch.page.clock.run_for(60_000)
    assert touch.box.locator("visible=true").count() == 0
