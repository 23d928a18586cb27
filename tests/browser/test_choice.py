"""A winner picks a prize with the keyboard alone, in Dutch (PZ-04, AX-01)."""

import re
from typing import Any

from playwright.sync_api import expect

from tests.browser.shop import Demo
from tests.browser.test_access import NARROW, faults
from tests.browser.visit import Keys, Visit, address, code_shown, spin
from tests.factories import campaign_tables, prize_table

CODE = "pick-wheel"


def _prize(key: str, label: str, **more: Any) -> dict[str, Any]:
    texts = {locale: {"label": label, "claim": "-"} for locale in ("nl", "en")}
    return prize_table(key, texts=texts, **more)


def _campaign() -> dict[str, Any]:
    pick = _prize("pick", "Kies zelf", kind="choice", options=["mug", "tea", "bag"])
    # As wide as a narrow phone, and one word.
    long = "Handdoekenverrassingspakketten"
    mug = _prize("mug", long, weight=0, stock=0)
    tea = _prize("tea", "Thee voor twee", kind="service", weight=0, stock=9)
    bag = _prize("bag", "Linnen tas", weight=0)
    del pick["stock"], bag["stock"]
    tables = campaign_tables("welcome-wheel", code=CODE)
    tables |= {"wheel": {"area": "equal"}, "prizes": [pick, mug, tea, bag]}
    return tables | {
        "fallback": "bag",
        "placements": [{"code": CODE, "shape": "inline"}],
    }


def test_a_prize_is_picked_by_keyboard(demo: Demo, visit: Visit) -> None:
    demo.load("campaign", _campaign())
    game = visit.straight(CODE, lang="nl")
    spin(game)
    game.locator("[data-reveal]").press("Enter")
    group = game.get_by_role("radiogroup", name="Kies je prijs")
    expect(group).to_be_visible()

    expect(group.get_by_role("radio")).to_have_count(3)
    gone = group.get_by_role("radio", name="Handdoekenverrassingspakketten (Op)")
    expect(gone).to_be_disabled()
    assert faults(game) == []
    for width in (320, 390):
        game.page.set_viewport_size({"width": width, "height": 800})
        assert game.evaluate(NARROW) <= 0
    keys = Keys(game.page).into(game).to("[name=choice]").press("Space")
    expect(group.get_by_role("radio", name="Thee voor twee")).to_be_checked()
    keys.press("ArrowDown")
    expect(group.get_by_role("radio", name="Linnen tas")).to_be_checked()
    keys.to("[name=email]").type(address("pick"))
    with game.page.expect_response(re.compile(r"/entries$")):
        keys.to("#claim button.main").press("Enter")

    expect(game.locator("[data-tell=done]")).to_be_visible()
    assert code_shown(game)
    assert faults(game) == []
