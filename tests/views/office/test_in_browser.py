"""The office in a real Chromium: by keyboard, with htmx, and with hostile text.

The `page` fixture fails a test on a script error or a breach of our policy.
"""

import os

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select

from server import clock as server_clock
from server import create_app
from server.models import Contact
from server.services import members
from server.settings import load_settings
from tests.browser.test_quiz import finish
from tests.factories import campaign_file, publish
from tests.office import House, furnish, play
from tests.people import email_of

NOW = server_clock.now()
PASSWORD = "a long enough password"
EMAIL = "ann@home.example"
SAMPLE = (
    "<script>window.hit=1</script>",
    "</title><script>window.hit=1</script>",
    "<img src=x onerror=window.hit=1>",
    '"><img src=x onerror="window.hit=1">',
    "<svg onload=window.hit=1>",
    '" autofocus onfocus="window.hit=1',
    "<div hx-on::load='window.hit=1'>",
    "<a href=javascript:window.hit=1>x</a>",
)


@pytest.fixture
def database_kind() -> str:
    """A browser sees no difference between the two."""
    return "sqlite"


@pytest.fixture
def furnished(environ, database, live) -> House:
    """The house of the running service, with a member who has a real password."""
    app: Flask = create_app(load_settings(environ))
    app.extensions["database"].dispose()
    app.extensions["database"] = database
    house = furnish(app, database, NOW)
    with database.transaction() as session:
        members.add(
            session,
            email=EMAIL,
            name="Ann",
            password=PASSWORD,
            shop_code=house.shop,
            role="owner",
            now=NOW,
        )
    return house


# A crowded machine may answer a sign-in with "busy, try again", as it should.
TRIES = 3


def enter(page: Page, live) -> None:
    """Sign in by keyboard alone: the first field has the focus."""
    for _ in range(TRIES):
        page.goto(f"{live.url}/office/")
        # A browser gives it once it has drawn the page.
        expect(page.locator("input[type=email]")).to_be_focused()
        page.keyboard.type(EMAIL)
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        if page.url.endswith("/office/demo/"):
            return
    page.wait_for_url("**/office/demo/")


def test_a_campaign_is_paused_and_goes_on_in_its_place(page: Page, live, furnished):
    enter(page, live)
    page.goto(f"{live.url}/office/demo/campaigns/{furnished.campaign}")
    page.evaluate("window.stayed = true")

    for state in ("paused", "published"):
        page.focus("#toggle")
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#state .campaign-{state}")

    assert page.evaluate("window.stayed")
    assert furnished.audits() == ["campaign.pause", "campaign.resume"]


def test_the_office_works_without_script(browser, live, furnished):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    enter(page, live)
    page.goto(f"{live.url}/office/demo/outbox")

    page.click("form[action*=retry] button")

    assert page.url == f"{live.url}/office/demo/outbox"
    assert furnished.audits() == ["outbox.retry"]
    context.close()


def test_an_ended_session_leads_a_press_to_the_door_and_back(
    page: Page, live, furnished
):
    enter(page, live)
    address = f"{live.url}/office/demo/campaigns/{furnished.campaign}"
    page.goto(address)
    with furnished.database.transaction() as session:
        for row in session.scalars(select(members.MemberSession)):
            row.ended_at = NOW

    page.click("#toggle")
    page.wait_for_selector("input[type=password]")
    page.fill("input[type=email]", EMAIL)
    page.fill("input[type=password]", PASSWORD)
    page.click("button.primary")

    page.wait_for_url(address)
    assert furnished.audits() == []


def test_nothing_that_visitors_typed_runs(page: Page, live, furnished):
    for number, payload in enumerate(SAMPLE):
        play(
            furnished.app,
            furnished.database,
            NOW,
            email=f"p{number}@home.example",
            answers={"first_name": payload, payload: payload},
            agent=payload,
            ip=payload,
            page=payload,
        )
    with furnished.database.reading() as session:
        vault = furnished.app.extensions["tools"].vault
        people = [
            row.public_id
            for row in session.scalars(select(Contact))
            if email_of(row, vault).startswith("p")
        ]
    enter(page, live)

    for path in ("entries", "outbox", *(f"contacts/{one}" for one in people)):
        page.goto(f"{live.url}/office/demo/{path}")
        for button in page.query_selector_all(".evidence button"):
            button.click()
            page.wait_for_selector(".evidence dl")
        assert page.evaluate("window.hit") is None, path
    assert len(people) == len(SAMPLE)


def test_no_page_has_a_fault_that_axe_can_see(page: Page, live, furnished):
    axe = os.path.join("node_modules", "axe-core", "axe.min.js")
    if not os.path.exists(axe):
        pytest.fail("axe-core is missing; run make assets")
    enter(page, live)
    for path in (
        *("", f"campaigns/{furnished.campaign}", "entries", "outbox"),
        f"contacts/{furnished.contact}",
    ):
        page.goto(f"{live.url}/office/demo/{path}")
        with open(axe) as file:
            page.evaluate(file.read())
        found = page.evaluate("axe.run()")["violations"]
        assert [fault["id"] for fault in found] == [], path


@pytest.mark.parametrize("width_px", [320, 390])
def test_tables_about_people_need_no_scrolling_on_a_phone(
    page: Page, live, furnished, width_px
):
    """WCAG 1.4.10: rows stand below each other, and each cell says what it is."""
    page.set_viewport_size({"width": width_px, "height": 800})
    enter(page, live)

    for place in ("contactable", "recipients"):
        page.goto(f"{live.url}/office/demo/{place}")
        tables = page.locator("table.stacked")
        assert tables.count() > 0, place
        assert page.evaluate(WIDER) == [], place
        for cell in tables.locator("td").all():
            assert cell.get_attribute("data-label"), place


# What is wider than the screen, or than what scrolls it.
WIDER = """() => [document.documentElement, ...document.querySelectorAll(".scroll")]
  .filter(box => box.matches("html") || box.querySelector("table.stacked"))
  .filter(box => box.scrollWidth > box.clientWidth)
  .map(box => box.className || box.tagName)"""


def test_the_entries_fit_a_laptop(page: Page, live, furnished, database):
    """Whole addresses, an outcome and every answer, and nothing to scroll sideways."""
    play(furnished.app, database, NOW, email="annemieke.van.der.straaten@home.example")
    vault = furnished.app.extensions["tools"].vault
    with database.transaction() as session:
        publish(session, campaign_file("style-quiz"), vault=vault, now=NOW)
    page.set_viewport_size({"width": 1_280, "height": 800})
    page.goto(f"{live.url}/w/style-quiz-page?lang=nl")
    finish(page)
    enter(page, live)

    page.goto(f"{live.url}/office/demo/entries")
    page.locator("td summary").click()

    answers = page.locator("details .told")
    expect(answers).to_be_visible()
    expect(answers).to_contain_text("Blauw en wit")
    table = "document.querySelector('.scroll')"
    assert page.evaluate(f"{table}.scrollWidth - {table}.clientWidth") <= 0
