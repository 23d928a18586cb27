"""A browser that looks like a robot does its sum and goes on: AB-02."""

import re

from playwright.sync_api import Request, Route, expect

from tests.browser.visit import (
    Visit,
    accept_terms,
    address,
    fill_person,
    play,
    say_adult,
    scratch,
    spoken,
    submit,
)

FILL_IN = "document.querySelector('[name=remarks]').value = 'cheap pills'"


def test_who_fills_in_too_much_gets_in_by_a_sum(visit: Visit) -> None:
    """Nothing to press, nothing lost: the check is done before one has read of it."""
    sent: list[Request] = []
    game = visit.shop("done").frame()
    visit.page.on("request", lambda r: sent.append(r) if r.method == "POST" else None)
    email = address()
    fill_person(game, email, "newsletter")
    say_adult(game)
    accept_terms(game)
    game.evaluate(FILL_IN)

    submit(game)

    expect(game.locator(".result")).to_be_attached()
    assert len(sent) == 2
    first, second = (str(request.post_data) for request in sent)
    assert "proof=" not in first
    assert re.search(r"proof=[\w%]{300,}", second)
    assert "confirm" in visit.mails(email)


def test_a_form_stays_as_it_stands_while_the_browser_does_its_sum(visit: Visit) -> None:
    """AX-01: not the first step anew, no red box; said beside the button, and aloud."""
    visit.page.set_viewport_size({"width": 320, "height": 700})
    held: list[Route] = []
    visit.page.route("**/prove*.js", lambda route: held.append(route))
    form = visit.straight("black-friday-page")
    form.locator("[data-forward]").click()
    form.locator("[data-forward]").click()
    fill_person(form, address(), "early_access")
    form.evaluate(FILL_IN)

    form.locator("[data-send]").click()

    expect(form.locator("[data-note]")).to_contain_text("Eén moment")
    expect(spoken(form)).to_contain_text("Eén moment")
    expect(form.locator("[data-step=person]")).to_be_visible()
    expect(form.locator(".faults")).to_have_count(0)
    assert form.evaluate("document.activeElement.matches('[data-send]')")
    held[0].continue_()
    expect(form.locator("#play")).to_have_count(0)


def test_a_sum_that_cannot_be_done_says_so_and_may_be_tried_again(visit: Visit) -> None:
    """Nobody waits for a button that turns for ever."""
    visit.page.route("**/prove*.js", lambda route: route.abort())
    game = visit.shop("done").frame()
    email = address()
    fill_person(game, email)
    say_adult(game)
    accept_terms(game)
    game.evaluate(FILL_IN)

    submit(game)

    expect(game.locator("[data-note]")).to_contain_text("druk nog eens op de knop")
    expect(game.locator("[name=email]")).to_have_value(email)
    assert game.evaluate("document.querySelector('#play').ariaBusy") == "false"


def test_a_claim_that_is_checked_still_shows_what_was_won(visit: Visit) -> None:
    """CR-02, EM-02: the prize stays on the screen, and no worker or storage is used."""
    game = visit.shop("product/mok-branding").frame()
    play(game)
    scratch(game)
    email = address()
    fill_person(game, email)
    game.evaluate(FILL_IN)

    submit(game)

    expect(game.locator("#claim")).to_have_count(0)
    expect(game.locator("h1")).not_to_have_text("")
    assert visit.page.context.cookies() == []


def test_the_trap_is_no_stop_for_a_keyboard_and_not_in_the_tree(visit: Visit) -> None:
    """AX-01: who cannot see it does not meet it."""
    game = visit.straight("welcome-inline")

    expect(game.get_by_label("Laat dit leeg")).to_have_count(1)
    expect(game.get_by_role("textbox", name="Laat dit leeg")).to_have_count(0)
    box = game.locator("[name=remarks]").bounding_box()
    assert box is None or min(box["width"], box["height"]) >= 0
    for _ in range(40):
        visit.page.keyboard.press("Tab")
        assert game.evaluate("document.activeElement.name") != "remarks"
