"""What a visitor sends: CR-01, CR-07, CR-09, CR-14, MI-01, AB-06."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.answers import Reason, is_name
from server.domain.entry import Step, Submission, check, read
from tests.factories import campaign_file

PLAY_FIRST = campaign_file(flow="play-first")
FORM_FIRST = campaign_file(flow="form-first")
WHOLE = {"email": "kim@home.nl", "terms": "yes", "adult": "yes"}


@pytest.mark.parametrize(
    "value", ["", "no", "Yes", "YES", "on", "true", "1", " yes", "yes ", "yes\n", "ja"]
)
def test_only_an_explicit_yes_is_a_yes(value: str):
    """CR-01: nothing missing, unknown or almost right counts."""
    form = WHOLE | {"consent.newsletter": value}

    assert read(form, PLAY_FIRST, "nl").consents == frozenset()


@given(
    st.dictionaries(
        st.sampled_from(["newsletter", "personal_offers", "sms", "consent.newsletter"]),
        st.sampled_from(["yes", "no", ""]),
    )
)
def test_a_consent_is_exactly_what_was_asked_and_answered_yes(given_to: dict[str, str]):
    """CR-01, as a property: purposes the campaign does not ask cannot be given."""
    form = {f"consent.{key}": value for key, value in given_to.items()}

    asked = {"newsletter", "personal_offers"}
    assert read(form, PLAY_FIRST, "nl").consents == {
        key for key, value in given_to.items() if value == "yes" and key in asked
    }


def test_a_consent_without_text_in_the_language_cannot_be_given():
    """CR-14."""
    campaign = campaign_file(purposes__0__texts__en=None)
    form = WHOLE | {"consent.newsletter": "yes", "consent.personal_offers": "yes"}

    assert read(form, campaign, "nl").consents == {"newsletter", "personal_offers"}
    assert read(form, campaign, "en").consents == {"personal_offers"}


def test_accepting_the_terms_gives_no_consent_and_the_other_way_round():
    """CR-07: two acts."""
    terms_only = read(WHOLE, FORM_FIRST, "nl")
    consents_only = read({"consent.newsletter": "yes"}, FORM_FIRST, "nl")

    assert terms_only.consents == frozenset()
    assert not consents_only.terms


def test_only_the_address_is_obligatory():
    """CR-09."""
    submission = read(WHOLE, FORM_FIRST, "nl")

    assert check(submission, FORM_FIRST, Step.BOTH) == {}


def test_unknown_fields_are_dropped():
    form = WHOLE | {"role": "owner", "phone": "0612345678", "first_name": "Kim"}

    assert read(form, FORM_FIRST, "nl").answers == {"first_name": "Kim"}


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"email": ""}, {"email": Reason.MISSING}),
        ({"email": "kim"}, {"email": Reason.NOT_AN_ADDRESS}),
        ({"email": "a@b.nl\nBcc: c@d.nl"}, {"email": Reason.NOT_AN_ADDRESS}),
        ({"first_name": "x" * 201}, {"first_name": Reason.TOO_LONG}),
        ({"first_name": "win.example/x"}, {"first_name": Reason.NOT_A_NAME}),
        ({"terms": "no"}, {"terms": Reason.NOT_ACCEPTED}),
        ({"adult": ""}, {"adult": Reason.MISSING}),
        ({"adult": "no"}, {"adult": Reason.MISSING}),
        ({"adult": "perhaps"}, {"adult": Reason.MISSING}),
    ],
)
def test_every_fault_names_its_field(changes, faults):
    submission = read(WHOLE | changes, FORM_FIRST, "nl")

    assert check(submission, FORM_FIRST, Step.BOTH) == faults


def test_all_faults_come_at_once_in_the_order_of_the_form():
    assert list(check(Submission(), FORM_FIRST, Step.BOTH)) == [
        "email",
        "adult",
        "terms",
    ]


def test_a_shop_may_oblige_a_field():
    campaign = campaign_file(flow="form-first", fields__0__required=True)

    faults = check(read(WHOLE, campaign, "nl"), campaign, Step.BOTH)

    assert faults == {"first_name": Reason.MISSING}


@pytest.mark.parametrize(
    ("campaign", "form", "step"),
    [
        (FORM_FIRST, {}, Step.BOTH),
        (PLAY_FIRST, {"terms": "yes", "adult": "yes"}, Step.PLAY),
        (PLAY_FIRST, {"email": "kim@home.nl"}, Step.CLAIM),
        (PLAY_FIRST, {"first_name": "Kim"}, Step.CLAIM),
        (PLAY_FIRST, {"consent.newsletter": "yes"}, Step.CLAIM),
        (PLAY_FIRST, WHOLE, Step.BOTH),
    ],
)
def test_a_submission_says_itself_what_it_asks(campaign, form, step):
    assert read(form, campaign, "nl").step(campaign) is step


def test_playing_asks_no_address_and_claiming_asks_no_terms():
    play = read({"terms": "yes", "adult": "yes"}, PLAY_FIRST, "nl")
    claim = read({"email": "kim@home.nl"}, PLAY_FIRST, "nl")

    assert check(play, PLAY_FIRST, Step.PLAY) == {}
    assert check(claim, PLAY_FIRST, Step.CLAIM) == {}


@pytest.mark.parametrize(
    "seed",
    ["0" * 31, "0" * 33, "0" * 32 + "\n", "G" * 32, "A" * 32, " " + "0" * 32, "x", ""],
)
def test_a_seed_of_another_shape_is_no_seed(seed: str):
    """PZ-08: what is drawn with is what is published, to the letter."""
    assert read({"seed": seed}, PLAY_FIRST, "nl").seed == ""


def test_a_seed_of_the_right_shape_is_kept():
    assert read({"seed": "0f" * 16}, PLAY_FIRST, "nl").seed == "0f" * 16


@pytest.mark.parametrize(
    "name", ["Kim", "Anne-Fleur", "D'Artagnan", "José María", "Łukasz", "李小龍", "علي"]
)
def test_a_name_is_a_name(name: str):
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "win.example",
        "win/x",
        "http://x",
        "Kim1",
        "kim@home.nl",
        "<b>Kim</b>",
        "Kim\nBcc: c@d.nl",
        "{{ 7*7 }}",
        "Kim\u202eevil",
        "x" * 41,
        "★ WIN ★",
    ],
)
def test_a_name_is_no_way_to_send_a_message(name: str):
    """AB-06, T16."""
    assert not is_name(name)


@given(st.text(max_size=60))
def test_what_is_kept_has_no_control_characters(text: str):
    submission = read({"email": text, "first_name": text}, PLAY_FIRST, "nl")

    for kept in (submission.email, *submission.answers.values()):
        assert not any(
            ord(letter) < 32 or letter in "\x7f\x85\u2028" for letter in kept
        )
        assert kept == kept.strip()


def test_the_same_play_and_claim_have_the_same_print():
    key, form = b"k" * 32, WHOLE | {"first_name": "Kim", "consent.newsletter": "yes"}
    one, two = (read(form, PLAY_FIRST, "nl") for _ in range(2))

    assert one.play_print(key) == two.play_print(key)
    assert one.claim_print(key) == two.claim_print(key)
    assert one.claim_print(key) != one.claim_print(b"x" * 32)


def test_a_print_takes_8_bytes():
    """What an entry leaves is a budget (DESIGN.md section 8, growth)."""
    submission = read(WHOLE, PLAY_FIRST, "nl")

    assert len(submission.play_print(b"k" * 32)) == 8
    assert len(submission.claim_print(b"k" * 32)) == 8


@pytest.mark.parametrize(
    "change",
    [
        {"email": "other@home.nl"},
        {"first_name": "Sam"},
        {"consent.newsletter": "no"},
        {"consent.personal_offers": "yes"},
    ],
)
def test_other_data_has_another_claim_print(change):
    key, form = b"k" * 32, WHOLE | {"first_name": "Kim", "consent.newsletter": "yes"}

    before = read(form, PLAY_FIRST, "nl").claim_print(key)
    after = read(form | change, PLAY_FIRST, "nl").claim_print(key)

    assert before != after


def test_a_claim_form_that_was_left_empty_is_still_a_claim():
    """A visitor who presses too early must not lose what was won."""
    submission = read({"email": ""}, PLAY_FIRST, "nl")

    assert submission.step(PLAY_FIRST) is Step.CLAIM
    assert check(submission, PLAY_FIRST, Step.CLAIM) == {"email": Reason.MISSING}
