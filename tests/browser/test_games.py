"""Every game in every shape, and every page of the demo that tells how to provoke one.

Two origins: the shop's page on `localhost`, the game's frame on `127.0.0.1`.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Frame, Locator, Page, expect

from server.views.demo.games import GAMES
from tests.browser.host import Host
from tests.browser.shop import Demo
from tests.browser.stage import ARMED_MS, TALL
from tests.browser.test_access import NARROW, faults
from tests.browser.test_embedding import tag
from tests.browser.visit import (
    GAME,
    Visit,
    accept_terms,
    address,
    fill_person,
    new_visitor,
    play,
    rest,
    reveal,
    say_adult,
    spin,
    stop_wheel,
    submit,
)
from tests.factories import campaign_tables

NARROWEST = {"width": 320, "height": 700}
SHAPES = ("inline", "dialog", "slide", "bar", "tab", "page")
SOON_MS = 10_000
# Axe takes a page without a ground for a white one.
BOTH_SHADES = """<style>:root { color-scheme: light dark }
body { background: Canvas; color: CanvasText }</style>"""
# Longer than any page here waits by itself.
LONG_MS = 2_600
SHORT_MS = 800


# --- every game in every shape -----------------------------------------------------


def play_wheel(game: Frame) -> None:
    spin(game)
    stop_wheel(game)
    fill_person(game, address())
    submit(game)
    expect(game.locator("#prize .code")).to_be_visible()


def play_scratch(game: Frame) -> None:
    play(game)
    reveal(game)
    fill_person(game, address())
    submit(game)
    expect(game.locator("#prize .code")).to_be_visible()


def play_quiz(game: Frame) -> None:
    """Answer whatever is asked; the result is there before the address is (CR-10)."""
    forward = game.locator("[data-forward]")
    for _ in range(9):
        answers = game.locator("fieldset[data-step]:visible .answer")
        if answers.count():
            answers.first.click()
        if not forward.is_visible():
            break
        forward.click()
    # The frame grows and shrinks with each question.
    rest(game)
    say_adult(game)
    accept_terms(game)
    submit(game)
    expect(game.locator("#found")).to_be_visible()
    fill_person(game, address())
    submit(game)
    expect(game.locator("#prize .code")).to_be_visible()


def play_form(game: Frame) -> None:
    for _ in range(2):
        game.locator("[data-forward]").click()
    fill_person(game, address(), "early_access")
    submit(game)
    expect(game.locator("#next")).to_be_visible()


def play_newsletter(game: Frame) -> None:
    """One line that unfolds at the address."""
    expect(game.locator(".unfold")).to_be_hidden()
    fill_person(game, address())
    # Only now there is more than the address.
    rest(game)
    # By keyboard: a form that still unfolds would move from under the pointer.
    game.locator("[name='consent.newsletter']").press("Space")
    submit(game)
    expect(game.locator("#next")).to_be_visible()


PLAYS: dict[str, Callable[[Frame], None]] = {
    "welcome-wheel": play_wheel,
    "lucky-scratch": play_scratch,
    "style-quiz": play_quiz,
    "black-friday": play_form,
    "footer-newsletter": play_newsletter,
}


@pytest.fixture(scope="module")
def placed(demo: Demo, host: Host) -> dict[tuple[str, str], str]:
    """Every game in every shape, at a shop of the tests' own."""
    codes = {}
    for name in PLAYS:
        tables = campaign_tables(name, code=f"all-{name}", shop="host")
        # Pictures lie beside the ready-made files; those of a copy would have to move.
        _forget_pictures(tables)
        tables["placements"] = []
        for shape in SHAPES:
            codes[name, shape] = f"all-{name}-{shape}"
            placement = {"code": codes[name, shape], "shape": shape}
            if shape == "page":
                placement["channel"] = "link"
            if shape in {"dialog", "slide"}:
                placement["trigger"] = {"selector": "h1"}
            tables["placements"].append(placement)
        demo.load("campaign", tables)
    return codes


def _forget_pictures(value: object) -> None:
    if isinstance(value, dict):
        for key in ("image", "logo", "foil_image"):
            value.pop(key, None)
        for inner in value.values():
            _forget_pictures(inner)
    elif isinstance(value, list):
        for inner in value:
            _forget_pictures(inner)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", PLAYS)
def test_every_game_is_played_in_every_shape(
    demo: Demo,
    host: Host,
    page: Page,
    placed: dict[tuple[str, str], str],
    name: str,
    shape: str,
) -> None:
    """CR-12, EM-04, AX-05: the same path, whatever holds it, and axe finds nothing.

    Every other one by night; each step is asked in `test_every_step`, without a holder.
    """
    code = placed[name, shape]
    is_dark = (list(PLAYS).index(name) + SHAPES.index(shape)) % 2
    page.emulate_media(color_scheme="dark" if is_dark else "light")
    if shape == "page":
        page.goto(f"{demo.service}/w/{code}")
        game = page.main_frame
    else:
        with page.expect_response(lambda answer: f"/p/{code}" in answer.url):
            page.goto(host.put("/all", BOTH_SHADES + TALL + tag(demo, code)))
        page.wait_for_timeout(300)
        _open(page, shape)
        game = Visit(demo, page).frame()
    before = demo.counts()["entry"]
    found = faults(page) + faults(game)

    PLAYS[name](game)

    assert demo.counts()["entry"] == before + 1
    assert found + faults(page) + faults(game) == []


def _open(page: Page, shape: str) -> None:
    if shape in {"dialog", "slide"}:
        page.locator("h1").click()
    elif shape in {"bar", "tab"}:
        page.locator("jawoord-widget button.ask").click()


# --- the demo's pages --------------------------------------------------------------


def shown(visit: Visit) -> Locator:
    """Return what of ours can be seen, beside the newsletter in the footer."""
    return visit.page.locator(f"{GAME} :is(.panel, .bar, .tab, iframe)").locator(
        "visible=true"
    )


def nothing(visit: Visit) -> None:
    visit.page.wait_for_timeout(SHORT_MS)


def wait(visit: Visit) -> None:
    visit.page.wait_for_timeout(LONG_MS)


def call(*words: str) -> Callable[[Visit], None]:
    """Press these buttons of the page, one after the other."""

    def press(visit: Visit) -> None:
        for word in words:
            visit.page.get_by_role("button", name=word, exact=True).click()
            visit.page.wait_for_timeout(100)

    return press


def leave(visit: Visit) -> None:
    visit.page.wait_for_timeout(ARMED_MS)
    visit.page.mouse.move(300, 200)
    visit.page.mouse.move(300, 3, steps=5)
    visit.page.mouse.move(300, -4)


def scroll(visit: Visit) -> None:
    for _ in range(12):
        visit.page.mouse.wheel(0, 600)
        visit.page.wait_for_timeout(60)


def come_by_a_link(visit: Visit) -> None:
    visit.page.goto(visit.demo.shop("games/"))
    visit.page.locator("a[href*='/games/returning']").click()


# What each page tells to do, done. Who does something else sees nothing.
PROVOKE: dict[str, tuple[Callable[[Visit], None], Callable[[Visit], None] | None]] = {
    "wheel": (scroll, None),
    "scratch": (scroll, None),
    "quiz": (scroll, None),
    "form": (scroll, None),
    "newsletter": (scroll, None),
    "raffle": (scroll, None),
    "win-back": (scroll, None),
    "inline": (scroll, None),
    "dialog": (call("Open het"), nothing),
    "slide": (nothing, None),
    "bar": (nothing, None),
    "tab": (nothing, None),
    "delay": (nothing, None),
    "leaving": (leave, nothing),
    "leaving-touch": (leave, nothing),
    "scroll": (scroll, nothing),
    "idle": (nothing, None),
    "views": (call("Bekijk een product"), call(*["Bekijk een product"] * 2)),
    "basket": (call("Mandje: € 39,90"), call("Mandje: € 20")),
    "order": (call("Bestelling geplaatst"), nothing),
    "click": (call("Open het"), nothing),
    "event": (call("Geef het seintje"), nothing),
    "address": (
        lambda visit: visit.page.get_by_text("?actie=vroeg").last.click(),
        wait,
    ),
    "language": (
        lambda visit: visit.page.get_by_text("EN", exact=True).click(),
        wait,
    ),
    "returning": (come_by_a_link, wait),
    "together": (scroll, wait),
}


def test_every_page_of_the_demo_is_provoked_here() -> None:
    # What has a page of its own is walked there: links, tablets, and a code in the box.
    assert PROVOKE.keys() == {slug for slug, g in GAMES.items() if not g.is_elsewhere}


@pytest.mark.parametrize("slug", PROVOKE)
def test_a_page_of_the_demo_does_what_it_tells(visit: Visit, slug: str) -> None:
    """Each moment and shape, provoked on the shop's own page, on two origins."""
    provoke, leave_alone = PROVOKE[slug]
    visit.page.goto(visit.demo.shop(f"games/{slug}"))
    visit.page.wait_for_load_state("networkidle")
    if leave_alone:
        leave_alone(visit)
        expect(shown(visit)).to_have_count(0)

    provoke(visit)

    expect(shown(visit).first).to_be_visible(timeout=SOON_MS)


@pytest.mark.parametrize("slug", [slug for slug, game in GAMES.items() if game.link])
def test_what_needs_no_tag_is_one_press_away(visit: Visit, slug: str) -> None:
    visit.page.goto(visit.demo.shop(f"games/{slug}"))

    visit.page.get_by_role("link", name="Open het", exact=True).click()

    visit.page.wait_for_url(f"{visit.demo.service}{GAMES[slug].link}**")
    expect(visit.page.locator("h1")).to_be_visible()


def test_a_raffle_that_was_drawn_is_checked_from_its_page(
    visit: Visit, tmp_path: Path
) -> None:
    """PZ-08: the demo's own, drawn before it began."""
    page = visit.page
    page.goto(visit.demo.shop("games/drawn-raffle?lang=en"))
    drawn = page.locator(".drawn dd").all_inner_texts()
    page.get_by_role("link", name="See how it was drawn").click()
    with page.expect_download() as coming:
        page.get_by_role("link", name="Download the raffle").click()
    coming.value.save_as(tmp_path / "draw.jsonl")

    page.get_by_label("File with the raffle").set_input_files(tmp_path / "draw.jsonl")

    expect(page.locator("#verdict")).to_contain_text("Every line is right.")
    expect(page.locator("#verdict")).to_contain_text("5 were drawn as promised")
    assert len(drawn) == 5
    for label in drawn:
        expect(page.get_by_role("row", name=label)).to_be_visible()


@pytest.mark.parametrize(("language", "scheme"), [("nl", "dark"), ("en", "light")])
def test_every_page_of_the_demo_is_for_everybody(
    browser: Browser, demo: Demo, language: str, scheme: str
) -> None:
    """AX-04: axe finds nothing, and nothing is wider than the narrowest screen."""
    # Calm, because what fades in has no contrast yet.
    calm = {"color_scheme": scheme, "viewport": NARROWEST, "reduced_motion": "reduce"}
    for context in new_visitor(browser, **calm):
        page = context.new_page()
        for path in ("games/", *(f"games/{slug}" for slug in GAMES)):
            page.goto(demo.shop(f"{path}?lang={language}"))

            assert faults(page) == [], path
            assert page.evaluate(NARROW) <= 0, path


def test_who_closed_it_can_start_afresh(visit: Visit) -> None:
    """CR-12: closed stays closed, and the demo says how to see it once more."""
    visit.shop("games/slide")
    panel = visit.page.locator(f"{GAME} .slide")
    expect(panel).to_be_visible(timeout=SOON_MS)
    panel.locator(".close").click()
    visit.page.reload()
    wait(visit)
    expect(shown(visit)).to_have_count(0)

    visit.page.get_by_role("button", name="Begin opnieuw").click()

    expect(panel).to_be_visible(timeout=SOON_MS)


def test_the_code_of_the_box_leads_to_its_game(browser: Browser, demo: Demo) -> None:
    """The picture is really there, under the policy of the page."""
    for context in new_visitor(browser):
        page = context.new_page()
        page.goto(demo.shop("games/box"))

        width = page.locator("img.qr").evaluate("picture => picture.naturalWidth")

        assert width > 0
