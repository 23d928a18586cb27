"""Nothing is kept on a device and nobody else hears of a visit (EM-01 to EM-03)."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Frame, Page, expect

from tests.browser.host import Host
from tests.browser.shop import Demo
from tests.browser.test_embedding import tag
from tests.browser.visit import (
    Visit,
    accept_terms,
    fill_person,
    new_visitor,
    play,
    say_adult,
    scratch,
    submit,
    until,
)
from tests.conftest import CHROMIUM_ARGS, chromium

# Runs in each origin: everything a page can keep on a device.
KEPT = """async () => ({
  cookie: document.cookie,
  local: {...localStorage},
  session: {...sessionStorage},
  databases: (await indexedDB.databases()).map(each => each.name),
  caches: 'caches' in self ? await caches.keys() : [],
  workers: 'serviceWorker' in navigator
    ? (await navigator.serviceWorker.getRegistrations()).length : 0,
})"""
NOTHING = {
    "cookie": "",
    "local": {},
    "session": {},
    "databases": [],
    "caches": [],
    "workers": 0,
}


# A private window, which other tests use, refuses all storage to a frame of another
# site. Here it is a plain one, where a frame could keep things if it wanted to.
@pytest.fixture(scope="module")
def roomy(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """A plain window, which keeps whatever it is given."""
    profile = tmp_path_factory.mktemp("profile")
    (profile / "Default").mkdir()
    (profile / "Default" / "Preferences").write_text(
        '{"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": false}}'
    )
    opened = browser.browser_type.launch_persistent_context(
        profile,
        executable_path=chromium(),
        args=CHROMIUM_ARGS,
        locale="nl-NL",
    )
    yield opened
    opened.close()


@pytest.fixture
def kept_visit(demo: Demo, roomy: BrowserContext) -> Iterator[Visit]:
    """A visitor in a plain window, with a tab of his own."""
    page = roomy.new_page()
    yield Visit(demo, page)
    page.close()


def test_a_frame_could_keep_things_here(kept_visit: Visit) -> None:
    """The tests below prove something: storage is there to be used."""
    frame = kept_visit.shop("done").frame()

    frame.evaluate("localStorage.setItem('probe', '1')")
    found = kept(frame)["local"]
    frame.evaluate("localStorage.clear()")

    assert found == {"probe": "1"}


def kept(place: Page | Frame) -> dict[str, object]:
    """Return what this origin has kept."""
    found: dict[str, object] = place.evaluate(KEPT)
    return found


def listen(page: Page) -> list[str]:
    """Return a list that fills with the address of every request."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    return asked


def own_hosts(demo: Demo) -> set[str]:
    return {urlsplit(demo.service).netloc, urlsplit(demo.shop()).netloc}


def hosts(asked: list[str]) -> set[str]:
    found = {urlsplit(each.split(" ", 1)[1]).netloc for each in asked}
    return found - {""}


@pytest.mark.parametrize("path", ["", "category/wonen", "product/mok-branding", "done"])
def test_before_the_visitor_acts_nothing_is_kept(kept_visit: Visit, path: str) -> None:
    """EM-01: on neither origin, with no cookie of any kind, and no third host."""
    page = kept_visit.page
    asked = listen(page)
    kept_visit.shop(path)
    page.mouse.wheel(0, 3_000)
    if not path:
        # Here the dialog comes by itself; that is no act of the visitor.
        expect(kept_visit.dialog).to_be_visible(timeout=10_000)
        expect(kept_visit.frame().locator("h1")).to_be_visible()
    page.wait_for_timeout(1_000)

    for frame in page.frames:
        assert kept(frame) == NOTHING
    assert page.context.cookies() == []
    assert hosts(asked) <= own_hosts(kept_visit.demo)
    assert {each.split(" ", 1)[0] for each in asked} == {"GET"}


def test_the_frame_is_only_fetched_when_it_is_wanted(
    demo: Demo, host: Host, page: Page
) -> None:
    """Before the trigger the loader costs two requests: itself and its rule."""
    asked = listen(page)
    page.goto(host.put("/wanted", tag(demo, "welcome-dialog-host")))
    page.wait_for_timeout(1_000)

    ours = [each for each in asked if demo.service in each]

    assert [urlsplit(each.split(" ", 1)[1]).path for each in ours] == [
        "/embed.js",
        "/p/welcome-dialog-host.js",
    ]


def test_after_a_close_only_that_is_remembered(kept_visit: Visit) -> None:
    """EM-02: one flag of the session, on the shop's page; nothing in the frame."""
    game = kept_visit.shop().open()
    kept_visit.close_button.click()
    expect(kept_visit.dialog).to_be_hidden()
    # The browser tells of a close in a task of its own, after the dialog is gone.
    until(kept_visit.page, "sessionStorage.length")

    assert kept(kept_visit.page) == NOTHING | {
        "session": {"jawoord.lucky-dialog": "closed"}
    }
    assert kept(game) == NOTHING
    assert kept_visit.page.context.cookies() == []


def test_a_whole_game_keeps_one_word(kept_visit: Visit) -> None:
    """EM-02: the shop's page keeps that an entry was made, so that nothing more is
    offered; the frame keeps nothing at all.
    """
    asked = listen(kept_visit.page)
    game = kept_visit.shop("product/mok-branding").frame()
    play(game)
    scratch(game)
    fill_person(game, "stil@huispost.nl", "newsletter")
    submit(game)
    kept_visit.page.wait_for_timeout(500)

    assert kept(kept_visit.page) == NOTHING | {"session": {"jawoord.": "done"}}
    for frame in kept_visit.page.frames[1:]:
        assert kept(frame) == NOTHING
    assert kept_visit.page.context.cookies() == []
    assert hosts(asked) <= own_hosts(kept_visit.demo)


def test_scratching_stays_in_the_browser(visit: Visit) -> None:
    """EM-03: between the play and the claim nothing is sent, however one moves."""
    game = visit.shop("product/mok-branding").frame()
    play(game)
    visit.page.wait_for_load_state("networkidle")
    asked = listen(visit.page)

    scratch(game)
    expect(game.locator("[name=email]")).to_be_visible()
    visit.page.wait_for_timeout(800)

    assert asked == []


def test_moving_about_in_the_shop_sends_nothing(visit: Visit) -> None:
    """EM-03: what the triggers watch is nobody's but the browser's."""
    visit.shop()
    visit.page.wait_for_load_state("networkidle")
    asked = listen(visit.page)

    for x, y in ((600, 300), (300, 2), (300, -5), (900, 200)):
        visit.page.mouse.move(x, y, steps=5)
    visit.page.keyboard.press("Tab")

    assert [each for each in asked if visit.demo.service in each] == []


def test_it_plays_where_third_party_cookies_are_blocked(
    browser: Browser, demo: Demo
) -> None:
    """EM-04: the frame needs neither cookie nor storage, so it misses nothing."""
    strict = browser.browser_type.launch(
        executable_path=chromium(),
        args=[*CHROMIUM_ARGS, "--test-third-party-cookie-phaseout"],
    )
    for context in new_visitor(strict):
        visit = Visit(demo, context.new_page())
        game = visit.shop("done").frame()
        with pytest.raises(Error, match="Access is denied"):
            kept(game)
        game.evaluate("document.cookie = 'probe=1; SameSite=None; Secure'")
        assert game.evaluate("document.cookie") == ""
        fill_person(game, "streng@huispost.nl")
        say_adult(game)
        accept_terms(game)
        submit(game)
        expect(game.locator(".result-label")).to_be_attached()
    strict.close()
