"""Many tabs of one browser are one play, where the play comes first (PZ-10, T12)."""

import sqlite3
from contextlib import closing

from playwright.sync_api import Browser, BrowserContext, Frame, expect

from tests.browser.shop import Demo
from tests.browser.visit import (
    Visit,
    accept_terms,
    fill_person,
    new_visitor,
    play,
    say_adult,
    submit,
)

# A page of the shop with a scratch card in it.
PATH = "product/mok-branding"


def entries(demo: Demo) -> int:
    with closing(sqlite3.connect(demo.instance / "jawoord.db")) as database:
        (number,) = database.execute("SELECT count(*) FROM entry").fetchone()
    return int(number)


def tab(demo: Demo, context: BrowserContext) -> Frame:
    """Open the game in one more tab, ready to be played."""
    game = Visit(demo, context.new_page()).shop(PATH).frame()
    say_adult(game)
    accept_terms(game)
    return game


def test_many_tabs_have_one_card(browser: Browser, demo: Demo) -> None:
    """Two at the very same time and two later; another browser has its own card."""
    before = entries(demo)
    for context in new_visitor(browser):
        games = [tab(demo, context) for _ in range(4)]
        for game in games[:2]:
            game.evaluate("document.querySelector('#play').requestSubmit()")
        for game in games[:2]:
            expect(game.locator("canvas.foiled")).to_be_visible()
        for game in games[2:]:
            submit(game)
            expect(game.locator("canvas.foiled")).to_be_visible()

        assert entries(demo) == before + 1

    for context in new_visitor(browser):
        play(Visit(demo, context.new_page()).shop(PATH).frame())
        assert entries(demo) == before + 2


def test_after_the_claim_the_next_card_is_a_new_one(
    browser: Browser, demo: Demo
) -> None:
    """A household plays behind one browser: who is done makes room."""
    before = entries(demo)
    for context in new_visitor(browser):
        first = Visit(demo, context.new_page()).shop(PATH).frame()
        second = Visit(demo, context.new_page()).shop(PATH).frame()
        play(first)
        first.locator("[data-reveal]").evaluate("button => button.click()")
        fill_person(first, "tab@huispost.nl")
        submit(first)
        expect(first.locator("#stage[data-tell=done]")).to_be_attached()

        play(second)

        assert entries(demo) == before + 2
