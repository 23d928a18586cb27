"""What a visitor sends, checked against what the campaign asks.

A fault is a value, field -> reason, so that the form can come back as it was typed.
Nothing that is missing, unknown or not exactly `yes` counts as a yes (CR-01).
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from server.domain import address, answers, order, quiz
from server.domain.answers import YES, AnswerError, Reason, plain
from server.domain.campaign import Campaign
from server.domain.links import BadTokenError
from server.domain.parts import Locale
from server.domain.quiz import Sheet

SEED = re.compile(r"[0-9a-f]{32}")
CONSENT_PREFIX = "consent."
ORDER, ORDER_AMOUNT, CHOICE = "order", "order_amount", "choice"
HIDDEN_PREFIX = "h."
# No browser fills in a field of this name by itself, as it would an address or a site.
TRAP = "remarks"
# What the page around us tells is a name or a number, not a story.
LONGEST_HIDDEN = 200
TICKET_BYTES = 16
TICKET_LIFE = timedelta(hours=12)
# Enough of a hash to tell two forms apart; the whole one is in the ledger.
FORM_MARK = 16


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
    # When its form was first shown; a form to mend keeps it.
    shown_at: datetime
    # The public id of the tablet it was issued to; empty everywhere but at a till.
    device: str = ""
    # By what the box code that opened it is known; empty where there was none.
    box: str = ""

    def as_payload(self) -> list[str | int]:
        """Return what is signed."""
        return [
            self.id.hex(),
            self.placement,
            self.version,
            self.form,
            self.locale,
            self.page,
            int(self.shown_at.timestamp() * 1000),
            self.device,
            self.box,
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
                int(shown),
                str(device),
                str(box),
            ] if len(number) == 2 * TICKET_BYTES:
                return cls(
                    id=bytes.fromhex(number),
                    placement=placement,
                    version=version,
                    form=form,
                    locale=locale,
                    page=page,
                    shown_at=datetime.fromtimestamp(shown / 1000, UTC),
                    device=device,
                    box=box,
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
    # As typed, by input; `domain/answers` reads them.
    answers: Mapping[str, str] = field(default_factory=dict)
    # What the page around the form told, by the keys that the campaign lists.
    hidden: Mapping[str, str] = field(default_factory=dict)
    # What a quiz was answered with, on the way that the answers lead along.
    sheet: Sheet = field(default_factory=dict)
    consents: frozenset[str] = frozenset()
    terms: bool = False
    adult: str = ""
    # A form that asks who somebody is sends `email` even if it was left empty.
    has_email: bool = False
    # What stands in the field that people do not see.
    trap: str = ""
    # What a winner wants back: the order's reference, and its amount as typed.
    order: str = ""
    order_amount: str = ""
    # Which of several prizes a winner picks.
    choice: str = ""

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
        sheet = [
            f"{name}={value}" for name, value in quiz.as_answers(self.sheet).items()
        ]
        return _print(key, "play", self.seed, str(self.terms), self.adult, *sheet)

    def claim_print(self, key: bytes) -> bytes:
        """Return what tells a repeated claim from another one on the same ticket."""
        typed = [f"{name}={value}" for name, value in sorted(self.answers.items())]
        more = [text for text in (self.order, self.order_amount, self.choice) if text]
        return _print(
            key, "claim", self.email.lower(), *typed, *sorted(self.consents), *more
        )

    def kept_source(self, campaign: Campaign) -> dict[str, str]:
        """Return what of the page's telling is kept in clear.

        Where an order can be won back, nobody is to read there whose it is.
        """
        orders = {campaign.told_as(order.REFERENCE), campaign.told_as(order.AMOUNT)}
        left_out = orders if campaign.pays_back else set()
        return {k: value for k, value in self.hidden.items() if k not in left_out}

    def kept_sheet(
        self, campaign: Campaign, sheet: Mapping[str, str]
    ) -> dict[str, str]:
        """Return what of a quiz may be kept with a name: what has a yes for it."""
        asked = campaign.quiz.questions if campaign.quiz else ()
        return {
            question.key: sheet[question.key]
            for question in asked
            if question.purpose in self.consents and question.key in sheet
        }

    def kept_answers(self, campaign: Campaign) -> dict[str, str]:
        """Return the answers in the form they are stored in.

        What is asked for a purpose is not kept at all without a yes to it.
        """
        kept = [f for f in campaign.fields if f.purpose in {None, *self.consents}]
        return answers.read_all(kept, self.answers, country=campaign.countries[0])


def read(
    form: Mapping[str, str],
    campaign: Campaign,
    locale: Locale,
    *,
    extra: str | None = None,
) -> Submission:
    """Take from a form what the campaign asks in this language, and nothing else.

    `extra` is the key of the one extra question that was shown.
    """
    email = plain(form.get("email", ""))
    return Submission(
        ticket=form.get("ticket", ""),
        seed=form.get("seed", "") if SEED.fullmatch(form.get("seed", "")) else "",
        email=email,
        address=_address(email),
        answers=answers.take(form, campaign.asked(extra)),
        hidden=read_hidden(form, campaign),
        consents=frozenset(
            purpose.key
            for purpose in campaign.asked_in(locale)
            if form.get(CONSENT_PREFIX + purpose.key) == YES
        ),
        sheet=_read_quiz(form, campaign),
        terms=form.get("terms") == YES,
        has_email="email" in form,
        trap=form.get(TRAP, ""),
        order=_typed(form, ORDER, campaign),
        order_amount=_typed(form, ORDER_AMOUNT, campaign),
        choice=plain(form.get(CHOICE, ""))[:LONGEST_HIDDEN]
        if campaign.has_choice
        else "",
        adult=form.get("adult", "") if form.get("adult") in {YES, "no"} else "",
    )


def _typed(form: Mapping[str, str], name: str, campaign: Campaign) -> str:
    return plain(form.get(name, ""))[:LONGEST_HIDDEN] if campaign.pays_back else ""


def check_order(submission: Submission) -> dict[str, Reason]:
    """Return what stands in the way of paying an order back, field -> reason."""
    faults: dict[str, Reason] = {}
    if not order.identity(submission.order):
        faults[ORDER] = Reason.MISSING
    if order.cents(submission.order_amount) is None:
        faults[ORDER_AMOUNT] = Reason.NOT_AN_AMOUNT
    return faults


def read_hidden(given: Mapping[str, str], campaign: Campaign) -> dict[str, str]:
    """Return what the page around a form told, cut down to what is listed."""
    found = {
        told.key: plain(given.get(HIDDEN_PREFIX + told.key, ""))[:LONGEST_HIDDEN]
        for told in campaign.hidden
    }
    return {key: value for key, value in found.items() if value}


def _read_quiz(form: Mapping[str, str], campaign: Campaign) -> Sheet:
    if campaign.quiz is None:
        return {}
    return quiz.on_the_way(campaign.quiz, quiz.take(form, campaign.quiz))


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
        left = campaign.quiz and quiz.open_question(campaign.quiz, submission.sheet)
        if left:
            faults[quiz.PREFIX + left.key] = Reason.NOT_OFFERED
        if campaign.minimum_age and submission.adult != YES:
            faults["adult"] = Reason.MISSING
        if campaign.has_prizes and not submission.terms:
            faults["terms"] = Reason.NOT_ACCEPTED
    return faults


def _check_person(submission: Submission, campaign: Campaign) -> dict[str, Reason]:
    faults: dict[str, Reason] = {}
    if not submission.email:
        faults["email"] = Reason.MISSING
    elif submission.address is None:
        faults["email"] = Reason.NOT_AN_ADDRESS
    for asked in campaign.fields:
        try:
            answers.read(asked, submission.answers, country=campaign.countries[0])
        except AnswerError as error:
            faults[asked.key] = error.reason
    if campaign.needs_yes and not submission.consents:
        faults["consents"] = Reason.NOTHING_CHOSEN
    return faults


# A print is compared with that of the same ticket alone: who found two forms that share
# one would only be told that their own second try was the first.
PRINT_BYTES = 8


def _print(key: bytes, *parts: str) -> bytes:
    message = "\x00".join(parts).encode("utf-8", "replace")
    return hmac.digest(key, message, hashlib.sha256)[:PRINT_BYTES]
