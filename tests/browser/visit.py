"""What a visitor does, in words; where things are in the pages is known here alone."""

import itertools
import re
import time
from collections.abc import Iterator

from playwright.sync_api import (
    Browser,
    BrowserContext,
    CDPSession,
    Frame,
    Locator,
    Page,
    expect,
)

from tests.browser.shop import Demo

_numbers = itertools.count(1)
MAIL_S = 15.0
# Above the card's own: every stroke overlaps the one before.
STROKES = 12
# The frame grows to its new height in a quarter of a second, and a press aimed at
# where something was would miss. What its page tells is out after two of its pictures;
# after two of the shop's it has come, and what moves there can be awaited. A frame that
# nobody sees paints none.
PAINTED = """async () => {
  const picture = () => new Promise(done => {
    requestAnimationFrame(done)
    setTimeout(done, 500)
  })
  await picture()
  await picture()
}"""
AT_REST = f"""async () => {{
  await ({PAINTED})()
  await Promise.all(document.getAnimations()
    .filter(each => each.effect.getComputedTiming().iterations !== Infinity)
    .map(each => each.finished.catch(() => {{}})))
}}"""
# Who presses a button within a second of seeing its page is taken for a scanner.
READING_MS = 1_200
MOST_TABS = 60
# Beside the game of a page, the newsletter stands in the shop's footer.
GAME = "jawoord-widget:not(footer *)"
# Just within the rim, at the top, whatever way the wheel was turned to get there.
UNDER_POINTER = """() => {
  const { left, top, width } = document.querySelector('.round').getBoundingClientRect()
  const found = document.elementsFromPoint(left + width / 2, top + width * 0.09)
  return found.map(each => each.closest('.segment')).find(Boolean)?.dataset.prize
}"""
SUBJECTS = {"prize": "prijs|prize", "confirm": "bevestig|confirm", "manage": "al aan"}


def address(name: str = "ada") -> str:
    """Return a mail address that nobody used yet."""
    return f"{name}.{next(_numbers)}.{time.time_ns() % 10**6}@huispost.nl"


class Visit:
    """One tab, in the shop or straight in the game."""

    def __init__(self, demo: Demo, page: Page) -> None:
        self.demo = demo
        self.page = page

    # --- the shop ------------------------------------------------------------------

    def shop(self, path: str = "") -> "Visit":
        """Go to a page of the shop, and wait until the loader has its rule."""
        with self.page.expect_response(re.compile(r"/p/(?!footer)[\w-]+\.js")):
            self.page.goto(self.demo.shop(path))
        return self

    @property
    def opener(self) -> Locator:
        """The shop's own button that opens the dialog."""
        return self.page.locator("[data-play]")

    @property
    def dialog(self) -> Locator:
        return self.page.locator(f"{GAME} dialog")

    @property
    def close_button(self) -> Locator:
        return self.page.locator(f"{GAME} dialog button")

    def open(self) -> Frame:
        """Press the shop's button until the dialog is there, and return the game."""
        self.opener.click()
        expect(self.dialog).to_be_visible()
        return self.frame()

    def frame(self) -> Frame:
        """Return the game's frame, loaded."""
        element = self.page.locator(f"{GAME} iframe")
        element.scroll_into_view_if_needed()
        handle = element.element_handle()
        assert handle is not None
        frame = handle.content_frame()
        assert frame is not None
        frame.wait_for_url(re.compile(re.escape(self.demo.service)))
        frame.wait_for_load_state()
        return frame

    def straight(self, code: str, **query: str) -> Frame:
        """Go to a placement's game without a shop around it."""
        wishes = "&".join(f"{name}={value}" for name, value in query.items())
        self.page.goto(f"{self.demo.service}/w/{code}?{wishes}")
        return self.page.main_frame

    def press(self) -> None:
        """Press the one button of a page behind a link, having read it."""
        self.page.wait_for_timeout(READING_MS)
        self.page.locator("form button.main").click()
        expect(self.page.locator("form")).to_have_count(0)

    # --- the mailbox ---------------------------------------------------------------

    def mails(self, to: str, *, least: int = 1) -> dict[str, str]:
        """Wait for mails to an address; return where each is, by its kind."""
        deadline = time.monotonic() + MAIL_S
        while True:
            self.page.goto(self.demo.shop("inbox?lang=nl"))
            rows = self.page.locator(".mail-row").filter(has_text=to)
            found = {
                _kind_of(row.locator(".mail-subject").inner_text()): str(
                    row.locator("a").get_attribute("href")
                )
                for row in rows.all()
            }
            if len(found) >= least:
                return found
            assert time.monotonic() < deadline, f"only {list(found)} came to {to}"
            self.page.wait_for_timeout(200)

    def read_mail(self, where: str, part: str = "html") -> Page | Frame:
        """Open a mail and return where its words are."""
        joint = "&" if "?" in where else "?"
        self.page.goto(f"{self.demo.address.shop}{where}{joint}part={part}")
        if part != "html":
            return self.page
        handle = self.page.locator("iframe.mail-html").element_handle()
        frame = handle and handle.content_frame()
        assert frame is not None
        frame.wait_for_load_state()
        return frame


def _kind_of(subject: str) -> str:
    (kind,) = [k for k, words in SUBJECTS.items() if re.search(words, subject, re.I)]
    return kind


class Keys:
    """A keyboard, and nothing else."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._place: Page | Frame = page
        self.tabs = 0

    def into(self, place: Frame) -> "Keys":
        """Look for what has the focus in this frame from now on."""
        self._place = place
        return self

    def has(self, selector: str) -> bool:
        """Return whether the focus is on such an element."""
        return bool(
            self._place.evaluate(
                "wanted => document.activeElement?.matches(wanted)", selector
            )
        )

    def to(self, selector: str) -> "Keys":
        """Press Tab until such an element has the focus."""
        for _ in range(MOST_TABS):
            if self.has(selector):
                return self
            self._page.keyboard.press("Tab")
            self.tabs += 1
        raise AssertionError(f"{selector} cannot be reached by Tab")

    def press(self, key: str) -> "Keys":
        self._page.keyboard.press(key)
        return self

    def type(self, words: str) -> "Keys":
        self._page.keyboard.type(words)
        return self


# --- in the game -------------------------------------------------------------------


def say_adult(game: Frame, *, yes: bool = True) -> None:
    """Answer the age question."""
    game.locator(f"[name=adult][value={'yes' if yes else 'no'}]").check()


def accept_terms(game: Frame) -> None:
    game.locator("[name=terms]").check()


def play(game: Frame) -> None:
    """Answer what a play-first game asks, and take a card."""
    say_adult(game)
    accept_terms(game)
    submit(game)
    expect(game.locator("canvas.foiled")).to_be_visible()


def spin(game: Frame) -> None:
    """Answer what a play-first game asks, and set the wheel in motion."""
    say_adult(game)
    accept_terms(game)
    submit(game)
    expect(game.locator("#wheel[data-prize]")).to_be_attached()


def stop_wheel(game: Frame) -> None:
    """Press the button that shows the outcome at once."""
    # In the page, which waits for nothing: not for the disc to stand still, nor for a
    # button that is gone because a busy machine let the turn end by itself.
    game.locator("[data-reveal]").evaluate("button => button.click()")
    expect(game.locator("[data-reveal]")).to_be_hidden()


def hold_wheel(page: Page) -> CDPSession:
    """Let a wheel of this page turn for minutes, so that a test can look at it.

    `let_wheel_go` gives it its own pace back.
    """
    # The wheel's way out for a browser that never says that the turn is over.
    page.add_init_script(
        "const wait = setTimeout; setTimeout = (act, ms) => ms < 5000 && wait(act, ms)"
    )
    browser = page.context.new_cdp_session(page)
    browser.send("Animation.enable")
    browser.send("Animation.setPlaybackRate", {"playbackRate": 0.02})
    return browser


def let_wheel_go(browser: CDPSession) -> None:
    """Let a held wheel turn on as it does for visitors."""
    browser.send("Animation.setPlaybackRate", {"playbackRate": 1})


def under_pointer(game: Frame) -> str:
    """Return the prize on whose segment the pointer is, as the screen shows it."""
    return str(game.evaluate(UNDER_POINTER))


def rest(game: Frame) -> None:
    """Wait until the game's frame has the height that its page asked for."""
    if game == game.page.main_frame:
        return
    for place, ready in ((game, PAINTED), (game.page, AT_REST), (game, PAINTED)):
        place.evaluate(ready)


def until(place: Page | Frame, condition: str, *, limit_ms: int = 15_000) -> None:
    """Wait until an expression holds in a page.

    Playwright's own way asks the page to evaluate words, which our policy forbids.
    """
    place.evaluate(
        f"""async limit => {{
          const start = performance.now()
          while (!({condition})) {{
            if (performance.now() - start > limit) throw new Error('it never came')
            await new Promise(done => setTimeout(done, 20))
          }}
        }}""",
        limit_ms,
    )


def submit(game: Frame, button: str = "form button.main") -> None:
    """Press the one button that sends, wait for the answer."""
    rest(game)
    with game.page.expect_response(re.compile(r"/entries$")):
        game.locator(button).locator("visible=true").click()


def scratch(game: Frame) -> None:
    """Rub the foil off with a pointer, line by line."""
    foil = game.locator("canvas.foiled")
    foil.scroll_into_view_if_needed()
    # The card flies in; its place is only good once it rests.
    game.page.wait_for_timeout(900)
    box = foil.bounding_box()
    assert box is not None
    mouse = game.page.mouse
    mouse.move(box["x"] + 4, box["y"] + 4)
    mouse.down()
    for stroke in range(STROKES):
        y = box["y"] + box["height"] * (stroke + 0.5) / STROKES
        for x in (4, box["width"] - 4)[:: -1 if stroke % 2 else 1]:
            mouse.move(box["x"] + x, y, steps=8)
    mouse.up()


def reveal(game: Frame) -> None:
    """Press the button that scratches it all."""
    game.locator("[data-reveal]").click()
    expect(game.locator("[data-reveal]")).to_be_hidden()


def fill_person(game: Frame, email: str, *consents: str, name: str = "") -> None:
    """Say who you are and tick consents."""
    rest(game)
    game.locator("[name=email]").fill(email)
    if name:
        game.locator("[name=first_name]").fill(name)
    for purpose in consents:
        game.locator(f"[name='consent.{purpose}']").check()


def code_shown(game: Frame) -> str:
    """Return the code of the prize, which is on the screen."""
    shown = game.locator(".code code")
    expect(shown).to_be_visible()
    return shown.inner_text().strip()


def spoken(game: Frame) -> Locator:
    """Return the region that a screen reader reads aloud."""
    return game.locator("[role=status]")


def new_visitor(browser: Browser, **wishes: object) -> Iterator[BrowserContext]:
    """Yield a visitor who reads Dutch unless told otherwise."""
    opened = browser.new_context(
        **{"locale": "nl-NL", "timezone_id": "Europe/Amsterdam"} | wishes
    )
    opened.set_default_timeout(30_000)
    yield opened
    opened.close()
