"""What somebody typed into the fields of a form, read as what it says.

A field may have more than one input: `birthday.day` and `birthday.month`, or one box
for each of several choices. What was typed is kept as it was until all of it is right.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date
from enum import StrEnum

import phonenumbers
from stdnum.exceptions import ValidationError
from stdnum.nl import postcode

from server.domain.fields import FormField

YES = "yes"
LONGEST_VALUE = 200
LONGEST_TEXT = 1_000
LONGEST_NAME = 40
# Between several choices in one answer; a key holds no comma.
BETWEEN = ","
# What people write numbers with; a parser would also find them inside of sentences.
_PHONE = re.compile(r"^\+?[0-9][0-9 ()./-]{3,29}$|^\([0-9][0-9 ()./-]{3,29}$")
_NUMBER = re.compile(r"^[0-9]{1,2}$")
# A birthday has no year, so it may be in a leap year.
_LEAP_YEAR = 2000


class Reason(StrEnum):
    """Why a field was not accepted; the view says it in the visitor's language."""

    MISSING = "missing"
    NOT_AN_ADDRESS = "not an address"
    TOO_LONG = "too long"
    NOT_A_NAME = "not a name"
    NOT_A_DAY = "not a day"
    NOT_A_POSTCODE = "not a postcode"
    NOT_A_PHONE = "not a phone number"
    NOT_OFFERED = "not offered"
    NOTHING_CHOSEN = "nothing chosen"
    NOT_ACCEPTED = "not accepted"
    NOT_AN_AMOUNT = "not an amount"
    ORDER_USED = "order used"
    RAN_OUT = "ran out"


class AnswerError(Exception):
    """What was typed is not an answer to this field."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason)


def inputs(asked: FormField) -> tuple[str, ...]:
    """Return the names of a field's inputs."""
    if asked.kind == "birthday":
        return f"{asked.key}.day", f"{asked.key}.month"
    if asked.kind == "choices":
        return tuple(f"{asked.key}.{option.key}" for option in asked.options)
    return (asked.key,)


def take(form: Mapping[str, str], fields: Iterable[FormField]) -> dict[str, str]:
    """Return what was typed into these fields, by input; what is empty is left out."""
    taken = {}
    for asked in fields:
        clean = plain_lines if asked.kind == "long" else plain
        for name in inputs(asked):
            if value := clean(form.get(name, "")):
                taken[name] = value
    return taken


def read(asked: FormField, typed: Mapping[str, str], *, country: str) -> str:
    """Return the answer in the form it is stored in, empty if there is none.

    A birthday is `--MM-DD` (RFC 6350), a phone number E.164, a postcode `1234 AB`.
    Raises `AnswerError`.
    """
    values = [typed.get(name, "") for name in inputs(asked)]
    if asked.kind == "birthday":
        answer = _birthday(*values)
    elif asked.kind == "choices":
        answer = _choices(asked, values)
    else:
        answer = _one(asked, values[0], country=country)
    if asked.required and not answer:
        raise AnswerError(Reason.MISSING)
    return answer


def read_all(
    fields: Iterable[FormField], typed: Mapping[str, str], *, country: str
) -> dict[str, str]:
    """Return the answers to keep, by field; what is none is never kept."""
    answers = {}
    for asked in fields:
        with suppress(AnswerError):
            if answer := read(asked, typed, country=country):
                answers[asked.key] = answer
    return answers


def _one(asked: FormField, text: str, *, country: str) -> str:
    if not text:
        return ""
    if len(text) > (LONGEST_TEXT if asked.kind == "long" else LONGEST_VALUE):
        raise AnswerError(Reason.TOO_LONG)
    match asked.kind:
        case "name" if not is_name(text):
            raise AnswerError(Reason.NOT_A_NAME)
        case "choice" if text not in {option.key for option in asked.options}:
            raise AnswerError(Reason.NOT_OFFERED)
        case "postcode":
            return _postcode(text)
        case "phone":
            return _phone(text, country)
    return text


def _birthday(day: str, month: str) -> str:
    if not (day or month):
        return ""
    if not (_NUMBER.match(day) and _NUMBER.match(month)):
        raise AnswerError(Reason.NOT_A_DAY)
    try:
        found = date(_LEAP_YEAR, int(month), int(day))
    except ValueError as error:
        raise AnswerError(Reason.NOT_A_DAY) from error
    return f"--{found:%m-%d}"


def _choices(asked: FormField, values: list[str]) -> str:
    """Only an explicit yes is one, here as for consents."""
    pairs = zip(asked.options, values, strict=True)
    return BETWEEN.join(option.key for option, value in pairs if value == YES)


def _postcode(text: str) -> str:
    try:
        return postcode.validate(text)
    except ValidationError as error:
        raise AnswerError(Reason.NOT_A_POSTCODE) from error


def _phone(text: str, country: str) -> str:
    """A number without `+` is one of `country` (two letters, ISO 3166)."""
    if not _PHONE.match(text):
        raise AnswerError(Reason.NOT_A_PHONE)
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as error:
        raise AnswerError(Reason.NOT_A_PHONE) from error
    if not phonenumbers.is_valid_number(number):
        raise AnswerError(Reason.NOT_A_PHONE)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_name(text: str) -> bool:
    """Return whether a mail may greet somebody by it.

    A mail that repeats what a stranger typed is a way to send spam: no digits, dots
    or slashes, so no address of a site, and at most 40 characters (T16, AB-06).
    """
    return len(text) <= LONGEST_NAME and all(
        letter in " '’-" or unicodedata.category(letter)[0] in "LM" for letter in text
    )


def plain(text: str) -> str:
    """Return the text composed and trimmed; control characters become spaces."""
    text = unicodedata.normalize("NFC", text)
    return "".join(
        " " if unicodedata.category(letter) in {"Cc", "Zl", "Zp"} else letter
        for letter in text
    ).strip()


def plain_lines(text: str) -> str:
    """Return the same of a text of several lines."""
    lines = re.split(r"\r\n|\r|\n|\u2028|\u2029|\x85", text)
    return "\n".join(plain(line) for line in lines).strip()
