"""A form without a game, over HTTP: CR-01, CR-02, CR-09, AX-05, AB-03, AB-06."""

import re
from datetime import timedelta

import pytest

from server.domain.entry import TRAP
from server.models import Attribute, Contact, Entry, Outbox, Text
from tests.factories import campaign_file, prize_table
from tests.forms import LINE, LIST, WORDS, asked, text_of
from tests.html import parse
from tests.visits import AGREED, EMAIL, take_card

# --- what is there -----------------------------------------------------------------


def test_a_form_without_a_prize_speaks_of_no_game(pages, newsletter):
    """CR-07: no terms to accept, no age to tell, no prize, and a title of its own."""
    page = pages.get(f"/w/{LINE}?lang=en")

    text = page.root.text.lower()
    for word in ("prize", "play", "game", "18 or older", "chance", "win"):
        assert not re.search(rf"\b{word}\b", text), word
    names = {tag.attrs.get("name") for tag in page.root.all("input")}
    assert "terms" not in names and "adult" not in names


@pytest.mark.parametrize("code", [LINE, LIST])
@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_consent_is_an_unticked_card_of_its_own(
    pages, newsletter, waiting_list, code, language
):
    """CR-01, CR-06: and the notice is in the page."""
    page = pages.get(f"/w/{code}?lang={language}")

    boxes = [
        box
        for box in page.root.all("input", type="checkbox")
        if box.attrs["name"].startswith("consent.")
    ]
    assert len(boxes) == len({box.attrs["name"] for box in boxes}) >= 2
    assert not any("checked" in box.attrs for box in boxes)
    assert page.root.all("details", id="notice")


def test_browsers_know_what_belongs_where(client, form):
    """AX-05 (SC 1.3.5): types, tokens and keyboards."""
    form(
        asked("first_name", "name"),
        asked("postcode", "postcode"),
        asked("mobile", "phone"),
        asked("born", "birthday"),
        asked("remark", "long"),
    )

    page = parse(client.get(f"/w/{LINE}?lang=en").get_data(as_text=True))

    named = {tag.attrs.get("name"): tag.attrs for tag in page.all("input")}
    months = page.all("select", name="born.month")[0]
    assert named["email"]["type"] == named["email"]["autocomplete"] == "email"
    assert named["first_name"]["autocomplete"] == "given-name"
    assert named["postcode"]["autocomplete"] == "postal-code"
    assert named["mobile"]["type"] == named["mobile"]["autocomplete"] == "tel"
    assert named["born.day"]["inputmode"] == "numeric"
    assert named["born.day"]["autocomplete"] == "bday-day"
    assert months.attrs["autocomplete"] == "bday-month"
    assert [o.text for o in months.all("option")][1:4] == [
        "January",
        "February",
        "March",
    ]
    assert page.all("textarea", name="remark")[0].attrs["maxlength"] == "1000"


def test_the_till_fills_nothing_in(app, database, form, now):
    """CR-13: not even what a browser remembers of the person before."""
    placements = [{"code": "t", "shape": "page", "channel": "till"}]
    form(asked("first_name", "name"), asked("born", "birthday"), placements=placements)

    with app.test_request_context(), database.reading() as session:
        live = app.extensions["directory"].find(session, "t", now=now)
        face = app.extensions["faces"].of(live, "en")

    page = parse(b"".join(face.page.parts).decode())
    typed = [t for t in [*page.all("input"), *page.all("select")] if _is_typed(t)]
    assert len(typed) == 4
    assert {tag.attrs["autocomplete"] for tag in typed} == {"off"}


def _is_typed(tag):
    # The trap is for robots; nobody else types there.
    is_trap = tag.attrs.get("name") == TRAP
    return tag.attrs.get("type") not in {"hidden", "checkbox"} and not is_trap


# --- what is sent ------------------------------------------------------------------


def test_answers_are_kept_in_the_form_in_which_they_are_used(client, form, house):
    form(
        asked("postcode", "postcode"),
        asked("mobile", "phone"),
        asked("born", "birthday"),
        asked("remark", "long"),
    )
    typed = {
        "postcode": "1234ab",
        "mobile": "06 12345678",
        "born.day": "9",
        "born.month": "3",
        "remark": "One\r\ntwo",
    }

    done = take_card(client, LINE).send(
        client, {"email": EMAIL} | typed, consents=["newsletter"]
    )

    assert done.status_code == 200
    assert house.answers() == {
        "postcode": "1234 AB",
        "mobile": "+31612345678",
        "born": "--03-09",
        "remark": "One\ntwo",
    }


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_fault_is_said_at_its_field_and_nothing_typed_is_lost(
    client, form, house, language
):
    """AX-05 (SC 3.3.1, 3.3.3): in the visitor's language, each with what to do."""
    options = [{"key": "sun", "label": WORDS}, {"key": "sea", "label": WORDS}]
    form(
        asked("postcode", "postcode"),
        asked("mobile", "phone"),
        asked("born", "birthday"),
        asked("trip", "choice", options=options),
        asked("likes", "choices", options=options),
        asked("remark", "long"),
        asked("first_name", "name"),
    )
    typed = {
        "email": "iris@",
        "postcode": "99",
        "mobile": "12",
        "born.day": "31",
        "born.month": "2",
        "trip": "moon",
        "likes.sea": "yes",
        "remark": "Kept <b>as</b> it is",
        "first_name": "win.example",
    }

    again = take_card(client, LINE, lang=language).send(
        client, typed, consents=["personal_offers"]
    )

    assert again.status_code == 422
    page = parse(again.get_data(as_text=True))
    faults = {f"fault-{key}" for key in ("email", "postcode", "mobile", "born", "trip")}
    for name in faults | {"fault-first_name"}:
        (said,) = page.all("p", id=name)
        assert said.text.strip()
    links = {a.attrs["href"] for a in page.all("a") if a.attrs["href"].startswith("#")}
    ids = {tag.attrs.get("id") for tag in page.all("input")}
    assert links and {link[1:] for link in links} <= ids
    values = {
        tag.attrs.get("name"): tag.attrs.get("value") for tag in page.all("input")
    }
    assert (values["postcode"], values["mobile"], values["born.day"]) == (
        "99",
        "12",
        "31",
    )
    (month,) = [o for o in page.all("option") if "selected" in o.attrs]
    assert month.attrs["value"] == "2"
    ticked = {t.attrs["name"] for t in page.all("input") if "checked" in t.attrs}
    assert ticked >= {"likes.sea", "consent.personal_offers"}
    assert page.all("textarea")[0].text.strip() == "Kept <b>as</b> it is"
    assert house.rows(Entry) == house.rows(Contact) == []


def test_without_any_yes_nothing_is_taken_in(client, newsletter, house):
    """CR-09: an address nobody may write to is not kept."""
    again = take_card(client, LINE).send(client, {"email": EMAIL})

    assert again.status_code == 422
    assert "Tick what we may mail you." in text_of(again)
    assert 'value="iris@example.com"' in text_of(again)
    assert house.rows(Contact) == house.rows(Entry) == house.rows(Outbox) == []


def test_a_question_for_an_answer_needs_no_yes(client, form, house):
    """CR-02 for what is more than its consents."""
    form(asked("remark", "long"), form={"needs_yes": False})

    done = take_card(client, LINE).send(
        client, {"email": EMAIL, "remark": "Do you open on Sunday?"}
    )

    assert done.status_code == 200
    assert "We have received it." in text_of(done)
    assert house.answers() == {"remark": "Do you open on Sunday?"}
    assert house.letters() == []


def test_a_win_never_needs_a_yes(client, publish, house):
    """CR-02: with a prize the consents decide nothing."""
    gift = prize_table("gift", stock=None, code="GIFT10")
    tables = campaign_file("welcome-scratch").terms
    publish(
        campaign_file(
            "footer-newsletter",
            award="same-gift",
            prizes=[gift],
            fallback="gift",
            minimum_age=18,
            form={"layout": "open"},
            terms={
                locale: [section.model_dump() for section in sections]
                for locale, sections in tables.items()
            },
            texts__nl__won="Voor jou",
            texts__en__won="For you",
        )
    )

    done = take_card(client, LINE).send(client, {"email": EMAIL} | AGREED)

    assert "For you Gift" in text_of(done)
    assert "GIFT10" in text_of(done)
    assert [letter.kind for letter in house.letters()] == ["prize"]


@pytest.mark.parametrize("award", ["instant-win", "everybody-wins", "same-gift"])
def test_a_form_with_a_prize_asks_age_and_terms(client, publish, award):
    """MI-01, CR-07."""
    gift = prize_table("gift", stock=None, code="GIFT10")
    publish(
        campaign_file(
            "welcome-scratch",
            mechanic="form",
            award=award,
            prizes=[gift],
            fallback="gift",
        )
    )

    refused = take_card(client).send(client, {"email": EMAIL})
    done = take_card(client).send(client, {"email": EMAIL} | AGREED)

    page = parse(refused.get_data(as_text=True))
    assert refused.status_code == 422
    assert page.all("p", id="fault-terms") and page.all("p", id="fault-adult")
    assert "GIFT10" in text_of(done)


def test_the_end_is_the_same_whatever_is_known_of_the_address(
    client, newsletter, house, clock
):
    """AB-03: new, waiting, confirmed."""
    said = []
    for _ in range(3):
        done = take_card(client, LINE).send(
            client, {"email": EMAIL}, consents=["newsletter"]
        )
        said.append((done.status_code, re.sub(r"nonce=\S+", "", text_of(done))))
        clock.advance(timedelta(minutes=11))
        if len(said) == 2:
            house.press(client, house.link("confirm"))

    assert said[0] == said[1] == said[2]
    assert "We have sent a mail to i***@example.com." in said[0][1]


# --- what is asked for a purpose ---------------------------------------------------


def test_what_is_asked_for_a_purpose_is_dropped_without_a_yes_to_it(
    client, form, house
):
    """GDPR 5(1)(b), CR-09: not kept at all, not even with the entry."""
    form(
        asked("born", "birthday", purpose="personal_offers"),
        asked("remark", "text"),
    )
    typed = {"born.day": "9", "born.month": "3", "remark": "Hello"}

    take_card(client, LINE).send(
        client, {"email": EMAIL} | typed, consents=["newsletter"]
    )

    assert house.answers() == {"remark": "Hello"}


def test_answers_become_attributes_when_their_purpose_is_confirmed(client, form, house):
    """DO-01: typed, not before the press, and gone with the consent (WD-03)."""
    options = [{"key": "sun", "label": WORDS}, {"key": "sea", "label": WORDS}]
    form(
        asked("born", "birthday", purpose="personal_offers"),
        asked("likes", "choices", purpose="personal_offers", options=options),
        asked("postcode", "postcode", purpose="newsletter"),
        asked("remark", "text"),
    )
    typed = {
        "born.day": "9",
        "born.month": "3",
        "likes.sun": "yes",
        "likes.sea": "yes",
        "postcode": "1234ab",
        "remark": "Hello",
    }
    take_card(client, LINE).send(
        client,
        {"email": EMAIL} | typed,
        consents=["newsletter", "personal_offers"],
    )
    assert house.rows(Attribute) == []

    house.press(client, house.link("confirm"))

    found = house.attributes()
    assert found == {
        "born": ("date", "--03-09", "personal_offers"),
        "likes": ("choices", "sun,sea", "personal_offers"),
        "postcode": ("text", "1234 AB", "newsletter"),
    }
    house.press(client, house.link("unsubscribe"))
    assert house.rows(Attribute) == []


def test_who_asks_once_more_before_confirming_loses_nothing_told_before(
    client, newsletter, house, clock
):
    """DO-10: the first mail and the second are one request."""
    yes = ["newsletter", "personal_offers"]
    first = {"interests.living": "yes"}
    take_card(client, LINE).send(client, {"email": EMAIL} | first, consents=yes)
    clock.advance(timedelta(minutes=11))
    second = {"birthday.day": "9", "birthday.month": "3"}
    card = take_card(client, LINE, asked="interests")
    card.send(client, {"email": EMAIL} | second, consents=yes)

    house.press(client, house.link("confirm"))

    assert {key: told[1] for key, told in house.attributes().items()} == {
        "interests": "living",
        "birthday": "--03-09",
    }


def test_a_stranger_changes_nothing_that_was_confirmed(
    client, newsletter, house, clock
):
    """Nobody showed that the mailbox is theirs: what is new is added, no more."""
    yes = ["newsletter", "personal_offers"]
    told = {"interests.living": "yes"}
    take_card(client, LINE).send(client, {"email": EMAIL} | told, consents=yes)
    house.press(client, house.link("confirm"))
    clock.advance(timedelta(days=2))

    other = {"interests.gifts": "yes"}
    take_card(client, LINE).send(client, {"email": EMAIL} | other, consents=yes)
    new = {"birthday.day": "9", "birthday.month": "3"}
    card = take_card(client, LINE, asked="interests")
    card.send(client, {"email": EMAIL} | new, consents=yes)

    assert {key: told[1] for key, told in house.attributes().items()} == {
        "interests": "living",
        "birthday": "--03-09",
    }


# --- one extra question ------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked_before", "shown"),
    [
        ("", "interests"),
        ("interests", "birthday"),
        ("birthday", "interests"),
        ("interests,birthday", None),
        ("x,'\"><script>,interests", "birthday"),
    ],
)
def test_one_extra_question_a_visit_the_lowest_tier_first(
    client, newsletter, asked_before, shown
):
    page = client.get(f"/w/{LINE}", query_string={"lang": "en", "asked": asked_before})

    names = set(
        re.findall(r'name="(interests|birthday)\.', page.get_data(as_text=True))
    )
    assert names == ({shown} if shown else set())
    assert "<script>," not in page.get_data(as_text=True)


def test_only_the_question_that_was_shown_is_answered(client, newsletter, house):
    both = {"interests.living": "yes", "birthday.day": "9", "birthday.month": "3"}

    take_card(client, LINE, asked="interests").send(
        client, {"email": EMAIL} | both, consents=["newsletter", "personal_offers"]
    )

    assert house.answers() == {"birthday": "--03-09"}


def test_the_copy_of_the_form_holds_the_question_that_was_asked(
    client, newsletter, house
):
    """PR-01: each visit's form is kept as it was shown."""
    take_card(client, LINE, asked="interests").send(
        client, {"email": EMAIL}, consents=["newsletter"]
    )

    (form,) = house.rows(Text, kind="form")
    assert "birthday.day" in form.body and "interests" not in form.body


# --- what the page around it tells -------------------------------------------------


def test_what_the_page_tells_comes_with_the_entry(client, newsletter, house):
    card = take_card(
        client,
        LINE,
        **{"h.utm_source": "Letter & co", "h.utm_medium": "x", "h.page": "/"},
    )
    page = client.get(f"/w/{LINE}", query_string={"h.utm_source": '"><b>'})
    hidden = {"h.utm_source": "Letter & co", "h.page": "/", "h.email": "b@home.nl"}

    card.send(client, {"email": EMAIL} | hidden, consents=["newsletter"])

    assert 'name="h.utm_source" value="&#34;&gt;&lt;b&gt;"' in page.text
    assert "utm_medium" not in page.text
    assert house.source() == {"utm_source": "Letter & co", "page": "/"}


def test_what_the_page_tells_is_cut_and_never_mailed(client, newsletter, house):
    """AB-06: free words of a stranger reach no mail."""
    told = "win at evil.example\r\nBcc: b@home.nl " + "x" * 300
    take_card(client, LINE).send(
        client,
        {"email": EMAIL, "h.utm_source": told},
        consents=["newsletter"],
    )

    source = house.source()["utm_source"]
    assert len(source) == 200
    assert "\r" not in source and "\n" not in source
    for letter in house.letters():
        assert "evil" not in str(letter.params)


def test_the_fields_stay_told_when_the_form_comes_back(client, newsletter):
    again = take_card(client, LINE).send(
        client, {"email": "iris@", "h.utm_source": "letter"}
    )

    assert 'name="h.utm_source" value="letter"' in again.get_data(as_text=True)


# --- abuse -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["text", "long"])
def test_free_text_is_in_no_mail(client, form, house, kind):
    """AB-06, T16."""
    form(asked("remark", kind), asked("first_name", "name"))
    typed = {"remark": "Buy at evil.example", "first_name": "Iris"}

    take_card(client, LINE).send(
        client, {"email": EMAIL} | typed, consents=["newsletter"]
    )

    (letter,) = house.letters("confirm")
    assert "evil" not in str(letter.params)


def test_a_great_many_fields_are_refused_in_one_line(client, newsletter):
    card = take_card(client, LINE)
    many = {f"interests.{number}": "yes" for number in range(2_000)}

    answer = card.send(client, {"email": EMAIL} | many, consents=["newsletter"])

    assert answer.status_code in {200, 413}
