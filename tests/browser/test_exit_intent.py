"""Exit intent with a mouse: every case of what is a leave and what is not.

Each leave is made by the browser's own pointer, not by an event of ours. The pages are
the tests' own, on an origin of their own; the service is the demo's.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.host import Host
from tests.browser.shop import Demo
from tests.browser.stage import ARMED_MS, TALL, Stage
from tests.browser.visit import until
from tests.conftest import CHROMIUM_ARGS, chromium

OWN_DIALOG = """
<dialog id=own><p style='height:600px'>Cookies?</p></dialog>
<script>own.showModal()</script>"""
OWN_LAYER = "<div aria-modal=true role=dialog>Your basket</div>"
# The page is the very one that was left.
KEPT = (
    """() => addEventListener('pageshow', event => { window.kept = event.persisted })"""
)
# At the upper edge, where a chat or an advertisement of the shop might be.
FRAME = (
    "<iframe src='/inner' style='position:fixed;top:0;left:0;height:200px'></iframe>"
)


@pytest.fixture
def armed(stage: Stage, exit_code: str) -> Stage:
    """A shop's page on which somebody has been for a while."""
    stage.go(exit_code)
    stage.page.wait_for_timeout(ARMED_MS)
    return stage


# --- must fire ---------------------------------------------------------------------


def _slowly(stage: Stage) -> None:
    stage.page.mouse.move(300, 200)
    stage.page.mouse.move(300, 1, steps=100)
    stage.page.mouse.move(300, -1)


def _in_one_jump(stage: Stage) -> None:
    stage.page.mouse.move(600, 400)
    stage.page.mouse.move(600, -120)


def _diagonally(stage: Stage) -> None:
    stage.page.mouse.move(200, 500)
    stage.page.mouse.move(900, 40, steps=4)
    stage.page.mouse.move(1_100, -40)


def _after_routes(stage: Stage) -> None:
    for path in ("/opening/a", "/opening/b"):
        stage.page.evaluate("path => history.pushState({}, '', path)", path)
    stage.page.wait_for_timeout(200)
    stage.leave()


@pytest.mark.parametrize("leave", [_slowly, _in_one_jump, _diagonally, _after_routes])
def test_who_leaves_through_the_top_is_asked(
    armed: Stage, leave: Callable[[Stage], None]
) -> None:
    leave(armed)

    assert armed.is_open()


def test_a_leave_over_a_frame_at_the_top_is_a_leave(
    stage: Stage, exit_code: str
) -> None:
    """The frame keeps the pointer's moves to itself, but not that it left."""
    stage.host.put("/inner", "<p>Chat</p>")
    stage.go(exit_code, body=FRAME + TALL)
    stage.page.wait_for_timeout(ARMED_MS)
    stage.page.mouse.move(400, 500)
    stage.page.mouse.move(100, 90)
    assert not stage.is_open()

    stage.page.mouse.move(100, -20)

    assert stage.is_open()


def test_it_asks_once_only(armed: Stage, exit_code: str) -> None:
    """CR-12: once closed, later leaves, a reload and another page stay quiet."""
    armed.leave()
    assert armed.is_open()
    armed.page.keyboard.press("Escape")

    for _ in range(2):
        armed.leave()
        assert not armed.is_open()
    for path in ("/opening", "/opening-2"):
        armed.go(exit_code, path=path)
        armed.page.wait_for_timeout(ARMED_MS)
        armed.leave()
        assert not armed.is_open()


@pytest.fixture
def remembering(demo: Demo, host: Host, browser: Browser) -> Iterator[Stage]:
    """A browser with its back/forward cache, which tests else have switched off."""
    opened = browser.browser_type.launch(
        executable_path=chromium(),
        args=CHROMIUM_ARGS,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    context = opened.new_context(locale="nl-NL")
    yield Stage(demo, host, context.new_page())
    opened.close()


def test_it_is_armed_again_after_the_back_forward_cache(
    remembering: Stage, exit_code: str
) -> None:
    """The page is the very one that was left, and who is back has only just come."""
    page = remembering.page
    remembering.go(exit_code)
    page.wait_for_timeout(ARMED_MS)
    page.evaluate(KEPT)
    page.goto(remembering.host.put("/elsewhere", "<h1>Elsewhere</h1>"))
    page.go_back(wait_until="commit")
    until(page, "window.kept")
    remembering.leave()
    assert not remembering.is_open()
    page.wait_for_timeout(ARMED_MS)

    remembering.leave()

    assert remembering.is_open()


def test_what_was_closed_elsewhere_is_closed_in_the_back_forward_cache(
    remembering: Stage, exit_code: str
) -> None:
    """CR-12."""
    page = remembering.page
    remembering.go(exit_code, path="/one")
    page.evaluate(KEPT)
    remembering.go(exit_code, path="/two")
    page.wait_for_timeout(ARMED_MS)
    remembering.leave()
    assert remembering.is_open()
    page.keyboard.press("Escape")
    page.go_back(wait_until="commit")
    until(page, "window.kept")
    page.wait_for_timeout(ARMED_MS)

    remembering.leave()

    assert not remembering.is_open()


# --- must stay quiet ---------------------------------------------------------------


def _rests_below(stage: Stage) -> None:
    stage.page.mouse.move(300, 200)
    stage.page.mouse.move(300, 4, steps=10)
    stage.page.wait_for_timeout(2_000)


def _to(x: int, y: int) -> Callable[[Stage], None]:
    def leave(stage: Stage) -> None:
        stage.page.mouse.move(640, 360)
        stage.page.mouse.move(x, y, steps=3)

    return leave


def _held(stage: Stage) -> None:
    stage.page.mouse.move(300, 200)
    stage.page.mouse.down()
    stage.page.mouse.move(300, -5, steps=4)


def _let_go_outside(stage: Stage) -> None:
    """The browser then tells of a leave with no button held."""
    _held(stage)
    stage.page.mouse.up()
    stage.page.mouse.move(320, -9)


def _into_a_frame(stage: Stage) -> None:
    stage.page.evaluate("() => document.body.prepend(document.createElement('iframe'))")
    stage.page.mouse.move(400, 400)
    stage.page.mouse.move(100, 60, steps=4)


def _typing(stage: Stage) -> None:
    stage.page.evaluate("() => document.body.prepend(document.createElement('input'))")
    stage.page.locator("body > input").press_sequentially("abc")
    stage.leave()


def _blur(stage: Stage) -> None:
    stage.page.mouse.move(300, 100)
    stage.page.evaluate("() => dispatchEvent(new Event('blur'))")


def _keys(stage: Stage) -> None:
    for key in ("Tab", "Tab", "Shift+Tab", "PageDown", "Home"):
        stage.page.keyboard.press(key)


def _wheel(stage: Stage) -> None:
    stage.page.mouse.move(300, 2)
    for distance in (300, -300, -300, -300):
        stage.page.mouse.wheel(0, distance)


def _open_select(stage: Stage) -> None:
    stage.page.evaluate(
        """() => {
          const list = document.createElement('select')
          list.append(new Option('A'), new Option('B'))
          document.body.prepend(list)
        }"""
    )
    stage.page.locator("select").click()
    stage.page.mouse.move(30, -5)


def _turns_round(stage: Stage) -> None:
    """Both within the grace, so in one call: the line to the browser is slower."""
    stage.page.mouse.move(300, 100)
    stage.page.evaluate(
        """() => ['mouseleave', 'mouseenter'].forEach(kind =>
          document.documentElement.dispatchEvent(
            new MouseEvent(kind, { clientX: 300, clientY: -4 })))"""
    )


@pytest.mark.parametrize(
    "act",
    [
        *(_rests_below, _to(-3, 300), _to(1_284, 300), _to(640, 724), _held),
        *(_let_go_outside, _into_a_frame, _typing, _blur, _keys, _wheel),
        *(_open_select, _turns_round),
    ],
)
def test_what_is_no_leave_stays_quiet(
    armed: Stage, act: Callable[[Stage], None]
) -> None:
    act(armed)

    assert not armed.is_open()


@pytest.mark.parametrize("body", [OWN_DIALOG, OWN_LAYER])
def test_a_dialog_of_the_shop_is_not_covered(
    stage: Stage, exit_code: str, body: str
) -> None:
    stage.go(exit_code, body=TALL + body)
    stage.page.wait_for_timeout(ARMED_MS)

    stage.leave()

    assert not stage.is_open()


@pytest.mark.parametrize(
    ("path", "body"),
    [("/Checkout/pay", TALL), ("/pay", "<main data-jawoord-page=checkout>Pay</main>")],
)
def test_who_is_about_to_pay_is_left_alone(
    stage: Stage, exit_code: str, path: str, body: str
) -> None:
    stage.go(exit_code, path=path, body=body)
    stage.page.wait_for_timeout(ARMED_MS)

    stage.leave()

    assert not stage.is_open()


def test_who_has_only_just_come_is_not_leaving(stage: Stage, exit_code: str) -> None:
    stage.go(exit_code)

    stage.leave()

    assert not stage.is_open()


def test_waiting_leaves_no_trace(stage: Stage, exit_code: str) -> None:
    """EM-01, EM-03: no storage, no history, no request, the shop's handlers stay."""
    page = stage.page
    page.goto(stage.host.put("/plain", "<h1>Plain</h1>"))
    depth = page.evaluate("history.length")
    own = """<script>
      window.onblur = window.onpopstate = window.onbeforeunload = () => {}
      document.documentElement.onmouseleave = window.onblur
      window.own = [onblur, onpopstate, onbeforeunload, history.pushState, fetch]
    </script>"""
    stage.go(exit_code, body=own + TALL)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(ARMED_MS)
    page.mouse.move(300, 300)
    page.mouse.move(-4, 300, steps=5)

    assert asked == []
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0
    assert page.evaluate("document.cookie") == ""
    assert page.evaluate("history.length") == depth + 1
    assert page.evaluate(
        """[onblur, onpopstate, onbeforeunload, history.pushState, fetch]
          .every((each, at) => each === own[at])"""
    )
    assert page.evaluate("document.documentElement.onmouseleave === onblur")
