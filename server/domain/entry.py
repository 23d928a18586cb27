"""What a visitor sends, checked against what the campaign asks.

A fault is a value, field -> reason, so that the form can come back as it was typed.
Nothing that is missing, unknown or not exactly `yes` counts as a yes (CR-01).
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from server.domain import address
from server.domain.campaign import Campaign, Locale
from server.domain.links import BadTokenError

YES = "yes"
SEED = re.compile(r"[0-9a-f]{32}")
LONGEST_VALUE = 200
LONGEST_NAME = 40
CONSENT_PREFIX = "consent."
TICKET_BYTES = 16
TICKET_LIFE = timedelta(hours=12)
# Enough of a hash to tell two forms apart; the whole one is in the ledger.
FORM_MARK = 16


class Reason(StrEnum):
    """Why a field was not accepted; the view says it in the visitor's language."""

    MISSING = "missing"
    NOT_AN_ADDRESS = "not an address"
    TOO_LONG = "too long"
    NOT_A_NAME = "not a name"
    NOT_ACCEPTED = "not accepted"


@dataclass(frozen=True, slots=True)
class Ticket:
    """The signed, single-use right to one play, issued with the page.

    It also says what the page looked like and where it stood, so that the proof of a
    consent rests on what we signed and not on what a form claims.
    """

    id: bytes
    placement: str
    version: int
    form: str
    locale: Locale
    page: str

    def as_payload(self) -> list[str | int]:
        """Return what is signed."""
        return [
            self.id.hex(),
            self.placement,
            self.version,
            self.form,
            self.locale,
            self.page,
        ]

    @classmethod
    def from_payload(cls, payload: object) -> "Ticket":
        """Read what was signed. Raises `BadTokenError` for another shape."""
        match payload:
            case [
                str(number),
                str(placement),
                int(version),
                str(form),
                "nl" | "en" as locale,
                str(page),
            ] if len(number) == 2 * TICKET_BYTES:
                return cls(
                    bytes.fromhex(number), placement, version, form, locale, page
                )
        raise BadTokenError


class Step(StrEnum):
    """What a submission asks for: to play, to claim what was won, or both at once."""

    PLAY = "play"
    CLAIM = "claim"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Submission:
    """A form as it came in, cut down to the fields we know."""

    ticket: str = ""
    seed: str = ""
    email: str = ""
    # The address as it is stored and written to; None where it is none.
    address: str | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    consents: frozenset[str] = frozenset()
    terms: bool = False
    adult: str = ""
    # A form that asks who somebody is sends `email` even if it was left empty.
    has_email: bool = False

    def step(self, campaign: Campaign) -> Step:
        """Return what this submission is, judged by what it brings."""
        if campaign.flow == "form-first":
            return Step.BOTH
        if not (self.has_email or self.answers or self.consents):
            return Step.PLAY
        # Terms and age belong to the play; who brings both asks for both.
        return Step.BOTH if self.terms or self.adult else Step.CLAIM

    def play_print(self, key: bytes) -> bytes:
        """Return what tells a repeated play from another one on the same ticket."""
        return _print(key, "play", self.seed, str(self.terms), self.adult)

    def claim_print(self, key: bytes) -> bytes:
        """Return what tells a repeated claim from another one on the same ticket."""
        answers = [f"{name}={value}" for name, value in sorted(self.answers.items())]
        return _print(
            key, "claim", self.email.lower(), *answers, *sorted(self.consents)
        )


def read(form: Mapping[str, str], campaign: Campaign, locale: Locale) -> Submission:
    """Take from a form what the campaign asks in this language, and nothing else."""
    email = _plain(form.get("email", ""))
    return Submission(
        ticket=form.get("ticket", ""),
        seed=form.get("seed", "") if SEED.fullmatch(form.get("seed", "")) else "",
        email=email,
        address=_address(email),
        answers={
            f.key: value
            for f in campaign.fields
            if (value := _plain(form.get(f.key, "")))
        },
        consents=frozenset(
            purpose.key
            for purpose in campaign.asked_in(locale)
            if form.get(CONSENT_PREFIX + purpose.key) == YES
        ),
        terms=form.get("terms") == YES,
        has_email="email" in form,
        adult=form.get("adult", "") if form.get("adult") in {YES, "no"} else "",
    )


def _address(text: str) -> str | None:
    try:
        return address.parse(text)
    except address.AddressError:
        return None


def check(submission: Submission, campaign: Campaign, step: Step) -> dict[str, Reason]:
    """Return what stands in the way, field -> reason; empty means accepted.

    The faults come in the order of the form, in which the page lists them.
    """
    faults: dict[str, Reason] = {}
    if step in {Step.CLAIM, Step.BOTH}:
        faults |= _check_person(submission, campaign)
    if step in {Step.PLAY, Step.BOTH}:
        if submission.adult != YES:
            faults["adult"] = Reason.MISSING
        if not submission.terms:
            faults["terms"] = Reason.NOT_ACCEPTED
    return faults


def _check_person(submission: Submission, campaign: Campaign) -> dict[str, Reason]:
    faults: dict[str, Reason] = {}
    if not submission.email:
        faults["email"] = Reason.MISSING
    elif submission.address is None:
        faults["email"] = Reason.NOT_AN_ADDRESS
    for asked in campaign.fields:
        value = submission.answers.get(asked.key, "")
        if asked.required and not value:
            faults[asked.key] = Reason.MISSING
        elif len(value) > LONGEST_VALUE:
            faults[asked.key] = Reason.TOO_LONG
        elif asked.key == "first_name" and value and not is_name(value):
            faults[asked.key] = Reason.NOT_A_NAME
    return faults


def is_name(text: str) -> bool:
    """Return whether a mail may greet somebody by it.

    A mail that repeats what a stranger typed is a way to send spam: no digits, dots
    or slashes, so no address of a site, and at most 40 characters (T16, AB-06).
    """
    return len(text) <= LONGEST_NAME and all(
        letter in " '’-" or unicodedata.category(letter)[0] in "LM" for letter in text
    )


def _plain(text: str) -> str:
    """Return the text composed and trimmed; control characters become spaces."""
    text = unicodedata.normalize("NFC", text)
    return "".join(
        " " if unicodedata.category(letter) in {"Cc", "Zl", "Zp"} else letter
        for letter in text
    ).strip()


def _print(key: bytes, *parts: str) -> bytes:
    message = "\x00".join(parts).encode("utf-8", "replace")
    return hmac.digest(key, message, hashlib.sha256)
