"""A prize from the mail to the till: PZ-04, PZ-07, and AX-01 at 320 pixels."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
import zxingcpp
from flask.testing import FlaskClient
from PIL import Image
from playwright.sync_api import Page, expect

from server.models import Audit, Voucher
from server.services import members
from tests.browser.test_access import NARROW, faults
from tests.factories import campaign_file, prize_table
from tests.servers import Web
from tests.visits import EMAIL, NOTHING, House, take_card

PASSWORD = "a long enough password"
STAFF = "till@demo.example"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.fixture
def database_kind() -> str:
    """A browser sees no difference between the two."""
    return "sqlite"


@pytest.fixture
def now() -> datetime:
    """The running service is on the real clock."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def code(publish: Callable[..., Any], client: FlaskClient, house: House) -> str:
    """A mug was won; its code."""
    prizes = [prize_table(stock=2, valid_days=30), NOTHING]
    publish(campaign_file("welcome-scratch", prizes=prizes, fallback="nothing"))
    take_card(client).enter(client)
    return house.rows(Voucher)[0].code


@pytest.fixture
def prize_page(page: Page, live: Web, house: House, code: str) -> Page:
    """The page behind the link in the letter, at the width of a small phone."""
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(live.url + house.link("prize"))
    return page


@pytest.fixture
def till(page: Page, live: Web, house: House, code: str, now: datetime) -> Page:
    """The vouchers' page of the office, where somebody of the staff has signed in."""
    with house.database.transaction() as session:
        members.add(
            session,
            email=STAFF,
            name="Mo",
            password=PASSWORD,
            shop_code="demo",
            role="staff",
            now=now,
        )
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(f"{live.url}/office/demo/vouchers")
    page.fill("input[type=email]", STAFF)
    page.fill("input[type=password]", PASSWORD)
    page.click("button.primary")
    page.wait_for_url("**/office/demo/vouchers")
    return page


def test_a_camera_reads_the_code_from_the_page(prize_page: Page, code: str) -> None:
    """By night as well: a till's scanner needs dark on light."""
    for scheme in SCHEMES:
        prize_page.emulate_media(color_scheme=scheme)
        shot = Image.open(
            io.BytesIO(prize_page.locator(".ticket img").first.screenshot())
        )

        assert [found.text for found in zxingcpp.read_barcodes(shot)] == [code]


def test_the_winner_has_it_mailed_again_by_keyboard(
    prize_page: Page, house: House
) -> None:
    """Without a script; so soon after the first, the limit keeps the mail back."""
    prize_page.locator("button").focus()
    prize_page.keyboard.press("Enter")

    expect(prize_page.locator("h1")).to_have_text("Look in your mailbox")
    assert "/prize/" not in prize_page.url
    assert len(house.letters("prize")) == 1


def test_the_prize_page_can_be_used_by_everybody(
    prize_page: Page, live: Web, house: House, client: FlaskClient
) -> None:
    """The first mug's page is in English, the second winner reads Dutch."""
    page = prize_page
    take_card(client, lang="nl").enter(client, "ada@example.com")
    for lang, to in (("en", EMAIL), ("nl", "ada@example.com")):
        page.goto(live.url + house.link("prize", to=to))
        assert page.evaluate("document.documentElement.lang") == lang
        assert page.evaluate(NARROW) <= 0
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            assert faults(page) == []


def test_two_presses_of_enter_redeem_and_the_next_code_can_be_typed(
    till: Page, house: House, code: str
) -> None:
    """PZ-04, by keyboard or scanner alone: the code, Enter, the prize, Enter."""
    for scheme in SCHEMES:
        till.emulate_media(color_scheme=scheme)
        assert faults(till) == []
    till.keyboard.type(code.lower())
    till.keyboard.press("Enter")
    expect(till.locator(".verdict")).to_contain_text("Nog niet gebruikt: Mug.")
    assert faults(till) == []
    assert till.evaluate(NARROW) <= 0

    till.keyboard.press("Enter")
    expect(till.locator(".verdict")).to_have_text("Ingewisseld: Mug. Geef het mee.")
    assert faults(till) == []
    assert house.rows(Voucher)[0].state == "redeemed"

    till.keyboard.type(code)
    till.keyboard.press("Enter")
    expect(till.locator(".verdict")).to_contain_text("Al ingewisseld op")
    assert faults(till) == []
    assert till.evaluate(NARROW) <= 0
    assert [row.act for row in house.rows(Audit)] == ["voucher.redeem"]
