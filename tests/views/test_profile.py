"""What people see and correct of what is known of them: DS-01, GDPR 15, 16, T24."""

import json
from datetime import timedelta

import pytest

from server.models import Attribute, ConsentEvent, Standing
from server.services import contactable
from tests.factories import campaign_file
from tests.forms import LINE, asked
from tests.profiles import (
    ADA,
    FIELDS,
    KEPT,
    PLACES,
    asked_by_right,
    correct,
    form_of,
    remove,
)
from tests.visits import EMAIL, take_card


@pytest.fixture
def reader(told):
    return told()


# --- what is there -----------------------------------------------------------------


def test_the_page_names_each_answer_and_what_it_is_for(pages, house, reader):
    """In the words of the form that asked, and not the keys of its file."""
    assert house.attributes() == KEPT
    page = pages.get(pages.get(reader).link("Correct my data"))

    said = {
        item.attrs["id"].removeprefix("kept-"): (
            item.one("dt").text,
            item.one("dd").text,
            item.all("p", class_="quiet")[0].text,
        )
        for item in page.root.one("ul", class_="cards kept").all("li")
    }

    newsletter = "Kept for: Newsletter"
    offers = "Kept for: Offers that suit me"
    assert said == {
        "postcode": ("Your postcode", "1234 AB", newsletter),
        "mobile": ("Word", "+31612345678", newsletter),
        "born": ("Word", "9 March", offers),
        "likes": ("Word", "Living, Gifts", offers),
        "room": ("Word", "Table", offers),
    }
    assert "Leave it at the door" not in page.text


def test_in_dutch_it_has_the_dutch_words(pages, told):
    page = pages.get(f"{told(lang='nl')}/profile")

    assert page.h1 == "Wat Noord & Zon van je weet"
    for word in (
        "Je postcode",
        "9 maart",
        "Wonen, Cadeaus",
        "Bewaard voor: Nieuwsbrief",
    ):
        assert word in page.text
    english = pages.get(f"{page.response.request.path}?lang=en")
    assert "9 March" in english.text
    assert "Living, Gifts" in english.text


def test_what_a_campaign_says_in_one_language_is_marked_as_that(pages, told, form):
    link = told(lang="nl")
    form(*FIELDS, languages=["nl"])

    card = pages.get(f"{link}/profile?lang=en").root.by_id("kept-postcode")

    assert card.one("dt", lang="nl").text == "Je postcode"
    assert card.one("details").one("label").one("span", lang="nl").text == "Je postcode"
    assert card.one("p", class_="hint").attrs["lang"] == "nl"
    assert "Kept for: Nieuwsbrief" in card.text


def test_each_field_holds_what_is_kept(pages, reader):
    """So a press on Save changes nothing by itself."""
    page = pages.get(f"{reader}/profile")

    sent = {key: form_of(page, key).values for key in KEPT}

    typed = {
        name: value
        for values in sent.values()
        for name, value in values.items()
        if name not in {"key", "shown"}
    }
    assert typed == {
        "postcode": "1234 AB",
        "mobile": "+31612345678",
        "born.day": "9",
        "born.month": "3",
        "likes.living": "yes",
        "likes.gifts": "yes",
        "room": "table",
    }


def test_looking_and_saving_it_as_it_is_change_nothing(pages, house, reader):
    before = house.dump()

    for key in KEPT:
        done = correct(pages, reader, key)
        assert "Saved. Nothing has changed." in pages.follow(done).text

    assert house.dump() == before


def test_without_answers_there_is_nothing_to_see(pages, client, house, newsletter):
    """No way to an empty page; and who finds it all the same is told so."""
    take_card(client, LINE).enter(client, consents=["newsletter"])
    house.press(client, house.link("confirm"))
    link = house.link("preferences")

    assert "Correct my data" not in pages.get(link).text
    page = pages.get(f"{link}/profile")
    assert "keeps no answers of yours" in page.text
    assert not page.root.all("form") and not page.root.all("li")


def test_what_has_no_yes_today_is_not_there(pages, client, house, told):
    """CR-10: neither before it was confirmed nor after it was taken back."""
    link = told(consents=["newsletter"])
    page = pages.get(f"{link}/profile")
    assert [item.attrs["id"] for item in page.root.all("li")] == [
        *("kept-mobile", "kept-postcode")
    ]

    client.post(f"{link}/stop", data={"purpose": "newsletter"})

    assert not pages.get(f"{link}/profile").root.all("li")
    assert "Correct my data" not in pages.get(link).text


@pytest.mark.parametrize("act", ["withdrawn", "unproven", "soft_opt_in"])
def test_a_row_that_outlived_its_yes_is_not_shown_either(pages, house, reader, act):
    """A claim of the shop is no yes, whatever is left in a row."""
    who = house.person()
    with house.database.transaction() as session:
        session.get_one(Standing, (who.id, "newsletter")).act = act

    page = pages.get(f"{reader}/profile")

    assert "postcode" not in page.html
    assert "9 March" in page.text


def test_what_is_of_another_row_is_not_shown(pages, house, reader, told):
    """T24: a value opens nowhere but where it was told."""
    told(ADA, postcode="9999 ZZ")
    ids = house.person().id, house.person(ADA).id
    with house.database.transaction() as session:
        mine, hers = (session.get_one(Attribute, (each, "postcode")) for each in ids)
        mine.sealed_value = hers.sealed_value

    page = pages.get(f"{reader}/profile")

    assert "9999" not in page.text
    assert "+31612345678" in page.text


# --- correcting --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "typed", "value", "said"),
    [
        ("postcode", {"postcode": "4321zz"}, "4321 ZZ", "4321 ZZ"),
        ("mobile", {"mobile": "020 624 1111"}, "+31206241111", "+31206241111"),
        ("born", {"born__day": "29", "born__month": "2"}, "--02-29", "29 February"),
        (
            "likes",
            {"likes__living": None, "likes__table": "yes"},
            "table,gifts",
            "Table, Gifts",
        ),
        ("room", {"room": "living"}, "living", "Living"),
    ],
)
def test_a_correction_is_kept_as_the_form_would_keep_it(
    pages, house, reader, key, typed, value, said
):
    """GDPR 16: at once, and nothing else changes."""
    house.clock.advance(timedelta(days=2))

    page = pages.follow(correct(pages, reader, key, **typed))

    kind, _before, purpose = KEPT[key]
    assert house.attributes() == KEPT | {key: (kind, value, purpose)}
    card = page.root.by_id(f"kept-{key}")
    assert card.one("dd").text == said
    assert card.one("div", role="status").text == "Saved."
    (row,) = house.rows(Attribute, key=key)
    assert row.at == house.clock.now()


def test_a_correction_is_no_consent_and_its_use_is_kept(pages, client, house, reader):
    """The fact names the field, and neither what it said nor what it says."""
    stands = [(row.purpose, row.act, row.event_id) for row in house.rows(Standing)]
    facts = len(house.rows(ConsentEvent))

    correct(pages, reader, "postcode", postcode="4321zz")

    (fact,) = house.rows(ConsentEvent)[facts:]
    assert (fact.purpose, fact.act, fact.method) == ("*", "corrected", "pref_centre")
    evidence = house.evidence(fact)
    assert evidence["corrected"] == "postcode"
    assert "4321" not in str(evidence) and "1234" not in str(evidence)
    assert stands == [(r.purpose, r.act, r.event_id) for r in house.rows(Standing)]
    assert asked_by_right(house) == [("rectify", "corrected")]
    house.verify_ledger()


def test_their_own_copy_has_it_and_the_answers_of_then(pages, client, house, reader):
    """GDPR 15: what was told then is not rewritten."""
    correct(pages, reader, "postcode", postcode="4321zz")

    data = json.loads(client.post(f"{reader}/data").text)

    kept = {each["key"]: each["value"] for each in data["attributes"]}
    assert kept["postcode"] == "4321 ZZ"
    assert data["entries"][0]["answers"]["postcode"] == "1234 AB"
    assert [(r["kind"], r["by"], r["outcome"]) for r in data["rights"]] == [
        ("rectify", "person", "corrected")
    ]
    assert "corrected" in [fact["act"] for fact in data["consents"]["facts"]]


def test_an_export_reads_the_corrected_value(pages, house, reader):
    correct(pages, reader, "postcode", postcode="4321zz")
    remove(pages, reader, "mobile")

    with house.database.reading() as session:
        wanted = contactable.find(session, house.person().shop_id, "newsletter")
        (line,), _next = contactable.page(
            session, wanted, after=0, vault=house.vault, now=house.clock.now()
        )

    assert line.attributes == {"postcode": "4321 ZZ"}


@pytest.mark.parametrize(
    ("key", "typed", "fault"),
    [
        ("postcode", {"postcode": "12 AB"}, "A Dutch postcode looks like 1234 AB."),
        ("postcode", {"postcode": ""}, "Fill this in, or remove it."),
        ("postcode", {"postcode": "x" * 201}, "This is too long"),
        ("mobile", {"mobile": "call me"}, "This is not a phone number we know."),
        (
            "born",
            {"born__day": "31", "born__month": "2"},
            "a day and a month that exist",
        ),
        ("likes", {"likes__living": None, "likes__gifts": None}, "Fill this in"),
        ("room", {"room": "garden"}, "Choose one of the answers."),
    ],
)
def test_what_the_field_would_not_take_is_told_beside_it_and_kept_as_typed(
    pages, house, reader, key, typed, fault
):
    before = house.dump()

    page = correct(pages, reader, key, status=422, **typed)

    card = page.root.by_id(f"kept-{key}")
    assert fault in card.one("p", id=f"fault-{key}").text
    assert "open" in card.one("details").attrs
    sent = form_of(page, key).values
    shown = {name: sent[name] for name in sent.keys() - {"key", "shown"}}
    # What is not among the answers cannot be shown as one.
    assert shown == {
        name.replace("__", "."): value
        for name, value in typed.items()
        if value is not None and value != "garden"
    }
    opened = [each for each in page.root.all("details") if "open" in each.attrs]
    assert len(opened) == 1
    assert house.dump() == before


def test_a_fault_is_told_in_dutch(pages, told):
    page = correct(pages, told(lang="nl"), "postcode", status=422, postcode="12 AB")

    assert "Een postcode ziet eruit als 1234 AB." in page.text


def test_a_name_stays_a_name(pages, client, house, form):
    """AB-06: mails greet people by it."""
    form(asked("first_name", "name", purpose="newsletter"))
    card = take_card(client, LINE)
    card.send(client, {"email": EMAIL, "first_name": "Iris"}, consents=["newsletter"])
    house.press(client, house.link("confirm"))

    page = correct(
        pages, house.link("preferences"), "first_name", status=422, first_name="x.nl/y"
    )

    assert "Please use letters only" in page.text


def test_one_chooses_among_the_answers_of_the_newest_form(pages, house, form, reader):
    """What it offers no more is shown as it is, and can be left behind."""
    places = [{"key": "attic", "label": {"nl": "Zolder", "en": "Attic"}}, PLACES[0]]
    fields = [f | ({"options": places} if f["key"] == "room" else {}) for f in FIELDS]
    form(*fields)

    page = pages.get(f"{reader}/profile")
    assert page.root.by_id("kept-room").one("dd").text == "table"
    again = correct(pages, reader, "room", status=422, room="table")
    assert "Choose one of the answers." in again.text
    correct(pages, reader, "room", room="attic")

    assert house.attributes()["room"][1] == "attic"


def test_what_is_asked_no_more_is_read_as_it_was_asked(pages, house, form, reader):
    form(FIELDS[0])

    page = pages.follow(correct(pages, reader, "born", born__day="1", born__month="5"))

    assert page.root.by_id("kept-born").one("dd").text == "1 May"
    assert house.attributes()["born"] == ("date", "--05-01", "personal_offers")


def test_a_later_entry_that_is_confirmed_has_the_last_word(pages, client, house, told):
    """As before: and one that nobody confirmed overwrites nothing."""
    link = told(consents=["newsletter"])
    correct(pages, link, "postcode", postcode="4321zz")

    take_card(client, LINE).send(
        client, {"email": EMAIL, "postcode": "5555 AA"}, consents=["newsletter"]
    )
    assert house.attributes()["postcode"][1] == "4321 ZZ"

    house.clock.advance(timedelta(days=1))
    told(postcode="6666 BB")
    assert house.attributes()["postcode"][1] == "6666 BB"


# --- removing ----------------------------------------------------------------------


def test_removing_takes_one_press(pages, house, reader):
    """As easy as changing; the yes stands, and so does what was told then."""
    page = pages.follow(remove(pages, reader, "born"))

    assert "Removed: Noord & Zon does not keep it any more." in page.text
    assert set(house.attributes()) == KEPT.keys() - {"born"}
    assert set(house.standing().values()) == {"given"}
    assert house.answers()["born"] == "--03-09"
    fact = house.rows(ConsentEvent)[-1]
    assert (fact.act, house.evidence(fact)["removed"]) == ("corrected", "born")
    assert asked_by_right(house) == [("rectify", "corrected")]
    house.verify_ledger()


def test_after_the_last_one_there_is_nothing_left(pages, reader):
    for key in KEPT:
        done = remove(pages, reader, key)

    page = pages.follow(done)
    assert "keeps no answers of yours" in page.text
    assert "Correct my data" not in pages.get(reader).text


def test_a_field_that_must_be_filled_in_can_be_removed(pages, client, house, form):
    """It was a condition of the form, and is none of being known."""
    form(asked("postcode", "postcode", purpose="newsletter", required=True))
    card = take_card(client, LINE)
    card.send(client, {"email": EMAIL, "postcode": "1234 AB"}, consents=["newsletter"])
    house.press(client, house.link("confirm"))

    remove(pages, house.link("preferences"), "postcode")

    assert house.attributes() == {}


# --- what a quiz was told ----------------------------------------------------------


@pytest.fixture
def stylist(publish, client, house):
    """Somebody who answered the demo's quiz and said yes to its profile."""
    publish(campaign_file("style-quiz"))
    answers = {
        "quiz.place": "sea",
        "quiz.colours.blue": "yes",
        "quiz.warmth": "5",
        "quiz.evening": "fish",
    }
    card = take_card(client, "style-quiz-inline")
    card.enter(client, consents=["style_profile"], more=answers)
    house.press(client, house.link("confirm"))
    return house.link("preferences")


def test_what_a_quiz_was_told_is_corrected_by_its_questions(pages, house, stylist):
    """CR-10: under their own words; a slider takes a number it could stand on."""
    page = pages.get(f"{stylist}/profile")
    said = [item.one("dd").text for item in page.root.all("li")]
    assert said == ["Blue and white", "By the sea, in the wind", "5"]
    assert "0: Empty and light. 10: Full and warm." in page.text

    correct(pages, stylist, "place", place="sofa")
    correct(pages, stylist, "colours", colours__earth="yes")
    correct(pages, stylist, "warmth", warmth="7")

    assert house.attributes() == {
        "place": ("choices", "sofa", "style_profile"),
        "colours": ("choices", "blue,earth", "style_profile"),
        "warmth": ("number", "7", "style_profile"),
    }


@pytest.mark.parametrize("number", ["11", "-1", "2.5", "many", "1e1", "٣"])
def test_a_slider_has_its_ends(pages, house, stylist, number):
    page = correct(pages, stylist, "warmth", status=422, warmth=number)

    assert "a whole number from 0 to 10" in page.root.by_id("fault-warmth").text
    assert form_of(page, "warmth").values["warmth"] == number
    assert house.attributes()["warmth"][1] == "5"


@pytest.mark.parametrize("place", ["moon", ""])
def test_a_quiz_is_answered_by_its_answers(pages, house, stylist, place):
    correct(pages, stylist, "place", status=422, place=place)

    assert house.attributes()["place"][1] == "sea"
