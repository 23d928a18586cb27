"""The main job in a real browser: play, say yes, confirm, and change your mind."""

import re
import time

from playwright.sync_api import BrowserContext, expect

from server.showroom import MEMBERS, PASSWORD
from tests.browser.shop import Demo
from tests.browser.visit import (
    READING_MS,
    Keys,
    Visit,
    address,
    code_shown,
    fill_person,
    play,
    scratch,
    submit,
)

SEALED_S = 20.0


def test_a_visitor_plays_says_yes_confirms_and_stops(
    visit: Visit, context: BrowserContext, demo: Demo
) -> None:
    email = address()
    page = visit.page

    game = visit.shop().open()
    expect(game.locator("h1")).to_have_text("Kras je geluk open")
    play(game)
    expect(game.locator("[name=email]")).to_be_hidden()
    scratch(game)
    expect(game.locator("h1")).to_contain_text("Raak! Je wint")
    prize = game.locator(".result-label").inner_text()
    fill_person(game, email, "newsletter", name="Ada")
    submit(game)
    code = code_shown(game)
    assert demo.decisions(email) == []

    mails = visit.mails(email, least=2)
    won = visit.read_mail(mails["prize"])
    expect(won.locator("body")).to_contain_text(code)
    expect(won.locator("body")).to_contain_text(prize)
    asks = visit.read_mail(mails["confirm"])
    expect(asks.locator("body")).not_to_contain_text(code)
    asks.locator(f"a[href^='{demo.service}/confirm/']").first.click()
    page.wait_for_url(re.compile("/confirm/"))
    expect(page.locator("main")).to_contain_text("Nieuwsbrief")
    assert demo.decisions(email) == []
    visit.press()
    assert not re.search(r"/confirm/.{20}", page.url)
    assert demo.decisions(email) == ["given"]

    office = context.new_page()
    office.goto(f"{demo.service}/office/")
    office.locator("[name=email]").fill(MEMBERS[0][0])
    office.locator("[name=password]").fill(PASSWORD)
    office.locator("button.primary").click()
    office.locator("nav a[href$='/entries']").click()
    office.get_by_role("link", name=email).click()
    expect(office.locator("main")).to_contain_text(email)
    expect(office.locator("main")).to_contain_text("Zei ja")
    office.close()

    stops = visit.read_mail(mails["prize"])
    stops.locator(f"a[href^='{demo.service}/unsubscribe/']").first.click()
    page.wait_for_url(re.compile("/unsubscribe/"))
    visit.press()
    assert demo.decisions(email) == ["given", "withdrawn"]

    # The worker numbers both within seconds, and an auditor finds nothing (PR-05).
    open_facts = "SELECT count(*) FROM consent_event WHERE seq IS NULL"
    deadline = time.monotonic() + SEALED_S
    while demo.rows(open_facts)[0][0] and time.monotonic() < deadline:
        page.wait_for_timeout(200)
    said = demo.command("ledger", "verify")
    assert "nothing is out of place" in said and "waiting" not in said


def test_a_visitor_does_all_of_it_with_the_keyboard(visit: Visit, demo: Demo) -> None:
    """AX-01, AX-04: no pointer is needed anywhere, and nothing is out of reach."""
    email = address()
    keys = Keys(visit.page)
    visit.shop()

    keys.to("[data-play]").press("Enter")
    game = visit.frame()
    keys.into(game).to("[name=adult]").press("Space")
    keys.to("[name=terms]").press("Space")
    keys.to("form button.main").press("Enter")
    expect(game.locator("canvas.foiled")).to_be_visible()
    keys.to("[data-reveal]").press("Enter")
    expect(game.locator("h1")).to_contain_text("Raak! Je wint")
    expect(game.locator("h1")).to_be_focused()
    keys.to("[name=email]").type(email)
    keys.to("[name='consent.newsletter']").press("Space")
    keys.to("form button.main").press("Enter")
    code_shown(game)
    keys.to("[data-close]").press("Enter")

    expect(visit.dialog).to_be_hidden()
    expect(visit.opener).to_be_focused()
    confirm = visit.mails(email, least=2)["confirm"]
    visit.read_mail(confirm)
    link = visit.page.locator("iframe.mail-html").content_frame
    visit.page.goto(
        str(link.locator("a[href*='/confirm/']").first.get_attribute("href"))
    )
    visit.page.wait_for_timeout(READING_MS)
    Keys(visit.page).to("form button.main").press("Enter")
    expect(visit.page.locator("form")).to_have_count(0)
    assert demo.decisions(email) == ["given"]
