"""The preference centre in a browser: AX-01 to AX-05, without script, by keyboard."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect

from server.domain.consent import Act
from tests.browser.test_access import NARROW, faults
from tests.factories import campaign_file
from tests.profiles import FIELDS, TOLD
from tests.servers import Web
from tests.views.test_preferences import claim
from tests.visits import EMAIL, House, take_card

ADA = "ada@example.com"
WIDTHS = (320, 768, 1280)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
EDGE = "e => getComputedStyle(e).borderTopColor"


@pytest.fixture
def database_kind() -> str:
    """A browser sees no difference between the two."""
    return "sqlite"


@pytest.fixture
def now() -> datetime:
    """The running service is on the real clock."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def readers(
    publish: Callable[..., Any], client: FlaskClient, house: House
) -> dict[str, str]:
    """Two readers of a newsletter, one of each language; the links to their pages."""
    publish(campaign_file("footer-newsletter"))
    links = {}
    for lang, email in (("en", EMAIL), ("nl", ADA)):
        card = take_card(client, "footer-newsletter-inline", lang=lang)
        card.enter(client, email, consents=["newsletter"])
        house.press(client, house.link("confirm", to=email))
        links[lang] = house.link("preferences", to=email)
    claim(house, Act.SOFT_OPT_IN, "soft:table_ware")
    claim(house, Act.UNPROVEN, "personal_offers", "An old list")
    return links


@pytest.fixture
def profiles(
    publish: Callable[..., Any], client: FlaskClient, house: House
) -> dict[str, str]:
    """Two people who told something of each kind; the links to what is known of it."""
    fields = [field | {"purpose": "newsletter"} for field in FIELDS]
    publish(campaign_file("footer-newsletter", fields=fields, form={"layout": "open"}))
    long = {"remark": "Rindfleischetikettierung" * 8}
    links = {}
    for lang, email in (("en", EMAIL), ("nl", ADA)):
        card = take_card(client, "footer-newsletter-inline", lang=lang)
        told = {"email": email} | TOLD | long
        card.send(client, told, consents=["newsletter"])
        house.press(client, house.link("confirm", to=email))
        links[lang] = house.link("preferences", to=email) + "/profile"
    return links


@pytest.fixture
def plain(browser: Browser) -> Iterator[Page]:
    """A visitor on a small phone whose browser runs no script."""
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": 390, "height": 800}
    )
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("lang", ["en", "nl"])
def test_every_page_can_be_used_by_everybody(
    page: Page, live: Web, readers: dict[str, str], lang: str
) -> None:
    """At every width, in light and dark; nothing is wider than the screen."""
    link = readers[lang]
    places = (link, f"{link}/address", f"{link}/erase", f"/preferences?lang={lang}")
    for place in places:
        page.goto(live.url + place)
        assert page.evaluate("document.documentElement.lang") == lang
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(NARROW) <= 0, (place, width)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert faults(page) == [], (place, scheme)


@pytest.mark.parametrize("lang", ["en", "nl"])
def test_what_is_known_can_be_read_and_changed_by_everybody(
    page: Page, live: Web, profiles: dict[str, str], lang: str
) -> None:
    """The same with every field open, and with a fault beside one."""
    page.goto(live.url + profiles[lang])
    page.locator("#kept-postcode summary").click()
    page.locator("#kept-postcode input[name=postcode]").fill("12 AB")
    page.locator("#kept-postcode button.main").click()
    expect(page.locator("#fault-postcode")).to_be_in_viewport()
    page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(NARROW) <= 0, width
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert faults(page) == [], scheme


def test_without_a_script_and_by_keyboard_an_answer_is_corrected(
    plain: Page, live: Web, house: House, profiles: dict[str, str]
) -> None:
    """GDPR 16, AX-02: one press opens the field; what is typed is there at once."""
    plain.goto(live.url + profiles["nl"])
    plain.locator("#kept-postcode summary").focus()
    plain.keyboard.press("Enter")
    plain.keyboard.press("Tab")
    expect(plain.get_by_label("Je postcode")).to_be_focused()
    plain.keyboard.press("Control+A")
    plain.keyboard.type("4321zz")
    plain.keyboard.press("Enter")
    expect(plain.locator("#kept-postcode dd")).to_have_text("4321 ZZ")
    expect(plain.get_by_role("status")).to_be_in_viewport()

    plain.locator("#kept-born button.stop").focus()
    plain.keyboard.press("Enter")
    expect(plain.get_by_role("status")).to_contain_text("Verwijderd")
    expect(plain.locator("#kept-born")).to_have_count(0)


def test_switches_and_buttons_are_as_large_as_a_thumb(
    page: Page, live: Web, readers: dict[str, str]
) -> None:
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto(live.url + readers["en"])

    for each in page.locator("main :is(button, a.other, .switch input, .pick)").all():
        box = each.bounding_box()
        assert box is not None
        assert box["height"] >= 40
        assert box["width"] >= 44


def test_save_stays_in_sight_on_a_phone_and_covers_nothing_that_is_reached(
    plain: Page, live: Web, readers: dict[str, str]
) -> None:
    """WCAG 2.4.11: nothing counts before Save, so it is there from the first look."""
    plain.set_viewport_size({"width": 320, "height": 640})
    plain.goto(live.url + readers["nl"])
    save = plain.get_by_role("button", name="Bewaren")
    expect(save).to_be_in_viewport(ratio=1)

    reached = plain.locator("form :is(.switch input, .pick input, summary), .stop")
    for each in reached.all():
        each.focus()
        field, bar = each.bounding_box(), save.bounding_box()
        assert field is not None and bar is not None
        assert field["y"] + field["height"] <= bar["y"]
    expect(save).to_be_in_viewport(ratio=1)


def test_a_fault_is_seen_at_its_field_and_told_by_us(
    page: Page, live: Web, readers: dict[str, str]
) -> None:
    """A browser would speak its own language, and keep the page from answering."""
    for place, name in (("/address", "Mail mij de knop"), ("", "Mail mij de link")):
        page.goto(
            live.url + (readers["nl"] + place if place else "/preferences?lang=nl")
        )
        field = page.get_by_role("textbox")
        usual = field.evaluate(EDGE)
        page.get_by_role("button", name=name).click()

        told = page.get_by_role("alert")
        expect(told).to_be_visible()
        assert field.evaluate(EDGE) == told.evaluate("e => getComputedStyle(e).color")
        assert field.evaluate(EDGE) != usual
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            assert faults(page) == []


def test_on_paper_there_is_no_night(
    page: Page, live: Web, readers: dict[str, str]
) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(live.url + readers["en"])

    ink = page.evaluate("getComputedStyle(document.body).color")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ink, ground) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")


def test_without_a_script_all_of_it_works(
    plain: Page, live: Web, house: House, readers: dict[str, str]
) -> None:
    """WD-01: one switch, Save; then all off in one press."""
    plain.goto(live.url + readers["en"])
    plain.get_by_role("switch", name="Newsletter").uncheck()
    plain.get_by_label("Yes, mail me this").check()
    plain.get_by_role("button", name="Save").click()

    note = plain.get_by_role("status")
    expect(note).to_contain_text("From now on you get: Offers that suit me.")
    expect(note).to_contain_text("You do not get this any more: Newsletter.")
    assert house.standing()["newsletter"] == "withdrawn"
    assert house.standing()["personal_offers"] == "given"

    plain.get_by_role("button", name="All off").click()
    expect(plain.get_by_role("status")).to_contain_text("have stopped")
    assert set(house.standing().values()) == {"withdrawn"}


def test_by_keyboard_alone(
    page: Page, live: Web, house: House, readers: dict[str, str]
) -> None:
    """AX-02: the other language, then the switch, which shows it; Save is reached."""
    page.goto(live.url + readers["nl"])
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="English")).to_be_focused()
    page.keyboard.press("Tab")
    switch = page.locator("input[role=switch]").first
    expect(switch).to_be_focused()
    outline = "element => getComputedStyle(element).outlineWidth"
    assert switch.evaluate(outline) == "3px"
    page.keyboard.press("Space")
    expect(switch).not_to_be_checked()

    for _ in range(20):
        if page.evaluate("document.activeElement.classList.contains('main')"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("krijg je niet meer")
    assert house.standing(ADA)["newsletter"] == "withdrawn"


def test_the_data_is_saved_as_a_file(
    page: Page, live: Web, readers: dict[str, str]
) -> None:
    """DS-01: a press, a file, and the page stays."""
    page.goto(live.url + readers["en"])
    with page.expect_download() as started:
        page.get_by_role("button", name="Download my data").click()

    assert started.value.suggested_filename == "my-data.json"
    saved = json.loads(started.value.path().read_text())
    assert saved["person"]["email"] == EMAIL
