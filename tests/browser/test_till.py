"""The tablet at the till: one person after the other, and nothing left between them."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Frame, Page, StorageState, expect

from tests.browser.shop import Demo
from tests.browser.test_privacy import NOTHING, kept
from tests.browser.visit import accept_terms, address, code_shown, say_adult, submit

TABLET = {"width": 1024, "height": 768}
CODE = re.compile(r"\S{4}-\S{4}-\S{4}-\S")
# With these an idle tablet asks, and clears itself.
ASKS_MS = 10_500
CLEARS_MS = 20_500
# What can be pressed and is under 44 pixels; a box is as large as its card.
# What is still on its way in is measured as it arrives.
SMALL = """() => {
  for (const each of document.getAnimations())
    if (Number.isFinite(each.effect.getComputedTiming().endTime)) each.finish()
  const all = document.querySelectorAll('button, summary, input, a[href]')
  const seen = [...all].filter(each => each.type !== 'hidden' && each.checkVisibility())
  const parts = seen.filter(each => !each.closest('[inert], .trap')).map(each =>
    /radio|box/.test(each.type) ? each.closest('label, .consent, .accept') : each)
  return parts.filter(each => {
    const { width, height } = each.getBoundingClientRect()
    return width < 44 || height < 44
  }).map(each => each.outerHTML.slice(0, 80))
}"""


class Till:
    """A registered tablet."""

    def __init__(self, demo: Demo, page: Page) -> None:
        self.page = page
        page.goto(f"{demo.service}/till/")
        page.wait_for_url("**/till/box-scratch-till")

    @property
    def attract(self):
        return self.page.locator("#attract")

    @property
    def question(self):
        return self.page.locator("#still")

    def start(self) -> Frame:
        """Press the big button and return the game."""
        self.page.locator("[data-start]").first.click()
        handle = self.page.locator("#game iframe").element_handle()
        frame = handle and handle.content_frame()
        assert frame is not None
        frame.wait_for_load_state()
        expect(frame.locator("form button.main")).to_be_visible()
        return frame

    def play(self, frame: Frame, email: str) -> None:
        """Play and fill in, but send nothing."""
        say_adult(frame)
        accept_terms(frame)
        submit(frame)
        frame.locator("[data-reveal]").click()
        frame.locator("[name=email]").fill(email)
        frame.locator("[name=first_name]").fill("Ada")
        frame.locator("[name='consent.newsletter']").check()


@pytest.fixture(scope="module")
def tablet(demo: Demo, browser: Browser) -> StorageState:
    """What a tablet holds that typed its one-time code: once, as in a shop."""
    said = demo.command("device", "add", "--shop", "demo", "--name", "Till 1")
    code = CODE.search(said)
    assert code
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{demo.service}/till/")
    page.locator("[name=code]").fill(code[0])
    page.locator("button.main").click()
    page.wait_for_url("**/till/box-scratch-till")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def till(demo: Demo, browser: Browser, tablet: StorageState) -> Iterator[Till]:
    """A tablet, in a window of its own whose clock a test can move."""
    context = browser.new_context(
        locale="nl-NL",
        viewport=TABLET,
        has_touch=True,
        timezone_id="Europe/Amsterdam",
        storage_state=tablet,
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.clock.install()
    yield Till(demo, page)
    context.close()


def test_nothing_of_one_person_is_there_for_the_next(till: Till, demo: Demo) -> None:
    """CR-13: not in the page, the fields, the history, the storage or behind back."""
    page, email = till.page, address("eerste")
    depth = page.evaluate("history.length")
    till.play(till.start(), email)

    page.locator(".bar [data-wipe]").click()

    expect(till.attract).to_be_visible()
    expect(page.locator("iframe")).to_have_count(0)
    assert email not in page.content()
    assert page.evaluate("history.length") == depth
    game = till.start()
    assert email not in game.content()
    say_adult(game)
    accept_terms(game)
    submit(game)
    game.locator("[data-reveal]").click()
    assert game.locator("[name=email]").input_value() == ""
    assert game.locator("[name=email]").get_attribute("autocomplete") == "off"
    assert game.locator("[name='consent.newsletter']").is_checked() is False
    for place in page.frames:
        assert kept(place) == NOTHING
    page.go_back()
    page.go_forward()
    expect(till.attract).to_be_visible()
    assert email not in page.content()


def test_two_people_in_a_row_each_get_their_own(till: Till, demo: Demo) -> None:
    """CR-13: the customer ticks, each for themselves."""
    first, second = address("een"), address("twee")
    game = till.start()
    till.play(game, first)
    submit(game)
    code_shown(game)
    till.page.locator(".bar [data-wipe]").click()

    game = till.start()
    till.play(game, second)
    game.locator("[name='consent.newsletter']").uncheck()
    submit(game)
    code_shown(game)

    assert "net vaak om gevraagd" not in game.locator("#prize").inner_text()
    devices = demo.rows(
        "SELECT e.device FROM entry e JOIN contact c ON c.id = e.contact_id "
        "WHERE c.email_hash IN (?, ?)",
        *map(demo.hashed, (first, second)),
    )
    assert len(devices) == 2
    assert len(set(devices)) == 1
    assert devices[0][0]
    asked = demo.rows(
        "SELECT c.email_hash FROM optin o JOIN contact c ON c.id = o.contact_id "
        "WHERE c.email_hash IN (?, ?)",
        *map(demo.hashed, (first, second)),
    )
    assert asked == [(demo.hashed(first),)]


def test_an_idle_tablet_asks_and_then_clears_itself(till: Till) -> None:
    """CR-13, AX-06: within half a minute, and not without a word."""
    email = address("weg")
    till.play(till.start(), email)
    expect(till.question).to_be_hidden()

    till.page.clock.run_for(ASKS_MS)
    expect(till.question).to_be_visible()
    expect(till.question).to_contain_text("Ben je er nog?")
    till.page.clock.run_for(CLEARS_MS)

    expect(till.attract).to_be_visible()
    assert email not in till.page.content()
    expect(till.page.locator("#said")).to_have_text("Het scherm is leeggemaakt.")


def test_who_is_still_there_goes_on_as_often_as_they_like(till: Till) -> None:
    """AX-06, SC 2.2.1: ten times over, and nothing that was typed is lost."""
    email = address("blijft")
    game = till.start()
    till.play(game, email)

    for _ in range(10):
        till.page.clock.run_for(ASKS_MS)
        expect(till.question).to_be_visible()
        till.page.locator("[data-stay]").click()
        expect(till.question).to_be_hidden()

    assert game.locator("[name=email]").input_value() == email


def test_a_touch_in_the_game_is_a_sign_of_life(till: Till) -> None:
    game = till.start()
    for _ in range(5):
        till.page.clock.run_for(8_000)
        game.locator("h1").click()

    expect(till.question).to_be_hidden()
    expect(till.attract).to_be_hidden()


def test_a_minor_is_told_and_the_next_person_can_play(till: Till, demo: Demo) -> None:
    """MI-01 at the till: nothing is stored, and the tablet is not spent."""
    before = demo.counts()
    game = till.start()
    say_adult(game, yes=False)
    accept_terms(game)
    submit(game)
    expect(game.locator("h1")).to_contain_text("eerlijk")

    till.page.clock.run_for(9_000)

    expect(till.attract).to_be_visible()
    assert demo.counts() == before
    till.start()


def test_a_mistyped_address_is_asked_about(till: Till) -> None:
    """A hint and a button; what was typed changes only when it is pressed."""
    game = till.start()
    till.play(game, "ada@gmial.com")
    game.locator("[name=email]").blur()

    hint = game.locator("[data-suggest] button")
    expect(hint).to_have_text("Bedoel je ada@gmail.com?")
    assert game.locator("[name=email]").input_value() == "ada@gmial.com"
    hint.click()
    assert game.locator("[name=email]").input_value() == "ada@gmail.com"
    expect(hint).to_have_count(0)


@pytest.mark.parametrize("part", ["attract", "game", "claim", "question"])
def test_everything_is_as_large_as_a_thumb(till: Till, part: str) -> None:
    """AX-04: 44 pixels on a tablet."""
    place: Page | Frame = till.page
    if part != "attract":
        place = till.start()
    if part == "claim":
        till.play(place, address())
    if part == "question":
        till.page.clock.run_for(ASKS_MS)
        place = till.page

    assert place.evaluate(SMALL) == []
