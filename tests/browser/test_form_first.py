"""The form that comes before the play, in the shop's page itself."""

import pytest
from playwright.sync_api import Browser, Frame, expect

from tests.browser.shop import Demo
from tests.browser.visit import (
    Keys,
    Visit,
    accept_terms,
    address,
    fill_person,
    new_visitor,
    play,
    reveal,
    say_adult,
    submit,
)

MOST_TRIES = 12


def test_a_fault_keeps_what_was_typed_and_is_led_to(visit: Visit) -> None:
    """AX-05: the first fault has the focus, and says what to do."""
    game = visit.shop("done").frame()
    fill_person(game, "ada at huispost", "newsletter", name="Ada")

    submit(game)

    email = game.locator("[name=email]")
    expect(email).to_be_focused()
    expect(email).to_have_attribute("aria-invalid", "true")
    about = str(email.get_attribute("aria-describedby")).split()
    assert "fault-email" in about
    expect(game.locator("#fault-email")).to_be_visible()
    expect(email).to_have_value("ada at huispost")
    expect(game.locator("[name=first_name]")).to_have_value("Ada")
    expect(game.locator("[name='consent.newsletter']")).to_be_checked()
    expect(game.locator("[name='consent.personal_offers']")).not_to_be_checked()
    expect(game.locator("#fault-terms")).to_be_visible()
    expect(game.locator("#fault-adult")).to_be_visible()


def test_without_any_consent_the_prize_comes_and_nothing_else(
    visit: Visit, demo: Demo
) -> None:
    """DO-08, CR-02, CR-08: a prize mail, no confirmation mail, no second ask."""
    email, game = _win(visit)

    expect(game.locator("[type=checkbox]")).to_have_count(0)
    expect(game.locator("main")).not_to_contain_text("Nog één ding")
    mails = visit.mails(email)

    assert list(mails) == ["prize"]
    queued = demo.rows(
        "SELECT o.letter FROM outbox o JOIN contact c ON c.id = o.contact_id "
        "WHERE c.email_hash = ?",
        demo.hashed(email),
    )
    assert queued == [("prize",)]
    assert demo.rows(
        "SELECT count(*) FROM consent_event e JOIN contact c "
        "ON c.id = e.contact_id WHERE c.email_hash = ?",
        demo.hashed(email),
    ) == [(0,)]


def _win(visit: Visit) -> tuple[str, Frame]:
    """Play until something is won: one card in five holds nothing."""
    for _ in range(MOST_TRIES):
        email = address()
        game = visit.shop("done").frame()
        fill_person(game, email)
        say_adult(game)
        accept_terms(game)
        submit(game)
        reveal(game)
        if game.locator(".result.won").count():
            return email, game
    raise AssertionError(f"{MOST_TRIES} cards without a prize")


def test_saying_no_takes_the_same_press_as_saying_yes(visit: Visit) -> None:
    """CR-08: one button, of one size, as many presses of Tab away."""
    game = visit.shop().open()
    play(game)
    reveal(game)
    without = game.locator("form button.main")
    words, size = without.inner_text(), without.bounding_box()
    without_tabs = Keys(visit.page).into(game).to("form button.main").tabs

    game.locator("h1").focus()
    game.locator("[name='consent.newsletter']").check()
    game.locator("h1").focus()

    assert game.locator("form button:visible").count() == 1
    assert without.inner_text() == words
    after = without.bounding_box()
    assert size and after
    assert (after["width"], after["height"]) == (size["width"], size["height"])
    with_tabs = Keys(visit.page).into(game).to("form button.main").tabs
    assert with_tabs == without_tabs


def test_the_notice_is_one_press_away_before_anything_is_sent(visit: Visit) -> None:
    """CR-06: in the frame itself, and by the keyboard."""
    game = visit.shop("done").frame()
    sent: list[str] = []
    visit.page.on("request", lambda request: sent.append(request.url))
    notice = game.locator("#notice .terms")
    expect(notice).to_be_hidden()
    game.locator("[name=email]").focus()

    Keys(visit.page).into(game).to("#notice summary").press("Enter")

    expect(notice).to_be_visible()
    for said in (
        "Noord & Zon B.V.",
        "AVG artikel 6 lid 1 a",
        "Europese Unie",
        "5 jaar",
        "Autoriteit Persoonsgegevens",
        "privacy@noordenzon.example",
    ):
        expect(notice).to_contain_text(said)
    assert sent == []


def test_terms_and_consents_are_acts_of_their_own(visit: Visit) -> None:
    """CR-07, CR-01: no box stands for two things, and none is ticked for you."""
    game = visit.straight("welcome-inline")
    boxes = game.locator("[type=checkbox]")

    names = [str(box.get_attribute("name")) for box in boxes.all()]

    assert sorted(names) == ["consent.newsletter", "consent.personal_offers", "terms"]
    assert game.locator(":checked").count() == 0
    label = game.locator("label[for=field-terms]").inner_text().lower()
    assert "mail" not in label and "nieuwsbrief" not in label


@pytest.mark.parametrize("code", ["lucky-dialog", "welcome-inline"])
def test_without_script_the_whole_game_works(
    browser: Browser, demo: Demo, code: str
) -> None:
    """Plain forms, plain pages: the outcome is there at once, nothing is hidden."""
    email = address()
    for context in new_visitor(browser, java_script_enabled=False):
        visit = Visit(demo, context.new_page())
        page = visit.page
        game = visit.straight(code)
        say_adult(game)
        accept_terms(game)
        if code.startswith("welcome"):
            fill_person(game, email, "newsletter")
        page.locator("form button.main").click()
        expect(page.locator(".result-label")).to_be_visible()
        if code.startswith("lucky"):
            fill_person(game, "not an address", "newsletter")
            page.locator("form button.main").click()
            expect(page.locator("#fault-email")).to_be_visible()
            expect(page.locator("[name=email]")).to_have_value("not an address")
            expect(page.locator("[name='consent.newsletter']")).to_be_checked()
            fill_person(game, email)
            page.locator("form button.main").click()

        expect(page.locator("#prize")).to_be_visible()
        confirm = visit.mails(email)
        assert "confirm" in confirm or visit.mails(email, least=2)["confirm"]
