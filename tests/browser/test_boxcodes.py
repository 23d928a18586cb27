"""A label out of a box and a phone: scan, play, and what a second scan says (PZ-11)."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.shop import Demo
from tests.browser.test_access import faults
from tests.browser.visit import (
    Visit,
    address,
    code_shown,
    fill_person,
    play,
    reveal,
    submit,
)

PHONE = {"width": 390, "height": 844}
OPENED = "SELECT opened_at IS NOT NULL, entry_id IS NOT NULL FROM box_code WHERE id = ?"


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """A phone that fails its test on a script error or a breach of our policy."""
    context = browser.new_context(
        locale="nl-NL", viewport=PHONE, has_touch=True, is_mobile=True
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on(
        "console",
        lambda said: "Content Security" in said.text and broken.append(said.text),
    )
    yield page
    context.close()
    assert broken == []


def label_of(demo: Demo, page: Page) -> tuple[str, str, int]:
    """Return link, characters and row of the label that the demo shows."""
    page.goto(demo.shop("games/box-code"))
    link = page.locator("#label a").first.get_attribute("href")
    typed = page.locator("#label code").inner_text()
    assert link
    (row,) = demo.rows("SELECT min(id) FROM box_code WHERE entry_id IS NULL")
    return link, typed, row[0]


def test_a_scan_opens_a_play_uses_up_and_the_next_scan_says_so(
    demo: Demo, phone: Page
) -> None:
    """PZ-11, on the journey of a customer with a phone."""
    link, typed, row = label_of(demo, phone)
    phone.goto(link)
    game = phone.main_frame
    expect(game.locator("h1")).to_have_text("Er zit nog iets in je doos")
    with phone.expect_response("**/b/opened") as told:
        phone.reload()
    assert told.value.status == 204
    assert demo.rows(OPENED, row) == [(1, 0)]

    play(game)
    reveal(game)
    fill_person(game, address("doos"), "newsletter")
    submit(game)
    code_shown(game)

    assert demo.rows(OPENED, row) == [(1, 1)]
    phone.goto(link)
    expect(phone.locator("h1")).to_have_text("Met deze code is al gespeeld")
    assert faults(phone) == []
    phone.get_by_role("link", name="Ik heb een andere code").click()
    phone.locator("[name=code]").fill(typed)
    phone.locator("button.main").click()
    expect(phone.locator("h1")).to_have_text("Met deze code is al gespeeld")


def test_who_lost_the_page_finds_the_prize_again(demo: Demo, phone: Page) -> None:
    """A second scan before the address was left shows what was won, not a new card."""
    link, _typed, _row = label_of(demo, phone)
    phone.goto(link)
    play(phone.main_frame)
    reveal(phone.main_frame)
    won = phone.locator(".result-label").inner_text()

    phone.goto(link)

    expect(phone.locator(".result-label")).to_have_text(won)
    fill_person(phone.main_frame, address("terug"))
    submit(phone.main_frame)
    code_shown(phone.main_frame)


def test_the_characters_are_typed_and_a_slip_is_told(demo: Demo, phone: Page) -> None:
    _link, typed, _row = label_of(demo, phone)
    wrong = ("2" if typed[0] == "1" else "1") + typed[1:]
    phone.get_by_role("link", name="Typ de code").click()
    field = phone.locator("[name=code]")
    field.fill(wrong)
    phone.locator("button.main").click()

    expect(phone.get_by_role("alert")).to_contain_text(f"“{typed[-1]}”")
    expect(field).to_have_value(wrong)
    assert faults(phone) == []
    field.fill(typed.lower())
    phone.locator("button.main").click()

    expect(phone.locator("h1")).to_have_text("Er zit nog iets in je doos")


def test_a_page_that_runs_no_script_was_not_opened(
    demo: Demo, phone: Page, browser: Browser
) -> None:
    """What only fetches the link, as a preview does, counts nothing."""
    link, _typed, row = label_of(demo, phone)
    before = demo.rows(OPENED, row)
    context = browser.new_context(java_script_enabled=False)
    context.new_page().goto(link)
    context.close()

    assert demo.rows(OPENED, row) == before


def test_without_a_code_the_way_to_one_is_shown(visit: Visit, demo: Demo) -> None:
    """The placement itself, which no label leads to, asks for a code."""
    visit.straight("box-scratch-code")

    expect(visit.page.locator("h1")).to_have_text("Typ de code uit je doos")
