"""The widget on other people's pages: who may frame it, and who it listens to."""

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.host import Host
from tests.browser.shop import Demo
from tests.browser.visit import (
    GAME,
    Visit,
    accept_terms,
    new_visitor,
    play,
    reveal,
    say_adult,
    submit,
)

# Every jump of the page since it began that no press of the visitor explains.
JUMPS = """() => new Promise(done => {
  let sum = 0
  new PerformanceObserver(list => list.getEntries().forEach(each => {
    if (!each.hadRecentInput) sum += each.value
  })).observe({ type: 'layout-shift', buffered: true })
  setTimeout(() => done(sum), 300)
})"""
MOST_JUMP = 0.001


def tag(demo: Demo, placement: str) -> str:
    """Return the tag that a customer pastes."""
    return (
        f'<script async src="{demo.service}/embed.js" '
        f'data-placement="{placement}"></script>'
    )


def policy(demo: Demo) -> str:
    """Return the least that a strict page must grant us."""
    return (
        f"default-src 'none'; script-src {demo.service}; frame-src {demo.service}; "
        "base-uri 'none'"
    )


def test_a_stranger_cannot_frame_the_game(
    demo: Demo, stranger: Host, context: BrowserContext
) -> None:
    """EM-04, T10: on another origin the browser refuses to show it."""
    said: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.goto(
        stranger.put("/", f'<iframe src="{demo.service}/w/lucky-inline"></iframe>')
    )
    page.wait_for_load_state("networkidle")

    assert any("frame-ancestors" in each for each in said)
    assert page.frames[1].url == "chrome-error://chromewebdata/"


def test_one_shop_cannot_frame_anothers_game(
    demo: Demo, host: Host, context: BrowserContext
) -> None:
    """EM-04: what counts is this placement's shop, not that one is a customer."""
    page = context.new_page()
    page.goto(
        host.put(
            "/theirs",
            f'<iframe src="{demo.service}/w/lucky-inline"></iframe>'
            f'<iframe src="{demo.service}/w/lucky-inline-host"></iframe>',
        )
    )
    page.wait_for_load_state("networkidle")

    theirs, own = page.frames[1:]
    assert theirs.url == "chrome-error://chromewebdata/"
    expect(own.locator("h1")).to_be_visible()


@pytest.mark.parametrize("page_of", ["confirm/x", "unsubscribe/x", "office/sign-in"])
def test_nobody_can_frame_links_and_office(
    demo: Demo, host: Host, context: BrowserContext, page_of: str
) -> None:
    """T10."""
    page = context.new_page()
    page.goto(host.put("/f", f'<iframe src="{demo.service}/{page_of}"></iframe>'))
    page.wait_for_load_state("networkidle")

    assert page.frames[1].url == "chrome-error://chromewebdata/"


def test_messages_of_strangers_are_ignored(
    demo: Demo, host: Host, stranger: Host, page: Page
) -> None:
    """EM-04, T27: they come from another window, or another origin, or both."""
    lies = """<script>
      addEventListener('message', event => { document.title = 'heard' })
      const tell = window => {
        for (const type of ['close', 'stop', 'hello'])
          window.postMessage({ jawoord: 1, type }, '*')
        window.postMessage({ jawoord: 1, type: 'size', height: 5000 }, '*')
      }
      tell(parent)
      for (let i = 0; i < parent.length; i++) if (parent[i] !== self) tell(parent[i])
    </script>"""
    page.goto(
        host.put(
            "/lies",
            "<button data-play=lucky>Open</button>" + tag(demo, "lucky-dialog-host"),
        )
    )
    visit = Visit(demo, page)
    visit.page.wait_for_load_state("networkidle")
    game = visit.open()
    height = _height(page)

    page.evaluate(
        """address => {
          const frame = document.createElement('iframe')
          frame.src = address
          document.body.append(frame)
          return new Promise(done => { frame.onload = done })
        }""",
        stranger.put("/liar", lies),
    )
    page.evaluate(
        "() => ['close', 'stop'].forEach(type =>"
        " postMessage({ jawoord: 1, type }, '*'))"
    )
    page.wait_for_timeout(300)

    expect(visit.dialog).to_be_visible()
    assert _height(page) == height
    assert page.evaluate("sessionStorage.length") == 0
    play(game)
    (liar,) = [each for each in page.frames if each.url.endswith("/liar")]
    assert liar.title() != "heard"


def test_two_sources_in_a_strict_policy_are_enough(
    demo: Demo, host: Host, page: Page
) -> None:
    """`script-src` and `frame-src` of our host: no breach (the `page` watches)."""
    page.goto(
        host.put(
            "/strict",
            "<button data-play=lucky>Open</button>" + tag(demo, "lucky-dialog-host"),
            Content_Security_Policy=policy(demo),
        )
    )
    page.wait_for_load_state("networkidle")
    visit = Visit(demo, page)
    game = visit.open()
    play(game)
    reveal(game)

    assert _style_of_dialog(page) == "fixed"


def test_a_page_of_trusted_types_takes_the_loader(
    demo: Demo, host: Host, page: Page
) -> None:
    """T27: nothing of ours turns a string into code or markup."""
    page.goto(
        host.put(
            "/typed",
            "<button data-play=lucky>Open</button>"
            + tag(demo, "lucky-dialog-host")
            + tag(demo, "welcome-inline-host"),
            Content_Security_Policy=policy(demo)
            + "; require-trusted-types-for 'script'; trusted-types 'none'",
        )
    )
    page.wait_for_load_state("networkidle")
    expect(page.locator("jawoord-widget > iframe")).to_be_visible()
    page.locator("[data-play]").click()

    expect(page.locator("jawoord-widget dialog")).to_be_visible()


def test_a_page_that_isolates_itself_can_show_it(
    demo: Demo, host: Host, page: Page
) -> None:
    """COEP: our frame and our scripts say that they may be there."""
    page.goto(
        host.put(
            "/isolated",
            tag(demo, "welcome-inline-host"),
            Cross_Origin_Embedder_Policy="require-corp",
            Cross_Origin_Opener_Policy="same-origin",
        )
    )
    assert page.evaluate("crossOriginIsolated")
    frame = Visit(demo, page).frame()

    expect(frame.locator("h1")).to_be_visible()


def test_a_policy_that_forgot_the_frame_leaves_no_hole(
    demo: Demo, host: Host, context: BrowserContext
) -> None:
    """The slot goes, and the console says once what to add."""
    said: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.goto(
        host.put(
            "/forgot",
            tag(demo, "welcome-inline-host"),
            Content_Security_Policy=f"default-src 'none'; script-src {demo.service}",
        )
    )
    page.wait_for_load_state("networkidle")

    expect(page.locator("jawoord-widget")).to_have_count(0)
    advice = [each for each in said if each.startswith("Jawoord:")]
    assert advice == [
        f"Jawoord: add {demo.service} to frame-src of the Content-Security-Policy"
    ]


def test_an_unknown_placement_disturbs_nothing(
    demo: Demo, host: Host, page: Page
) -> None:
    """A closed or mistyped placement leaves the shop as it is."""
    page.goto(host.put("/unknown", "<p>Shop</p>" + tag(demo, "nowhere")))
    page.wait_for_load_state("networkidle")

    expect(page.locator("jawoord-widget")).to_have_count(0)


def test_the_frame_grows_with_what_is_in_it(visit: Visit) -> None:
    """No bar to scroll within a page that scrolls already."""
    game = visit.shop("done").frame()
    element = visit.page.locator(f"{GAME} iframe")
    before = element.bounding_box()
    game.locator("#notice summary").click()
    game.locator(".conditions summary").click()
    visit.page.wait_for_timeout(600)
    after = element.bounding_box()

    assert before and after
    assert after["height"] > before["height"] + 300
    assert game.evaluate("document.documentElement.scrollHeight <= innerHeight"), (
        "the frame scrolls within itself"
    )


@pytest.mark.parametrize(
    "path", ["", "category/wonen", "product/mok-branding", "done", "how"]
)
@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_of_the_shop_jumps(visit: Visit, path: str, width: int) -> None:
    """Heights are reserved: the whole page moves by 0.001 at most, while scrolling."""
    page = visit.page
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(visit.demo.shop(path))
    for _ in range(5):
        page.mouse.wheel(0, 500)
        page.wait_for_timeout(60)
    if not path:
        # The dialog that comes by itself must not jump either.
        page.mouse.wheel(0, -3_000)
        expect(visit.dialog).to_be_visible(timeout=10_000)
        expect(visit.frame().locator("h1")).to_be_visible()
    page.wait_for_timeout(1_000)

    assert page.evaluate(JUMPS) <= MOST_JUMP


@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_tag_names_the_language(
    demo: Demo, host: Host, page: Page, language: str
) -> None:
    """The attribute goes before the page's and the browser's language."""
    named = tag(demo, "welcome-inline-host").replace(
        "data-placement", f'data-language="{language}" data-placement'
    )
    page.goto(host.put(f"/{language}", named))

    frame = Visit(demo, page).frame()

    assert frame.locator("html").get_attribute("lang") == language


def test_a_minor_is_not_asked_again(visit: Visit) -> None:
    """MI-01: nothing is stored, and nothing more is offered in this session."""
    game = visit.shop().open()
    before = visit.demo.counts()
    say_adult(game, yes=False)
    accept_terms(game)
    submit(game)
    expect(game.locator("#stage.message")).to_be_visible()
    expect(game.locator("form")).to_have_count(0)

    assert visit.demo.counts() == before
    visit.close_button.click()
    for path in ("", "category/wonen"):
        visit.page.goto(visit.demo.shop(path))
        visit.page.wait_for_load_state("networkidle")
        visit.opener.click()
        visit.page.wait_for_timeout(300)
        expect(visit.dialog).to_have_count(0)


def _height(page: Page) -> float:
    box = page.locator("jawoord-widget iframe").bounding_box()
    assert box is not None
    return box["height"]


def _style_of_dialog(page: Page) -> str:
    return str(
        page.locator("jawoord-widget dialog").evaluate(
            "el => getComputedStyle(el).position"
        )
    )


# --- by night ----------------------------------------------------------------------

SHEETS = {"knows the night": ":root { color-scheme: light dark }", "knows none": ""}


@pytest.mark.parametrize("sheet", SHEETS)
@pytest.mark.parametrize("shape", ["dialog", "inline"])
def test_the_game_is_as_dark_as_the_shop_however_late_its_style_comes(
    browser: Browser, demo: Demo, host: Host, shape: str, sheet: str
) -> None:
    """A loader faster than the shop's style must not take it for a light one."""
    late: list[Route] = []
    html = (
        "<!doctype html><title>Shop</title><link rel=stylesheet href=/late.css>"
        "<body><button data-play=lucky>Open</button>"
    )
    host.pages["/night"] = (html + tag(demo, f"lucky-{shape}-host"), {})
    for context in new_visitor(browser, color_scheme="dark"):
        page = context.new_page()
        page.route("**/late.css", lambda route: late.append(route))
        with page.expect_response(re.compile(r"/p/[\w-]+\.js")):
            page.goto(f"{host.origin}/night", wait_until="commit")
        page.wait_for_timeout(300)
        late[-1].fulfill(content_type="text/css", body=SHEETS[sheet])
        page.wait_for_load_state()

        visit = Visit(demo, page)
        game = visit.open() if shape == "dialog" else visit.frame()

        paper = game.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (_lightness(paper) < 0.5) == (sheet == "knows the night")


def _lightness(colour: str) -> float:
    """Return the mean of `rgb(r, g, b)`, from 0 to 1."""
    parts = [float(part) for part in re.findall(r"[\d.]+", colour)[:3]]
    return sum(parts) / 3 / 255
