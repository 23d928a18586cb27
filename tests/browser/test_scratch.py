"""The scratch card's settings, as a finger meets them."""

import pytest
import tomli_w
from playwright.sync_api import Frame, Page, expect

from tests.browser.shop import Demo
from tests.browser.visit import STROKES, Visit, hold_wheel, play, reveal
from tests.factories import campaign_tables
from tests.pictures import picture

# The card never reads its pixels; a test may. Left and right, away from the words.
COLOURS = """() => {
  const canvas = document.querySelector('canvas.foiled')
  const at = (x) => [...canvas.getContext('2d')
    .getImageData(canvas.width * x, canvas.height * 0.12, 1, 1).data]
    .slice(0, 3).map(each => Math.round(each / 16))
  return [at(0.1), at(0.9)]
}"""
RED, WHITE = [16, 0, 0], [16, 16, 16]
DRAWN = "document.querySelector('.foil-art').decode().then(() => 1)"
# Notes what the device would let the hand feel.
FEEL = """window.felt = []
navigator.vibrate = (pattern) => felt.push(pattern)"""


@pytest.fixture(scope="session")
def cards(demo: Demo) -> dict[int, str]:
    """Cards that open early and late: percentage -> placement."""
    made = {}
    for percent in (20, 95):
        code = f"scratch-{percent}"
        tables = campaign_tables("lucky-scratch", code=code)
        tables["scratch"] = {"reveal_percent": percent}
        tables["placements"] = [{"code": code, "shape": "inline"}]
        demo.load("campaign", tables)
        made[percent] = code
    return made


@pytest.fixture(scope="session")
def with_art(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A card whose foil is a picture: its left half red, the rest white."""
    folder = tmp_path_factory.mktemp("art")
    (folder / "foil.png").write_bytes(picture("PNG", (640, 360)))
    tables = campaign_tables("lucky-scratch", code="scratch-art")
    tables["theme"]["foil_image"] = "foil.png"
    tables["placements"] = [{"code": "scratch-art", "shape": "inline"}]
    path = folder / "art.toml"
    path.write_text(tomli_w.dumps(tables))
    demo.command("campaign", "import", str(path))
    return "scratch-art"


def rub(game: Frame, share: float) -> None:
    """Rub away the upper share of the foil, line by line."""
    foil = game.locator("canvas.foiled")
    game.page.wait_for_timeout(900)
    box = foil.bounding_box()
    assert box is not None
    mouse = game.page.mouse
    mouse.move(box["x"] + 4, box["y"] + 4)
    mouse.down()
    for stroke in range(round(STROKES * share)):
        y = box["y"] + box["height"] * (stroke + 0.5) / STROKES
        for x in (4, box["width"] - 4)[:: -1 if stroke % 2 else 1]:
            mouse.move(box["x"] + x, y, steps=8)
    mouse.up()


def test_how_much_has_to_go_is_a_setting(visit: Visit, cards: dict[int, str]) -> None:
    """AX-01: half of the foil opens one card and not the other, and the button both."""
    game = visit.straight(cards[20])
    play(game)
    rub(game, 0.5)
    expect(game.locator("[data-reveal]")).to_be_hidden()

    game = visit.straight(cards[95])
    play(game)
    rub(game, 0.5)
    expect(game.locator("[data-reveal]")).to_be_visible()
    expect(game.locator("canvas.foiled")).to_be_visible()
    reveal(game)


@pytest.mark.parametrize("code", ["lucky-inline", "welcome-wheel-inline"])
def test_the_hand_feels_the_play_where_the_device_can(
    page: Page, demo: Demo, code: str
) -> None:
    """Once as it begins and once as it ends, in either game."""
    page.add_init_script(FEEL)
    if "wheel" in code:
        hold_wheel(page)
    game = Visit(demo, page).straight(code)
    game.locator("[name=adult][value=yes]").check()
    game.locator("[name=terms]").check()
    game.locator("form button.main").click()
    expect(game.locator("[data-reveal]")).to_be_visible()
    if code.startswith("lucky"):
        rub(game, 0.1)
    game.locator("[data-reveal]").press("Enter")
    expect(game.locator("[data-reveal]")).to_be_hidden()

    begun, ended = page.evaluate("felt")
    assert isinstance(begun, int) and begun < 20
    assert ended == [10, 40, 20]


def test_the_foil_can_be_a_picture_of_the_shop(visit: Visit, with_art: str) -> None:
    """On the promise and on the card; what is under it shows once it is gone."""
    game = visit.straight(with_art)
    assert visit.page.evaluate(DRAWN) > 0
    play(game)

    visit.page.wait_for_timeout(400)
    assert visit.page.evaluate(COLOURS) == [RED, WHITE]
    reveal(game)
    expect(game.locator("canvas.foiled")).to_have_count(0)
    expect(game.locator(".foil-art")).to_be_hidden()
    expect(game.locator(".result-label")).to_be_visible()
