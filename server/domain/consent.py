"""Consent: append-only facts, and the fold that says what holds today."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from server.domain.campaign import Purpose, PurposeText
from server.domain.ledger import canonical
from server.domain.shop import Legal


class Act(StrEnum):
    """What happened. Only a decision changes what a person wants (section 14)."""

    # A request and what comes of it.
    REQUESTED = "requested"
    CONFIRMATION_SENT = "doi_sent"
    DECLINED = "declined_not_me"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    # Decisions.
    GIVEN = "given"
    WITHDRAWN = "withdrawn"
    # The shop may write about its own similar products: no consent (Tw 11.7(3)).
    SOFT_OPT_IN = "soft_opt_in"
    # Somebody says that there was a yes, and has no proof of it (PR-08).
    UNPROVEN = "unproven"
    # Nobody took it back, and it has grown too old (SO-03, DS-05).
    LAPSED = "lapsed"
    # Somebody stops all mails where nothing stands that could end. It is about
    # everything: see `EVERYTHING`.
    REFUSED = "refused"
    # Rights (GDPR 15-21). They are about everything a shop knows: see `EVERYTHING`.
    OBJECTED = "objected"
    OBJECTION_ENDED = "objection_ended"
    RESTRICTED = "restricted"
    RESTRICTION_ENDED = "restriction_ended"
    ACCESSED = "accessed"
    # Another address, which others have to hear of; and whatever else was kept.
    RECTIFIED = "rectified"
    CORRECTED = "corrected"
    ERASED = "erased"


# The purpose of a fact that is about no single one; no campaign can have such a key.
EVERYTHING = "*"
# What stands until somebody ends it, whatever it allows.
LASTING = frozenset({Act.GIVEN, Act.SOFT_OPT_IN, Act.UNPROVEN})
ENDS = frozenset({Act.WITHDRAWN, Act.LAPSED})
DECISIONS = LASTING | ENDS
# What a person says against being written to, and when they said it no longer: that
# they may be asked again says yes to nothing that is older (DS-02).
NOES = frozenset({Act.WITHDRAWN, Act.REFUSED, Act.OBJECTED, Act.OBJECTION_ENDED})
# How a yes can come about without a request of ours that was confirmed by mail: from a
# link that was mailed, or with a proof that came along with an import (WD-07, PR-08).
UNASKED = frozenset({"pref_centre", "import"})
# Such a claim never takes the place of what a person decided.
CLAIMS = frozenset({Act.UNPROVEN, Act.SOFT_OPT_IN})


class Event(Protocol):
    """One fact: an act on a purpose."""

    purpose: str
    act: str


E = TypeVar("E", bound=Event)


def standing(events: Iterable[Event]) -> dict[str, Act]:
    """Return what the person wants today: the last decision for each purpose.

    Events come in ledger order. Nothing is overwritten; withdrawing adds an event,
    so the log still shows what was agreed to, when, and on which wording (PR-06).
    What a shop claims holds only where the person has said nothing.
    """
    return {purpose: Act(event.act) for purpose, event in deciding(events).items()}


def deciding(events: Iterable[E]) -> dict[str, E]:
    """Return for each purpose the fact that decides what stands today."""
    today: dict[str, E] = {}
    for event in events:
        act, before = Act(event.act), today.get(event.purpose)
        if act in DECISIONS and may_follow(act, Act(before.act) if before else None):
            today[event.purpose] = event
    return today


def may_follow(act: Act, stands: Act | None) -> bool:
    """Return whether a decision may take the place of what stands.

    A claim never stands above a person's own yes or no; only a yes that has lapsed, or
    another claim, makes room for it (SO-02, PR-08). What has ended cannot lapse.
    """
    if act in CLAIMS:
        return stands not in {Act.GIVEN, Act.WITHDRAWN}
    return act is not Act.LAPSED or stands in LASTING


@dataclass(frozen=True, slots=True)
class Wording:
    """The exact text of one request, and the name its content gives it."""

    body: str
    sha256: bytes


def worded(body: str) -> Wording:
    """Return a text under the hash of its UTF-8 bytes."""
    return Wording(body=body, sha256=hashlib.sha256(body.encode()).digest())


# SQLite keeps a number of so many bits in six bytes.
KEY_BITS = 47


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked for one consent, in which words, how it looked and where.

    The same for all facts that follow from it, and for everybody who is asked alike.
    The hash of what was not shown is empty.
    """

    purpose: str
    channel: str
    text_hash: bytes
    notice_hash: bytes
    form_hash: bytes
    locale: str
    context: Mapping[str, Any]

    @property
    def key(self) -> int:
        """Return its key, the first bits of its name: the same in every database."""
        return int.from_bytes(self.sha256[:8]) >> (64 - KEY_BITS)

    @property
    def sha256(self) -> bytes:
        """Return its name: the SHA-256 of its canonical JSON (RFC 8785)."""
        fields = {
            "purpose": self.purpose,
            "channel": self.channel,
            "text": self.text_hash.hex(),
            "notice": self.notice_hash.hex(),
            "form": self.form_hash.hex(),
            "locale": self.locale,
            "context": self.context,
        }
        return hashlib.sha256(canonical(fields)).digest()


# By this line, the third from below, a text of `request_text` is known.
CHANNEL = "email"
# How many lines such a text has at least; its question may have more than one.
LEAST_LINES = 6
# What parts a recipient from what they sell.
SELLS = ": "


def request_text(purpose: Purpose, text: PurposeText, legal: Legal) -> Wording:
    """Return what a person says yes to, line by line (CR-04).

    It names purpose, kind of content, controller, channel, frequency and how to
    stop; controller and channel come from the data, so no text can omit them. Who
    else gets the address stands on a line of its own (CR-05).
    """
    others = (f"{text.recipient}{SELLS}{text.products}",) if text.recipient else ()
    return worded(
        "\n".join(
            (
                text.title,
                text.ask,
                *others,
                f"{legal.name}, {legal.address}, {legal.country}",
                purpose.channel,
                text.frequency,
                text.stop,
            )
        )
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What a kept wording says, as far as it can be told apart."""

    title: str
    ask: str = ""
    frequency: str = ""
    # Who else gets the address, and for what; empty where nobody does (CR-05).
    recipient: str = ""


def told_in(body: str) -> Told:
    """Read a wording of `request_text` back.

    What was not shown by us, as the text of an import, is all title in its first line.
    """
    lines = _lines(body)
    if not _is_ours(lines):
        return Told(lines[0])
    title, *ask, _controller, _channel, frequency, _stop = lines
    recipient = ask.pop() if len(ask) > 1 and SELLS in ask[-1] else ""
    return Told(title, "\n".join(ask), frequency, recipient)


def readable(body: str, *, by_mail: str) -> str:
    """Return a kept wording as people read it: `by_mail` in place of `CHANNEL`.

    What was kept has the name that programs know, and its hash is of that.
    """
    lines = _lines(body)
    if _is_ours(lines):
        lines[-3] = by_mail
    return "\n".join(lines)


def _lines(body: str) -> list[str]:
    return body.replace("\r\n", "\n").split("\n")


def _is_ours(lines: list[str]) -> bool:
    return len(lines) >= LEAST_LINES and lines[-3] == CHANNEL
