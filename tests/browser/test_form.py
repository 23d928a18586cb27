"""Forms without a game in a browser: one line, many pages, no script, any visitor."""

import re

import pytest
from playwright.sync_api import Browser, Frame, Locator, Page, expect

from tests.browser.shop import Demo
from tests.browser.stage import Stage
from tests.browser.test_access import faults
from tests.browser.visit import Keys, Visit, address, new_visitor
from tests.factories import campaign_tables

LINE, LIST = "footer-newsletter-inline", "black-friday-page"
WIDE = "document.documentElement.scrollWidth > innerWidth"
CARDS = "[name^='consent.']"
HAS_ASKED = """count =>
  sessionStorage.getItem('jawoord.asked')?.split(',').length >= count"""


def email(place: Page | Frame) -> Locator:
    return place.locator("[name=email]")


def step(page: Page, name: str) -> None:
    """Wait until this step, and no other, is there."""
    shown = page.locator("fieldset[data-step]:visible")
    expect(shown).to_have_count(1)
    expect(shown).to_have_attribute("data-step", name)


def on(page: Page) -> None:
    page.locator("[data-forward]").click()


def send(page: Page) -> None:
    with page.expect_response(re.compile("/entries$")):
        page.locator("form button.main:not([type=button])").click()


# --- one line ----------------------------------------------------------------------


def test_one_line_unfolds_where_somebody_types(visit: Visit) -> None:
    """CR-01, CR-06: each consent unticked, and the notice, before anything is sent."""
    page = visit.page
    visit.straight(LINE, lang="nl")
    expect(page.locator(CARDS)).to_have_count(2)
    expect(page.locator(f"{CARDS}:visible")).to_have_count(0)

    email(page).focus()

    expect(page.locator(f"{CARDS}:visible")).to_have_count(2)
    expect(page.locator(f"{CARDS}:checked")).to_have_count(0)
    page.locator("#notice summary").click()
    expect(page.locator("#notice .terms")).to_be_visible()


def test_it_stays_unfolded_while_somebody_chooses(visit: Visit) -> None:
    """With no address yet, a press on a card must not fold it away."""
    page = visit.page
    visit.straight(LINE, lang="nl")
    email(page).focus()

    page.locator("label[for=consent-newsletter]").click()
    expect(page.locator("[name='consent.newsletter']")).to_be_checked()
    page.locator("h1").click()
    expect(page.locator("#notice")).to_be_visible()

    # Without an address still: the button does not move from under the finger.
    email(page).focus()
    send(page)
    expect(page.locator("#fault-email")).to_be_visible()
    expect(page.locator("[name='consent.newsletter']")).to_be_checked()


def test_a_press_before_any_choice_shows_what_there_is_to_choose(visit: Visit) -> None:
    page = visit.page
    visit.straight(LINE, lang="nl")

    send(page)

    expect(page.locator(f"{CARDS}:visible")).to_have_count(2)
    expect(email(page)).to_be_focused()
    expect(page.locator("#fault-email, #fault-consents")).to_have_count(2)


def test_the_newsletter_is_confirmed_from_the_footer_on(visit: Visit) -> None:
    """DO-01: the whole way, by a keyboard alone (AX-01)."""
    page, reader = visit.page, address("lijn")
    visit.straight(LINE, lang="nl")
    keys = Keys(page).into(page.main_frame)
    keys.to("[name=email]").type(reader)
    keys.to("[name='consent.newsletter']").press("Space")
    keys.to("form button.main").press("Enter")
    expect(page.locator("h1")).to_have_text("Bijna klaar: kijk in je mail")
    expect(page.locator("h1")).to_be_focused()

    mails = visit.mails(reader)
    letter = visit.read_mail(mails["confirm"])
    link = letter.locator("a[href*='/confirm/']").first.get_attribute("href")
    page.goto(str(link))
    visit.press()

    expect(page.locator("h1")).to_have_text("Dank je wel, het is bevestigd")


# --- many pages --------------------------------------------------------------------


def test_the_way_back_loses_nothing(visit: Visit) -> None:
    page = visit.page
    visit.straight(LIST, lang="nl")
    step(page, "wishes")
    page.locator("[name=department][value=gifts]").check()
    page.locator("[name=wish]").fill("Een lamp")
    on(page)
    step(page, "you")
    page.locator("[name=first_name]").fill("Ada")
    page.locator("[name=postcode]").fill("1234 ab")

    page.locator("[data-back]").click()
    step(page, "wishes")
    expect(page.locator("[name=department][value=gifts]")).to_be_checked()
    expect(page.locator("[name=wish]")).to_have_value("Een lamp")
    on(page)

    step(page, "you")
    expect(page.locator("[name=first_name]")).to_have_value("Ada")
    expect(page.locator("[name=postcode]")).to_have_value("1234 ab")


def test_pages_are_turned_with_the_keyboard_alone(visit: Visit) -> None:
    """AX-01, AX-02: each page takes the focus, and is announced."""
    page = visit.page
    visit.straight(LIST, lang="nl")
    keys = Keys(page).into(page.main_frame)

    keys.to("[name=wish]").type("Een lamp").to("[data-forward]").press("Enter")
    expect(page.locator("legend:visible").first).to_be_focused()
    expect(page.locator("#announce")).to_have_text("Stap 2 van 3")
    # Enter in a field goes on; it sends nothing yet.
    keys.to("[name=first_name]").type("Ada").press("Enter")
    step(page, "person")
    keys.to("[name=email]").type(address("pagina"))
    keys.to("[name='consent.early_access']").press("Space")
    keys.to("[data-send]").press("Enter")

    expect(page.locator("h1")).to_have_text("Nog één stap: kijk in je mail")


def test_a_fault_on_an_early_page_leads_back_to_it(visit: Visit) -> None:
    """AX-05 (SC 3.3.1): with everything else as it was."""
    page = visit.page
    visit.straight(LIST, lang="nl")
    on(page)
    page.locator("[name=postcode]").fill("nergens")
    on(page)
    email(page).fill(address("fout"))
    page.locator("[name='consent.early_access']").check()

    send(page)

    step(page, "you")
    expect(page.locator("[name=postcode]")).to_be_focused()
    expect(page.locator("#fault-postcode")).to_be_visible()
    page.locator("[name=postcode]").fill("1234 ab")
    on(page)
    expect(page.locator("[name='consent.early_access']")).to_be_checked()
    send(page)
    expect(page.locator("h1")).to_have_text("Nog één stap: kijk in je mail")


@pytest.mark.parametrize("code", [LINE, LIST])
def test_it_works_without_script(demo: Demo, browser: Browser, code: str) -> None:
    """All of it below each other, and one plain POST."""
    for context in new_visitor(browser, java_script_enabled=False):
        page = context.new_page()
        page.goto(f"{demo.service}/w/{code}?lang=nl")
        expect(page.locator("[data-forward], [data-back]").first).to_be_hidden()
        email(page).fill(address("kaal"))
        page.locator(CARDS).first.check()
        page.locator("form button.main:not([type=button])").click()

        expect(page.locator("h1")).to_contain_text("kijk in je mail")


def test_pages_that_cannot_be_turned_all_show(visit: Visit) -> None:
    """The module does not arrive: the form still does."""
    page = visit.page
    page.route(re.compile(r"/steps\.js"), lambda route: route.abort())
    visit.straight(LIST, lang="nl")

    expect(page.locator("fieldset[data-step]:visible")).to_have_count(3)
    expect(page.locator("[data-send]")).to_be_visible()


# --- what the shop's page tells ----------------------------------------------------


def place(stage: Stage, code: str, **changes: object) -> str:
    """Publish the newsletter once more, at the tests' own shop."""
    tables = campaign_tables("footer-newsletter", code=code, shop="host", **changes)
    tables["placements"] = [{"code": code, "shape": "inline", "height": 260}]
    stage.demo.load("campaign", tables)
    return code


def frame_of(page: Page) -> Frame:
    element = page.locator("jawoord-widget iframe")
    element.scroll_into_view_if_needed()
    handle = element.element_handle()
    frame = handle and handle.content_frame()
    assert frame is not None
    frame.wait_for_url(re.compile("/w/"))
    frame.wait_for_load_state()
    return frame


def test_campaign_names_and_the_path_arrive_from_the_shops_page(stage: Stage) -> None:
    """EM-04: through the frame's address, and only what the campaign lists."""
    code = place(stage, "told-line")
    where = (
        "/told?utm_source=letter%20%26%20co&utm_campaign=spring&utm_term=x&mail=a@b.nl"
    )
    stage.go(code, path=where)

    frame = frame_of(stage.page)

    told = {
        str(each.get_attribute("name")): each.input_value()
        for each in frame.locator("input[type=hidden][name^='h.']").all()
    }
    assert told == {
        "h.utm_source": "letter & co",
        "h.utm_campaign": "spring",
        "h.page": "/told",
    }
    assert "a@b.nl" not in frame.url


def test_an_extra_question_is_asked_once_and_then_the_next(stage: Stage) -> None:
    """CR-09: at most one at a visit; what was asked is remembered in the tab alone."""
    code = place(stage, "asking-line")
    seen = []
    for number in range(3):
        stage.go(code, path="/asking")
        frame = frame_of(stage.page)
        names = frame.locator("[name^='interests.'], [name^='birthday.']").all()
        seen.append({str(n.get_attribute("name")).partition(".")[0] for n in names})
        with stage.page.expect_response(re.compile("/entries$")):
            email(frame).fill(address("vraag"))
            frame.locator("[name='consent.newsletter']").check()
            frame.locator("form button.main").click()
        # The page hears of it from the frame, a moment later.
        if number < 2:
            stage.page.wait_for_function(HAS_ASKED, arg=number + 1)

    assert seen[0] == {"interests"}
    assert seen[1] == {"birthday"}
    assert seen[2] == set()


# --- for everybody -----------------------------------------------------------------


@pytest.mark.parametrize("width", [320, 390, 768, 1_280])
@pytest.mark.parametrize("code", [LINE, LIST])
def test_nothing_sticks_out_sideways(visit: Visit, code: str, width: int) -> None:
    """AX-04 (SC 1.4.10): on every page and with every fault."""
    page = visit.page
    page.set_viewport_size({"width": width, "height": 800})
    visit.straight(code, lang="nl")
    assert page.evaluate(WIDE) is False
    if code == LIST:
        on(page)
        assert page.evaluate(WIDE) is False
        on(page)
    email(page).fill("iris@")
    send(page)
    expect(page.locator("#fault-email")).to_be_visible()

    assert page.evaluate(WIDE) is False


@pytest.mark.parametrize("code", [LINE, LIST])
def test_targets_are_as_large_as_a_thumb(visit: Visit, code: str) -> None:
    """AX-04 (SC 2.5.8)."""
    page = visit.page
    page.set_viewport_size({"width": 320, "height": 800})
    visit.straight(code, lang="nl")
    email(page).focus() if code == LINE else None
    controls = page.locator(
        "button:visible, select:visible, textarea:visible, .choice:visible,"
        "input:visible:not([type=hidden], [type=checkbox], [type=radio], .trap *)"
    )

    for control in controls.all():
        box = control.bounding_box()
        assert box is not None and box["height"] >= 44, control.inner_html()


@pytest.mark.parametrize("width", [320, 1_280])
def test_a_form_can_bring_a_gift(stage: Stage, width: int) -> None:
    """PZ-07, CR-07, AX-02: age and terms are asked, and the code is there at once."""
    tables = campaign_tables("welcome-scratch", code=f"gift-{width}", shop="host")
    gift = next(prize for prize in tables["prizes"] if prize["key"] == "ten_percent")
    tables |= {"mechanic": "form", "award": "same-gift", "fallback": "ten_percent"}
    tables["prizes"] = [gift]
    tables["placements"] = [{"code": f"gift-{width}", "shape": "inline"}]
    stage.demo.load("campaign", tables)
    page = stage.page
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{stage.demo.service}/w/gift-{width}?lang=nl")
    assert faults(page) == []
    email(page).fill(address("cadeau"))
    page.locator("[name=adult][value=yes]").check()
    page.locator("[name=terms]").check()

    send(page)

    expect(page.locator("h1")).to_have_text("Raak! Je wint 10% korting")
    expect(page.locator(".code code")).to_have_text("ZON10")
    assert faults(page) == []
    assert page.evaluate(WIDE) is False
