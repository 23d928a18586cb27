"""What opens a placement by itself, and what keeps it closed.

The pages are the tests' own, on an origin of their own; the service is the demo's.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.host import Host
from tests.browser.shop import Demo
from tests.browser.visit import accept_terms, fill_person, say_adult, submit
from tests.factories import campaign_tables

_numbers = itertools.count(1)
TALL = "<main style='height:5000px'><h1>Shop</h1><a id=far href=#end>End</a>"
TALL += "<p style='margin-top:4000px' id=end>End</p></main>"
# Past the time in which somebody has only just come, and past the grace of a leave.
ARMED_MS = 2_300
GRACE_MS = 400


class Stage:
    """A shop of the tests' own: its pages, and placements made for one test."""

    def __init__(self, demo: Demo, host: Host, page: Page) -> None:
        self.demo = demo
        self.host = host
        self.page = page

    def place(self, shape: str = "dialog", **placement: Any) -> str:
        """Publish a placement and return its code."""
        number = next(_numbers)
        code = f"opening-{number}"
        tables = campaign_tables(
            "welcome-scratch", code=code, shop="host", name__nl=code
        )
        tables["placements"] = [{"code": code, "shape": shape, **placement}]
        self.demo.load("campaign", tables)
        return code

    def tag(self, code: str) -> str:
        return (
            f'<script async src="{self.demo.service}/embed.js" '
            f'data-placement="{code}"></script>'
        )

    def go(self, *codes: str, path: str = "/opening", body: str = TALL) -> "Stage":
        """Open a page with these placements, and wait until their rules are there."""
        tags = "".join(map(self.tag, codes))
        address = self.host.put(path.partition("?")[0], body + tags)
        if "?" in path:
            self.host.pages[path] = self.host.pages[path.partition("?")[0]]
            address = self.host.origin + path
        with self.page.expect_response(lambda answer: "/p/" in answer.url):
            self.page.goto(address)
        self.page.wait_for_timeout(150)
        return self

    @property
    def box(self):
        return self.page.locator("jawoord-widget .panel, jawoord-widget .bar")

    def is_open(self) -> bool:
        self.page.wait_for_timeout(GRACE_MS)
        return self.box.locator("visible=true").count() > 0

    def leave(self, x: int = 300, *, start: int = 200) -> None:
        """Move the pointer out through the top edge."""
        self.page.mouse.move(x, start)
        self.page.mouse.move(x, 3, steps=5)
        out(self.page, x, -4)


def out(page: Page, x: float, y: float, **more: Any) -> None:
    """Let the pointer leave the window: a real browser says so to the document."""
    page.evaluate(
        """([x, y, more]) => document.documentElement.dispatchEvent(
          new MouseEvent('mouseleave', { clientX: x, clientY: y, ...more }))""",
        [x, y, more],
    )


@pytest.fixture
def stage(demo: Demo, host: Host, page: Page) -> Stage:
    return Stage(demo, host, page)


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


# --- the other triggers ------------------------------------------------------------


def test_it_opens_at_a_depth_of_the_page(stage: Stage) -> None:
    stage.go(stage.place(trigger={"scroll_percent": 50}))
    stage.page.evaluate("scrollTo(0, 1000)")
    assert not stage.is_open()

    stage.page.evaluate("scrollTo(0, 3500)")

    assert stage.is_open()


def test_it_opens_after_inactivity(stage: Stage) -> None:
    stage.page.clock.install()
    stage.go(stage.place(trigger={"idle_seconds": 10}))
    stage.page.clock.run_for(8_000)
    stage.page.mouse.move(50, 60)
    stage.page.clock.run_for(8_000)
    assert stage.box.locator("visible=true").count() == 0

    stage.page.clock.run_for(4_000)

    expect(stage.box.first).to_be_visible()


def test_it_opens_after_so_many_pages_that_the_shop_swaps_in(stage: Stage) -> None:
    views = {"kind": "product", "least": 3}
    stage.go(stage.place(trigger={"views": views}))
    for number in range(2):
        stage.page.evaluate("jawoord('view', 'product')")
        stage.page.evaluate("n => history.pushState({}, '', '/opening/' + n)", number)
        assert not stage.is_open()

    stage.page.evaluate("jawoord('view', 'product')")

    assert stage.is_open()


def test_pages_are_counted_across_loads_where_the_page_allows_it(stage: Stage) -> None:
    """EM-02: only with the host's word is a count kept from page to page."""
    code = stage.place(trigger={"views": {"kind": "product", "least": 2}})
    plain = "<div data-jawoord-page=product></div>"
    for path in ("/one", "/two"):
        stage.go(code, path=path, body=plain)
        assert not stage.is_open()
        assert stage.page.evaluate("sessionStorage.length") == 0
    allowed = "<div data-jawoord-page=product data-jawoord-storage=yes></div>"

    stage.go(code, path="/one", body=allowed)
    assert not stage.is_open()
    stage.go(code, path="/two", body=allowed)

    assert stage.is_open()


@pytest.mark.parametrize("way", ["attribute", "call", "queue"])
def test_it_opens_by_what_is_in_the_basket(stage: Stage, way: str) -> None:
    code = stage.place(trigger={"basket": {"least_cents": 5_000}})
    bodies = {
        "attribute": '<p data-jawoord-basket="6000 2"></p>',
        "call": "",
        "queue": "<script>window.jawoord = window.jawoord || [];"
        "jawoord.push(['basket', { cents: 6000, items: 2 }])</script>",
    }
    stage.go(code, body=bodies[way])
    if way == "call":
        stage.page.evaluate("jawoord('basket', { cents: 4999, items: 9 })")
        assert not stage.is_open()
        stage.page.evaluate("jawoord('basket', { cents: 5000, items: 1 })")

    assert stage.is_open()


def test_it_opens_when_an_order_is_done(stage: Stage) -> None:
    stage.go(stage.place(trigger={"order": True}))
    assert not stage.is_open()

    stage.page.evaluate("jawoord('order', { reference: 'A-1', amount: 4590 })")

    assert stage.is_open()


@pytest.mark.parametrize(
    "say",
    [
        "jawoord('event', 'bye')",
        "document.dispatchEvent(new Event('bye'))",
        "(window.dataLayer = window.dataLayer || []).push({ event: 'bye' })",
    ],
)
def test_it_opens_by_an_event_of_the_shop(stage: Stage, say: str) -> None:
    stage.go(stage.place(trigger={"event": "bye"}))
    stage.page.evaluate("jawoord('event', 'other')")
    assert not stage.is_open()

    stage.page.evaluate(say)
    stage.page.wait_for_timeout(600)

    assert stage.is_open()


def test_triggers_count_together(stage: Stage) -> None:
    trigger = {"match": "all", "scroll_percent": 30, "event": "bye"}
    stage.go(stage.place(trigger=trigger))
    stage.page.evaluate("jawoord('event', 'bye')")
    stage.page.evaluate("scrollTo(0, 4000)")
    assert not stage.is_open()

    stage.page.evaluate("jawoord('event', 'bye')")

    assert stage.is_open()


@pytest.mark.parametrize(
    ("where", "path", "opens"),
    [
        ({"include": ["/sale*"]}, "/sale-now", True),
        ({"include": ["/sale*"]}, "/shoes", False),
        ({"include": ["?from=ad"]}, "/shoes?from=ad", True),
        ({"include": ["?from=ad"]}, "/shoes?from=add", False),
        ({"exclude": ["*/private*"]}, "/a/private/b", False),
        ({"languages": ["nl"]}, "/x", True),
        ({"languages": ["en"]}, "/x", False),
        ({"visit": "new"}, "/x", True),
        ({"visit": "returning"}, "/x", False),
        ({}, "/my/checkout/step", False),
        ({}, "/shoes?utm_medium=email", False),
        ({"from_mail": True}, "/shoes?utm_medium=email", True),
    ],
)
def test_pages_and_visits_that_do_not_fit_stay_quiet(
    stage: Stage, where: dict[str, Any], path: str, opens: bool
) -> None:
    code = stage.place(trigger={"delay_seconds": 0}, where=where)

    stage.go(code, path=path)

    assert stage.is_open() is opens


def test_a_second_page_of_the_visit_is_a_return(stage: Stage) -> None:
    code = stage.place(trigger={"delay_seconds": 0}, where={"visit": "returning"})
    stage.go(code, path="/first", body="<a href=/second>On</a>")
    assert not stage.is_open()
    stage.host.put("/second", TALL + stage.tag(code))

    stage.page.locator("a").click()
    stage.page.wait_for_timeout(600)

    assert stage.is_open()


def test_a_page_that_calls_itself_checkout_is_left_alone(stage: Stage) -> None:
    code = stage.place(trigger={"delay_seconds": 0})
    stage.go(code, body="<main data-jawoord-page=checkout>Pay</main>")

    assert not stage.is_open()


# --- restraint ---------------------------------------------------------------------


def test_one_budget_for_all_placements_of_a_shop(stage: Stage) -> None:
    """CR-08: of two that would open, one does; a press opens the other all the same."""
    one = stage.place(trigger={"event": "one"})
    two = stage.place(trigger={"event": "two", "selector": "h1"})
    stage.go(one, two)
    stage.page.evaluate("jawoord('event', 'one')")
    assert stage.is_open()
    stage.page.keyboard.press("Escape")

    stage.page.evaluate("jawoord('event', 'two')")
    assert not stage.is_open()
    stage.page.locator("h1").click()

    assert stage.is_open()


def test_the_day_is_counted_only_with_the_pages_word(
    stage: Stage, context: BrowserContext
) -> None:
    """EM-02: two a day, however many sessions."""
    code = stage.place(trigger={"event": "now"})
    body = "<p data-jawoord-storage=yes></p>" + TALL
    seen = []
    for _ in range(3):
        stage.page = context.new_page()
        stage.go(code, body=body)
        stage.page.evaluate("sessionStorage.clear()")
        stage.page.evaluate("jawoord('event', 'now')")
        seen.append(stage.is_open())

    assert seen == [True, True, False]


def test_after_an_entry_nothing_more_is_offered(stage: Stage) -> None:
    """CR-08."""
    one = stage.place(trigger={"selector": "h1"})
    two = stage.place(trigger={"event": "two"})
    stage.go(one, two)
    stage.page.locator("h1").click()
    expect(stage.box.first).to_be_visible()
    frame = stage.page.frames[-1]
    fill_person(frame, "eenmaal@huispost.nl")
    say_adult(frame)
    accept_terms(frame)
    submit(frame)
    stage.page.wait_for_function("sessionStorage.getItem('jawoord.') === 'done'")
    stage.page.keyboard.press("Escape")

    stage.page.evaluate("jawoord('event', 'two')")

    assert not stage.is_open()


def test_a_close_is_remembered_in_the_act(stage: Stage) -> None:
    """CR-12: a page that is left in the same moment does not forget it."""
    code = stage.place(trigger={"selector": "h1"})
    stage.go(code)
    stage.page.locator("h1").click()
    expect(stage.box.first).to_be_visible()

    kept = stage.page.evaluate(
        """code => {
          const host = document.querySelector('jawoord-widget')
          host.shadowRoot.querySelector('button.close').click()
          return sessionStorage.getItem('jawoord.' + code)
        }""",
        code,
    )

    assert kept == "closed"


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
    from tests.browser.test_embedding import JUMPS, MOST_JUMP

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
    stage.page.wait_for_function("() => frames.length")
    frame = stage.page.frames[-1]
    frame.wait_for_load_state()
    fill_person(frame, "ada.geheim@huispost.nl", "newsletter", name="Ada")
    say_adult(frame)
    accept_terms(frame)
    submit(frame)
    stage.page.wait_for_function("() => told.some(each => each.type === 'consent')")

    told = stage.page.evaluate("told")
    layer = stage.page.evaluate("dataLayer")
    kinds = [each["type"] for each in told]
    assert {"shown", "played", "won", "submitted", "consent"} <= set(kinds)
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
