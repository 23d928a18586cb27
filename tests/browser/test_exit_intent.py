"""Exit intent: every case of what is a leave and what is not, by mouse and by touch.

The pages are the tests' own, on an origin of their own; the service is the demo's.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.host import Host
from tests.browser.shop import Demo
from tests.browser.stage import ARMED_MS, Stage, out
from tests.factories import campaign_tables


@pytest.fixture(scope="module")
def exit_code(demo: Demo, host: Host) -> str:
    """A dialog that opens on exit intent, for many tests."""
    code = "opening-exit"
    tables = campaign_tables("welcome-scratch", code=code, shop="host")
    tables["placements"] = [
        {
            "code": code,
            "shape": "dialog",
            "trigger": {
                "exit_intent": True,
                "exit_touch": ["flick", "return", "idle"],
            },
        }
    ]
    demo.load("campaign", tables)
    return code


# --- exit intent with a mouse (WIDGET.md) ------------------------------------------


def _slowly(stage: Stage) -> None:
    stage.page.mouse.move(300, 200)
    stage.page.mouse.move(300, 1, steps=100)
    out(stage.page, 300, -1)


def _in_one_jump(stage: Stage) -> None:
    stage.page.mouse.move(600, 400)
    out(stage.page, 600, -120)


def _diagonally(stage: Stage) -> None:
    stage.page.mouse.move(200, 500)
    stage.page.mouse.move(900, 40, steps=4)
    out(stage.page, 1_100, -40)


def _after_routes(stage: Stage) -> None:
    for path in ("/opening/a", "/opening/b"):
        stage.page.evaluate("path => history.pushState({}, '', path)", path)
    stage.page.wait_for_timeout(200)
    stage.leave()


@pytest.mark.parametrize(
    "leave", [_slowly, _in_one_jump, _diagonally, _after_routes, Stage.leave]
)
def test_who_leaves_through_the_top_is_asked(
    stage: Stage, exit_code: str, leave: Callable[[Stage], None]
) -> None:
    stage.go(exit_code)
    stage.page.wait_for_timeout(ARMED_MS)

    leave(stage)

    assert stage.is_open()


def test_it_asks_once_only(stage: Stage, exit_code: str) -> None:
    """CR-12: later leaves, a reload and another page stay quiet."""
    stage.go(exit_code)
    stage.page.wait_for_timeout(ARMED_MS)
    stage.leave()
    assert stage.is_open()
    stage.page.keyboard.press("Escape")

    for _ in range(2):
        stage.leave()
        assert not stage.is_open()
    for path in ("/opening", "/opening-2"):
        stage.go(exit_code, path=path)
        stage.page.wait_for_timeout(ARMED_MS)
        stage.leave()
        assert not stage.is_open()


def _rests_below(stage: Stage) -> None:
    stage.page.mouse.move(300, 4)
    stage.page.wait_for_timeout(2_000)


def _left(stage: Stage) -> None:
    out(stage.page, -3, 200)


def _right(stage: Stage) -> None:
    out(stage.page, 1_281, 200)


def _bottom(stage: Stage) -> None:
    out(stage.page, 300, 721)


def _held(stage: Stage) -> None:
    stage.page.mouse.move(300, 200)
    stage.page.mouse.down()
    out(stage.page, 300, -5, buttons=1)


def _into_a_frame(stage: Stage) -> None:
    stage.page.evaluate("() => document.body.prepend(document.createElement('iframe'))")
    stage.page.mouse.move(300, 400)
    stage.page.locator("body > iframe").hover()


def _typing(stage: Stage) -> None:
    stage.page.evaluate("() => document.body.prepend(document.createElement('input'))")
    stage.page.locator("body > input").press_sequentially("abc")
    stage.leave()


def _blur(stage: Stage) -> None:
    stage.page.evaluate("() => dispatchEvent(new Event('blur'))")


def _keys(stage: Stage) -> None:
    for key in ("Tab", "Tab", "Shift+Tab", "PageDown", "Home"):
        stage.page.keyboard.press(key)


def _wheel(stage: Stage) -> None:
    stage.page.mouse.move(300, 2)
    for _ in range(4):
        stage.page.mouse.wheel(0, -300)


def _own_dialog(stage: Stage) -> None:
    stage.page.evaluate(
        """() => {
          const own = document.createElement('dialog')
          own.append('Cookies?')
          document.body.append(own)
          own.showModal()
        }"""
    )
    out(stage.page, 300, -5)


def _open_select(stage: Stage) -> None:
    stage.page.evaluate(
        """() => {
          const list = document.createElement('select')
          list.append(new Option('A'), new Option('B'))
          document.body.prepend(list)
          list.focus()
        }"""
    )
    out(stage.page, 300, -5)


def _turns_round(stage: Stage) -> None:
    stage.leave()
    stage.page.evaluate(
        "() => document.documentElement.dispatchEvent(new MouseEvent('mouseenter'))"
    )


@pytest.mark.parametrize(
    "act",
    [
        *(_rests_below, _left, _right, _bottom, _held, _into_a_frame, _typing),
        *(_blur, _keys, _wheel, _own_dialog, _open_select, _turns_round),
    ],
)
def test_what_is_no_leave_stays_quiet(
    stage: Stage, exit_code: str, act: Callable[[Stage], None]
) -> None:
    stage.go(exit_code)
    stage.page.wait_for_timeout(ARMED_MS)

    act(stage)

    assert not stage.is_open()


def test_who_has_only_just_come_is_not_leaving(stage: Stage, exit_code: str) -> None:
    stage.go(exit_code)

    stage.leave()

    assert not stage.is_open()


def test_waiting_leaves_no_trace(stage: Stage, exit_code: str) -> None:
    """EM-01: no storage, no history entry, and the shop's own handlers stay."""
    page = stage.page
    page.goto(stage.host.put("/plain", "<h1>Plain</h1>"))
    depth = page.evaluate("history.length")
    stage.go(
        exit_code,
        body="<h1>Shop</h1>",
    )
    page.evaluate("() => { window.onblur = window.onpopstate = () => 1 }")
    page.wait_for_timeout(ARMED_MS)
    page.mouse.move(300, 300)

    assert page.evaluate("sessionStorage.length + localStorage.length") == 0
    assert page.evaluate("history.length") == depth + 1
    assert page.evaluate("window.onblur() + window.onpopstate()") == 2


def test_it_is_armed_again_after_the_back_forward_cache(
    stage: Stage, exit_code: str
) -> None:
    stage.go(exit_code)
    stage.page.goto(stage.host.put("/elsewhere", "<h1>Elsewhere</h1>"))
    stage.page.go_back()
    stage.page.wait_for_timeout(ARMED_MS + 300)

    stage.leave()

    assert stage.is_open()


# --- exit intent by touch ----------------------------------------------------------


@pytest.fixture
def touch(demo: Demo, host: Host, browser: Browser) -> Iterator[Stage]:
    """The same shop on a phone."""
    context = browser.new_context(
        locale="nl-NL",
        viewport={"width": 390, "height": 700},
        has_touch=True,
        is_mobile=True,
    )
    yield Stage(demo, host, context.new_page())
    context.close()


def drag(page: Page, distances: list[int], *, pause: int = 16) -> None:
    """Move the page by a finger: touchmove and scroll, step by step."""
    page.evaluate(
        """async ([distances, pause]) => {
          for (const distance of distances) {
            document.dispatchEvent(new Event('touchmove', { bubbles: true }))
            scrollBy(0, distance)
            await new Promise(done => setTimeout(done, pause))
          }
        }""",
        [distances, pause],
    )


def test_a_flick_up_after_reading_down_is_a_leave(touch: Stage, exit_code: str) -> None:
    touch.go(exit_code)
    drag(touch.page, [60] * 20)

    drag(touch.page, [-80] * 8)

    assert touch.is_open()


def _tap(touch: Stage) -> None:
    touch.page.touchscreen.tap(200, 20)


def _slow_scroll(touch: Stage) -> None:
    drag(touch.page, [60] * 20)
    drag(touch.page, [-20] * 20, pause=60)


def _anchor(touch: Stage) -> None:
    drag(touch.page, [60] * 20)
    touch.page.wait_for_timeout(1_200)
    touch.page.evaluate("scrollTo(0, 0)")


def _pull_to_refresh(touch: Stage) -> None:
    drag(touch.page, [-60] * 8)


def _short_read(touch: Stage) -> None:
    drag(touch.page, [60] * 10)
    drag(touch.page, [-80] * 7)


def _rotate(touch: Stage) -> None:
    drag(touch.page, [60] * 20)
    touch.page.wait_for_timeout(1_200)
    touch.page.set_viewport_size({"width": 700, "height": 390})


def _soft_keyboard(touch: Stage) -> None:
    touch.page.evaluate(
        "() => document.body.prepend(document.createElement('textarea'))"
    )
    touch.page.locator("textarea").focus()
    touch.page.set_viewport_size({"width": 390, "height": 350})


@pytest.mark.parametrize(
    "act",
    [
        *(_tap, _slow_scroll, _anchor, _pull_to_refresh, _short_read, _rotate),
        _soft_keyboard,
    ],
)
def test_what_is_no_flick_stays_quiet(
    touch: Stage, exit_code: str, act: Callable[[Stage], None]
) -> None:
    touch.go(exit_code)

    act(touch)

    assert not touch.is_open()


def _away(page: Page, seconds: int) -> None:
    """Hide the page and show it again, without waiting for real."""
    page.evaluate(
        """async seconds => {
          const real = Date.now
          const turn = hidden => {
            const now = { value: hidden, configurable: true }
            Object.defineProperty(document, 'hidden', now)
            document.dispatchEvent(new Event('visibilitychange'))
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
    touch: Stage, exit_code: str, seconds: int, opens: bool
) -> None:
    touch.go(exit_code)

    _away(touch.page, seconds)

    assert touch.is_open() is opens


def test_an_idle_phone_asks_once_but_not_while_a_field_is_in_use(
    touch: Stage, exit_code: str
) -> None:
    touch.page.clock.install()
    body = "<input><h1>Shop</h1>"
    touch.go(exit_code, body=body)
    touch.page.locator("input").focus()
    touch.page.clock.run_for(25_000)
    assert touch.box.locator("visible=true").count() == 0

    touch.page.locator("input").blur()
    touch.page.clock.run_for(21_000)

    expect(touch.box.first).to_be_visible()
