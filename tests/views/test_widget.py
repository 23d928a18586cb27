"""The page of the game: what it asks, what it tells, and what it keeps to itself."""

import json
import re

import pytest

from server.models import ConsentEvent, Entry, OptIn
from tests.factories import campaign_file, prize_table, shop_file
from tests.visits import AGREED, NOTHING, NOTICED, sure_win, take_card

FLOWS = ["lucky-inline", "welcome-inline"]
# What for and on which ground, what is obligatory, the rights, and how to stop.
ARTICLE_13 = {
    "nl": [
        "AVG artikel 6 lid 1 a",
        "AVG artikel 6 lid 1 b",
        "Alleen je e-mailadres",
        "inzien",
        "wissen",
        "bezwaar",
        "Een toestemming trek je op elk moment in",
    ],
    "en": [
        "GDPR article 6(1)(a)",
        "GDPR article 6(1)(b)",
        "Only your e-mail address",
        "see, correct, move or erase",
        "object",
        "take back a consent at any time",
    ],
}


@pytest.fixture(autouse=True)
def _published(publish):
    publish(campaign_file("lucky-scratch"))
    publish(campaign_file("welcome-scratch"))


def asking_pages(pages, *, lang="nl"):
    """Return the two pages that ask for consents: the form, and the claim."""
    form = pages.get(f"/w/welcome-inline?lang={lang}")
    start = pages.get(f"/w/lucky-inline?lang={lang}")
    return form, pages.submit(start.form("/entries"), **AGREED)


@pytest.mark.parametrize("lang", ["nl", "en"])
@pytest.mark.parametrize("code", FLOWS)
def test_the_game_speaks_both_languages(pages, code, lang):
    page = pages.get(f"/w/{code}?lang={lang}")

    assert page.root.one("html").attrs["lang"] == lang


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_each_consent_has_an_unticked_box_of_its_own(pages, lang):
    """CR-01: one control for each purpose; nothing on the page is ticked."""
    for page in asking_pages(pages, lang=lang):
        boxes = page.root.by_id("consents").all("input", type="checkbox")

        asked = {box.attrs["name"] for box in boxes}
        assert asked == {"consent.newsletter", "consent.personal_offers"}
        assert len(boxes) == 2
        assert not [e for e in page.root.walk() if "checked" in e.attrs]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"consent.newsletter": ""},
        {"consent.newsletter": "on"},
        {"consent.newsletter": "true"},
        {"consent.newsletter": "YES"},
        {"consent.sms": "yes"},
        {"newsletter": "yes"},
        {"consent": "yes"},
        {"consent.": "yes"},
        {"consents": '{"newsletter": true}'},
    ],
)
def test_only_an_explicit_yes_is_stored(client, house, fields):
    """CR-01: missing, unknown and almost right store nothing, and cost nothing."""
    answer = take_card(client).enter(client, more=fields)

    assert answer.status_code == 200
    assert house.rows(ConsentEvent) == house.rows(OptIn) == []
    assert len(house.rows(Entry)) == 1


def test_every_consent_names_who_what_where_and_how_often(pages):
    """CR-04: controller, kind of content, channel, frequency and how to stop."""
    for page in asking_pages(pages, lang="en"):
        text = page.root.by_id("consents").text

        for said in (
            "Noord & Zon",
            "by e-mail",
            "new collections and offers",
            "At most twice a week",
            "You can stop at any time",
        ):
            assert said in text


def test_accepting_the_terms_is_an_act_of_its_own(pages):
    """CR-07: no box and no button says yes to the terms and to a mail at once."""
    page = pages.get("/w/welcome-inline?lang=en")

    consents = page.root.by_id("consents")
    assert not consents.all(id="field-terms")
    label = page.root.one("label", for_="field-terms").text
    buttons = " ".join(b.text for b in page.root.all("button"))
    for word in ("newsletter", "mail", "offers"):
        assert word not in label.lower()
    for word in ("agree", "accept", "newsletter"):
        assert word not in buttons.lower()


def test_terms_alone_are_no_consent_and_consents_alone_no_terms(client, house):
    """CR-07."""
    only_consents = take_card(client).claim(client, consents=["newsletter"])
    only_terms = take_card(client).enter(client)

    assert only_consents.status_code == 422
    assert only_terms.status_code == 200
    assert house.rows(ConsentEvent) == []


def test_only_the_address_is_obligatory(client, pages, house):
    """CR-09: every other field is optional, and nobody is asked for a birthday."""
    for page in asking_pages(pages):
        person = page.root.by_id("person").all("input")
        required = [f.attrs["name"] for f in person if "required" in f.attrs]
        assert required == ["email"]
        assert "bday" not in page.html and 'type="date"' not in page.html

    assert take_card(client).enter(client).status_code == 200


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_the_notice_is_one_press_away_before_anything_is_sent(pages, lang):
    """CR-06: all of GDPR article 13, in the page itself, in its own language."""
    legal = shop_file().legal
    told = campaign_file("welcome-scratch").notice[lang]
    said = [
        *(legal.name, legal.address, legal.email, legal.phone, str(legal.privacy_url)),
        *(told.recipients, told.transfers, told.retention, told.profiling),
        "Autoriteit Persoonsgegevens",
        *ARTICLE_13[lang],
    ]
    for page in asking_pages(pages, lang=lang):
        notice = page.root.by_id("notice")

        assert notice.tag == "details" and notice.all("summary")
        assert notice in [e for form in page.root.all("form") for e in form.walk()]
        assert not notice.all("a"), "the notice leads nowhere else"
        for words in said:
            assert words in notice.text, words


@pytest.mark.parametrize(
    "code", ["lucky-inline", "welcome-inline"], ids=["play-first", "form-first"]
)
def test_a_language_without_text_asks_nothing_in_it(publish, pages, clock, code):
    """CR-14: without an approved Dutch text the consent is not shown in Dutch."""
    name = code.replace("inline", "scratch")
    publish(campaign_file(name, purposes__0__texts__nl=None))
    clock.advance(NOTICED)

    for lang, asked in (("nl", 1), ("en", 2)):
        page = pages.get(f"/w/{code}?lang={lang}")
        if code == "lucky-inline":
            page = pages.submit(page.form("/entries"), **AGREED)
        assert len(page.root.by_id("consents").all("input")) == asked


def test_a_consent_that_was_not_shown_cannot_be_given(publish, client, house, clock):
    """CR-14, CR-01: the Dutch form did not ask it, so a Dutch yes to it is nothing."""
    publish(campaign_file("welcome-scratch", purposes__0__texts__nl=None))
    clock.advance(NOTICED)

    answer = take_card(client, lang="nl").enter(client, consents=["newsletter"])

    assert answer.status_code == 200
    assert house.rows(OptIn) == []


def test_a_minor_ends_the_game_and_leaves_nothing(pages, house):
    """MI-01: a no stores nothing at all, and the page does not ask again."""
    before = house.dump()

    for code in FLOWS:
        page = pages.get(f"/w/{code}?lang=en")
        stopped = pages.submit(
            page.form("/entries"), email="kid@home.nl", terms="yes", adult="no"
        )
        assert stopped.root.by_id("stage").attrs["data-tell"] == "stop"
        assert not stopped.root.all("form")
        assert "kid@home.nl" not in stopped.html

    assert house.dump() == before


def test_nobody_plays_without_saying_their_age(client, house):
    """MI-01: no answer is not a yes."""
    for adult in ("", "maybe", "Yes", "1"):
        answer = take_card(client).enter(client, more={"adult": adult})
        assert answer.status_code == 422

    assert house.rows(Entry) == []


def test_an_instant_winner_is_told_what_and_how_at_no_cost(publish, client, clock):
    """PZ-07: prize, code and what to do are in the answer; nothing asks for money."""
    publish(sure_win(code="free-mug", placements__0__code="free", placements__1=None))

    said = take_card(client, "free").enter(client).get_data(as_text=True)

    assert "Mug" in said and "MUG10" in said and "Show the code at the till." in said
    for costly in ("iban", "card number", "payment", "tel:", 'type="tel"'):
        assert costly not in said.lower()


def test_nothing_before_the_play_tells_the_outcome_or_the_stock(publish, client):
    """T13, PZ-05: odds are told, but neither what is left nor what will come."""
    prizes = [
        prize_table(stock=12_611, weight=3),
        NOTHING | {"weight": 1},
    ]
    publish(
        campaign_file(
            "welcome-scratch",
            code="secretive",
            prizes=prizes,
            fallback="nothing",
            placements=[{"code": "secretive", "shape": "inline"}],
        )
    )
    page = client.get("/w/secretive?lang=en").get_data(as_text=True)
    theme = re.search(r'href="(/w/secretive/theme-[^"]+)"', page)

    answers = [page, client.get(theme[1]).get_data(as_text=True)]
    for path in ("/p/secretive.json", "/p/secretive.js", "/terms/secretive?lang=en"):
        answers.append(client.get(path).get_data(as_text=True))

    for answer in answers:
        assert "12611" not in answer.replace(",", "").replace(".", "")
        assert 'class="result-label' not in answer and "Your code" not in answer
    assert "75%" in page, "the chances themselves are promised"


def test_two_openings_of_the_page_are_the_same_but_for_their_tickets(client):
    """T13: nothing but the signed, random ticket differs, so nothing is decided yet."""
    pages = [client.get("/w/lucky-inline?lang=en").text for _ in range(2)]

    changing = re.compile(r'(nonce|value)="[^"]*"')
    assert pages[0] != pages[1]
    assert changing.sub("", pages[0]) == changing.sub("", pages[1])


def test_the_rule_for_the_loader_is_about_nobody(client):
    rule = json.loads(client.get("/p/lucky-inline.json").text)

    assert set(rule) == {
        *("v", "code", "shape", "url", "frame", "languages", "height"),
        *("where", "budget", "colours", "words"),
    }
