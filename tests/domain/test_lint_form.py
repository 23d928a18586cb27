"""What a form may not ask, and how its parts must fit: L-14, L-16, L-17, L-18."""

from datetime import UTC, datetime

import pytest

from server.domain import lint
from server.domain.campaign import parse_campaign
from server.domain.parts import FileError, as_tables
from tests.factories import campaign_file, campaign_tables

WORDS = {"nl": "Woord", "en": "Word"}
LIST, LINE = "black-friday", "footer-newsletter"


def asked(key="remark", **more):
    return {"key": key, "label": WORDS, "why": WORDS} | more


def judged(name=LINE, **changes):
    found = lint.judge(campaign_file(name, **changes))
    return {(f.place, f.rule) for f in found if f.refuses}


def advised(name=LINE, **changes):
    found = lint.judge(campaign_file(name, **changes))
    return {(f.place, f.rule) for f in found if not f.refuses}


@pytest.mark.parametrize("name", [LIST, LINE])
def test_the_ready_made_forms_are_without_fault_and_come_back_the_same(name):
    campaign = campaign_file(name)

    assert lint.judge(campaign) == []
    assert parse_campaign(as_tables(campaign)) == campaign


def test_a_form_has_nothing_to_play_first():
    assert judged(flow="play-first") == {("flow", "form")}


def test_one_line_has_no_room_for_steps():
    assert ("form.layout", "form") in judged(LIST, form={"layout": "compact"})


def test_a_form_that_needs_a_yes_can_be_given_one_in_every_language():
    """L-14: else nobody could send it."""
    changes = {f"purposes__{n}__texts__en": None for n in range(2)}

    assert judged(fields=[], **changes) == {("purposes.en", "L-14")}
    assert judged(fields=[], form={"needs_yes": False}, **changes) == set()


@pytest.mark.parametrize(
    ("field", "place"),
    [
        (asked(kind="choice"), "fields[1].options"),
        (
            asked(kind="choice", options=[{"key": "a", "label": WORDS}]),
            "fields[1].options",
        ),
        (
            asked(kind="text", options=[{"key": "a", "label": WORDS}] * 2),
            "fields[1].options",
        ),
    ],
)
def test_a_choice_has_what_to_choose_from_and_others_have_not(field, place):
    assert judged(fields=[field]) == {(place, "form")}


def test_two_options_are_two():
    options = [{"key": "a", "label": WORDS}, {"key": "a", "label": WORDS}]

    assert judged(fields=[asked(kind="choices", options=options)]) == {
        ("fields[1].options", "unique")
    }


def test_an_option_speaks_every_language():
    options = [{"key": "a", "label": {"nl": "A"}}, {"key": "b", "label": WORDS}]

    assert judged(fields=[asked(kind="choices", options=options)]) == {
        ("fields[1].options[1].label.en", "L-14")
    }


def test_a_purpose_that_is_not_asked_is_none():
    assert judged(fields=[asked(purpose="horoscope")]) == {
        ("fields[1].purpose", "L-17")
    }


@pytest.mark.parametrize(
    "field",
    [
        asked(kind="birthday"),
        asked(kind="phone"),
        asked(kind="postcode"),
        asked(label={"nl": "Geslacht", "en": "Gender"}),
    ],
)
def test_what_says_much_about_somebody_needs_a_purpose(field):
    """L-17, CR-09: an advice, which goes once there is a purpose."""
    assert advised(fields=[field]) == {("fields[1].purpose", "L-17")}
    assert advised(fields=[field | {"purpose": "newsletter"}]) == set()


def test_obliging_anything_but_the_address_is_advised_against():
    """L-17, CR-09."""
    assert advised(fields=[asked(required=True)]) == {("fields[1].required", "L-17")}


@pytest.mark.parametrize(
    "words",
    [
        "Heb je een allergie?",
        "Ben je zwanger?",
        "Welk geloof heb je?",
        "Wat is je geloofsovertuiging?",
        "Op welke politieke partij stem je?",
        "Ben je lid van een vakbond?",
        "Wat is je seksuele geaardheid?",
        "Do you have a disease?",
        "Your ethnicity",
        "Which church do you go to?",
        "Are you disabled?",
    ],
)
@pytest.mark.parametrize("place", ["label", "why"])
def test_special_categories_are_not_asked(words, place):
    """L-18 (GDPR 9): neither in the question nor in its reason."""
    field = asked() | {place: {"nl": words, "en": words}}

    assert judged(fields=[field]) == {("fields[1]", "L-18")}


def test_special_categories_are_not_offered_either():
    """L-18."""
    options = [
        {"key": "a", "label": {"nl": "Halal, om mijn geloof", "en": "Halal"}},
        {"key": "b", "label": WORDS},
    ]

    assert ("fields[1]", "L-18") in judged(
        fields=[asked(kind="choice", options=options)]
    )


@pytest.mark.parametrize(
    "words",
    [
        "Wat is je lievelingskleur?",
        "Welke maat heb je?",
        "Do you ride a race bike?",
        "Which coffee do you drink?",
        "Woon je in een rustige straat?",
    ],
)
def test_ordinary_questions_are(words):
    field = asked(label={"nl": words, "en": words})

    assert judged(fields=[field]) == set()


@pytest.mark.parametrize(
    "key", ["email", "ticket", "seed", "terms", "adult", "csrf_token"]
)
def test_names_of_ours_are_taken(key):
    assert judged(fields=[asked(key)]) == {("fields[1].key", "unique")}


def test_mails_greet_by_a_name_and_nothing_else():
    """AB-06."""
    assert judged(fields=[asked("first_name", kind="text")]) == {
        ("fields[1].kind", "AB-06")
    }


def test_every_step_asks_something_and_every_field_has_its_step():
    step = {"key": "empty", "title": WORDS}
    tables = campaign_tables(LIST)

    assert judged(LIST, steps=[*tables["steps"], step]) == {("steps[3]", "form")}
    assert judged(LIST, fields__0__step="nowhere") == {("fields[1].step", "form")}
    assert judged(LIST, steps__1__key="wishes", fields__2__step="wishes") >= {
        ("steps[1].key", "unique"),
        ("steps[2].key", "unique"),
    }


def test_a_step_speaks_every_language():
    assert judged(LIST, steps__0__title={"nl": "Wensen"}) == {
        ("steps[1].title.en", "L-14")
    }


def test_one_extra_question_at_a_visit_and_nobody_has_to_answer_it():
    """CR-09."""
    extras = [asked("a", tier=1), asked("b", tier=1)]

    assert judged(fields=extras) == {
        ("fields[1].tier", "unique"),
        ("fields[2].tier", "unique"),
    }
    assert judged(fields=[asked(tier=1, required=True)]) == {
        ("fields[1].required", "CR-09")
    }


@pytest.mark.parametrize(
    "source",
    ["cookie:utm", "query:", "data:Order", "order:email", "path:x", "referrer"],
)
def test_a_hidden_field_takes_only_what_pages_may_tell(source):
    with pytest.raises(FileError, match=r"hidden\[1\]"):
        campaign_file(LINE, hidden=[{"key": "it", "from": source}])


def test_hidden_fields_have_names_of_their_own():
    twice = [{"key": "it", "from": "path"}] * 2

    assert judged(hidden=twice) == {("hidden", "unique")}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"early_access__at": datetime(2026, 3, 2, tzinfo=UTC)}, "early_access.at"),
        ({"early_access__after_days": None}, "early_access.at"),
        ({"early_access__purpose": "sms"}, "early_access.purpose"),
        ({"early_access__texts__en": None}, "early_access.texts.en"),
    ],
)
def test_a_waiting_list_says_when_for_whom_and_what(changes, fault):
    """L-16, CR-15."""
    assert {place for place, _rule in judged(LIST, **changes)} == {fault}


def test_a_waiting_list_does_not_outlast_its_early_access():
    """CR-15: it would promise what is over."""
    early = campaign_tables(LIST)["early_access"]
    del early["after_days"]
    early |= {"at": datetime(2026, 3, 2, tzinfo=UTC), "lasts_days": 2}
    long = {
        "starts": datetime(2026, 2, 1, tzinfo=UTC),
        "ends": datetime(2026, 4, 1, tzinfo=UTC),
        "days": None,
    }

    assert judged(LIST, early_access=early, **long) == {
        ("early_access.lasts_days", "L-16")
    }


@pytest.mark.parametrize(
    "page", ["//evil.example", "https://evil.example/", "javascript:x", "/a b", "", "x"]
)
def test_early_access_leads_to_the_shops_own_site_alone(page):
    """T28."""
    with pytest.raises(FileError, match="early_access.page"):
        campaign_file(LIST, early_access__page=page)
