"""What fields are answered with: CR-09, AX-05, AB-06."""

import calendar
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import answers
from server.domain.answers import AnswerError, Reason
from server.domain.fields import FormField

WORDS = {"nl": "Woord", "en": "Word"}
OPTIONS = [{"key": key, "label": WORDS} for key in ("clothes", "home", "gifts")]


def field(kind, key="it", **more):
    options = OPTIONS if kind in {"choice", "choices"} else []
    tables = {"key": key, "kind": kind, "label": WORDS, "why": WORDS}
    return FormField.model_validate(tables | {"options": options} | more)


def read(kind, typed, *, country="NL", **more):
    asked = field(kind, **more)
    form = {"it": typed} if isinstance(typed, str) else typed
    return answers.read(asked, answers.take(form, [asked]), country=country)


def refused(kind, typed, **more):
    with pytest.raises(AnswerError) as error:
        read(kind, typed, **more)
    return error.value.reason


# --- birthdays ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "month", "kept"),
    [("3", "3", "--03-03"), ("03", "12", "--12-03"), ("29", "2", "--02-29")],
)
def test_a_birthday_is_a_day_and_a_month(day, month, kept):
    assert read("birthday", {"it.day": day, "it.month": month}) == kept


@pytest.mark.parametrize(
    ("day", "month"),
    [
        ("30", "2"),
        ("31", "4"),
        ("0", "1"),
        ("1", "13"),
        ("3", ""),
        ("", "3"),
        ("-1", "3"),
        ("3.0", "3"),
        ("٣", "3"),
        ("1990", "3"),
        ("x", "y"),
    ],
)
def test_a_day_that_does_not_exist_is_refused(day, month):
    assert refused("birthday", {"it.day": day, "it.month": month}) is Reason.NOT_A_DAY


@given(st.text(max_size=4), st.text(max_size=4))
def test_a_birthday_is_kept_as_a_real_day_or_not_at_all(day: str, month: str):
    try:
        kept = read("birthday", {"it.day": day, "it.month": month})
    except AnswerError:
        return

    assert kept == "" or re.fullmatch(r"--\d\d-\d\d", kept)
    if kept:
        longest = calendar.monthrange(2000, int(kept[2:4]))[1]
        assert 1 <= int(kept[5:]) <= longest


# --- postcodes ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["1234AB", "1234 ab", " 1234  AB ", "1234-ab", "NL-1234 AB"]
)
def test_a_dutch_postcode_is_kept_in_one_form(typed):
    assert read("postcode", typed) == "1234 AB"


@pytest.mark.parametrize(
    "typed", ["0123 AB", "1234 SS", "1234", "1234 ABC", "123 AB", "12345 AB", "B-1000"]
)
def test_what_is_no_dutch_postcode_is_refused(typed):
    assert refused("postcode", typed) is Reason.NOT_A_POSTCODE


@given(
    st.integers(1000, 9999),
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2).filter(
        lambda letters: letters not in {"SA", "SD", "SS"}
    ),
    st.sampled_from(["", " ", "-", "  "]),
    st.booleans(),
)
def test_every_postcode_comes_to_itself(number, letters, between, is_small):
    typed = f"{number}{between}{letters.lower() if is_small else letters}"

    assert read("postcode", typed) == f"{number} {letters}"


# --- phone numbers -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "country", "kept"),
    [
        ("06 12345678", "NL", "+31612345678"),
        ("06-12 34 56 78", "NL", "+31612345678"),
        ("+31 6 12345678", "DE", "+31612345678"),
        ("0031612345678", "NL", "+31612345678"),
        ("(020) 555 01 23", "NL", "+31205550123"),
        ("030 123456", "DE", "+4930123456"),
        ("+44 20 7946 0958", "NL", "+442079460958"),
    ],
)
def test_a_phone_number_is_kept_as_the_whole_world_dials_it(typed, country, kept):
    assert read("phone", typed, country=country) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "12",
        "0612",
        "call 06 12345678",
        "06 12345678 ext 3",
        "+999 123456789",
        "٠٦١٢٣٤٥٦٧٨",
        "06 12345678\n+31 6 87654321",
        "tel:+31612345678",
        "+",
    ],
)
def test_what_nobody_can_dial_is_refused(typed):
    assert refused("phone", typed) is Reason.NOT_A_PHONE


@given(st.text(max_size=40))
def test_a_phone_number_is_e164_or_nothing(typed: str):
    try:
        kept = read("phone", typed)
    except AnswerError:
        return

    assert kept == "" or re.fullmatch(r"\+[1-9][0-9]{6,14}", kept)


# --- choices -----------------------------------------------------------------------


def test_a_choice_is_one_of_those_offered():
    assert read("choice", "home") == "home"
    assert refused("choice", "garden") is Reason.NOT_OFFERED


def test_several_choices_are_those_with_an_explicit_yes():
    typed = {"it.gifts": "yes", "it.clothes": "yes", "it.home": "on", "it.x": "yes"}

    assert read("choices", typed) == "clothes,gifts"


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=5), max_size=8))
def test_whatever_is_sent_only_what_is_offered_is_kept(form: dict[str, str]):
    kept = read("choices", {f"it.{key}": value for key, value in form.items()})

    assert {key for key in kept.split(",") if key} <= {"clothes", "home", "gifts"}


# --- texts -------------------------------------------------------------------------


def test_a_long_text_keeps_its_lines_and_nothing_that_controls():
    typed = " First\r\nsecond\x00\x1b[31m\u2028third \t\n\n"

    assert read("long", typed) == "First\nsecond  [31m\nthird"


def test_one_line_stays_one_line():
    assert read("text", "a\r\nBcc: b@home.nl") == "a  Bcc: b@home.nl"


@pytest.mark.parametrize(("kind", "most"), [("text", 200), ("long", 1_000)])
def test_too_much_is_refused(kind, most):
    assert read(kind, "x" * most) == "x" * most
    assert refused(kind, "x" * (most + 1)) is Reason.TOO_LONG


def test_the_first_name_is_always_a_name():
    """AB-06: mails greet people by it."""
    tables = {"key": "first_name", "label": WORDS, "why": WORDS}

    assert FormField.model_validate(tables).kind == "name"


# --- all of them -------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    ["text", "name", "birthday", "postcode", "phone", "choice", "choices", "long"],
)
def test_nothing_is_an_answer_unless_it_is_required(kind):
    """CR-09."""
    assert read(kind, {}) == ""
    assert refused(kind, {}, required=True) is Reason.MISSING


@given(
    st.sampled_from(
        ["text", "name", "birthday", "postcode", "phone", "choice", "long"]
    ),
    st.text(max_size=300),
)
def test_what_was_kept_reads_as_itself(kind: str, typed: str):
    """A stored answer can be typed again, and nothing changes."""
    asked = field(kind)
    names = answers.inputs(asked)
    try:
        kept = answers.read(
            asked, answers.take(dict.fromkeys(names, typed), [asked]), country="NL"
        )
    except AnswerError:
        return
    if kind == "birthday" or not kept:
        return

    assert read(kind, kept) == kept
    assert kept == kept.strip()


def test_what_is_no_answer_is_never_kept():
    fields = [field("postcode", "postcode"), field("text", "remark")]
    typed = {"postcode": "nowhere", "remark": "hello"}

    assert answers.read_all(fields, typed, country="NL") == {"remark": "hello"}
