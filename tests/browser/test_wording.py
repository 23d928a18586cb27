"""One language from the first page to the last mail (CR-14)."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.shop import Demo
from tests.browser.visit import (
    Visit,
    address,
    code_shown,
    fill_person,
    new_visitor,
    play,
    reveal,
    submit,
)

WORDS = {
    "nl": {
        "consent": "Ja, mail mij de nieuwsbrief",
        "notice": "Autoriteit Persoonsgegevens",
        "notice_too": "Je gegevens blijven in de Europese Unie",
        "ask": "Was jij dit?",
        "page": "Klopt het dat je hierom vroeg?",
    },
    "en": {
        "consent": "Yes, mail me the newsletter",
        "notice": "Your rights",
        "notice_too": "Your data stays in the European Union",
        "ask": "Was this you?",
        "page": "Is it right that you asked for this?",
    },
}


@pytest.mark.parametrize(("wish", "browser_speaks"), [("nl", "en-US"), ("en", "nl-NL")])
def test_page_notice_mails_and_links_speak_one_language(
    browser: Browser, demo: Demo, wish: str, browser_speaks: str
) -> None:
    """CR-14: the tag's attribute goes before the browser, all the way."""
    words, email = WORDS[wish], address()
    for context in new_visitor(browser, locale=browser_speaks):
        visit = Visit(demo, context.new_page())
        page = visit.page
        visit.shop(f"?lang={wish}")
        assert page.locator("html").get_attribute("lang") == wish
        game = visit.open()
        assert game.locator("html").get_attribute("lang") == wish
        play(game)
        reveal(game)
        expect(game.locator("#consents")).to_contain_text(words["consent"])
        game.locator("#notice summary").click()
        expect(game.locator("#notice")).to_contain_text(words["notice"])
        expect(game.locator("#notice")).to_contain_text(words["notice_too"])
        fill_person(game, email, "newsletter")
        submit(game)
        code_shown(game)

        mail = visit.read_mail(visit.mails(email, least=2)["confirm"])
        assert mail.locator("html").get_attribute("lang") == wish
        expect(mail.locator("body")).to_contain_text(words["ask"])
        expect(mail.locator("body")).to_contain_text(words["consent"])
        link = mail.locator(f"a[href^='{demo.service}/confirm/']").first
        page.goto(str(link.get_attribute("href")))
        assert page.locator("html").get_attribute("lang") == wish
        expect(page.locator("h1")).to_have_text(words["page"])
        expect(page.locator("main")).to_contain_text(words["consent"])
        visit.press()
        assert page.locator("html").get_attribute("lang") == wish


@pytest.mark.parametrize(
    ("speaks", "expected"), [("nl-NL", "nl"), ("en-GB", "en"), ("de-DE", "nl")]
)
def test_without_a_wish_the_browser_decides(
    browser: Browser, demo: Demo, speaks: str, expected: str
) -> None:
    """The shop's page and the game agree; who reads neither gets Dutch."""
    for context in new_visitor(browser, locale=speaks):
        visit = Visit(demo, context.new_page())
        visit.shop()
        game = visit.open()

        assert visit.page.locator("html").get_attribute("lang") == expected
        assert game.locator("html").get_attribute("lang") == expected
        straight = visit.straight("lucky-inline")
        assert straight.locator("html").get_attribute("lang") == expected
