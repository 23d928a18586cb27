"""Consent: append-only facts, and the fold that says what holds today."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from server.domain.campaign import Purpose, PurposeText
from server.domain.shop import Legal


class Act(StrEnum):
    """What happened. Only a decision changes what a person wants (section 14)."""

    REQUESTED = "requested"
    CONFIRMATION_SENT = "doi_sent"
    GIVEN = "given"
    WITHDRAWN = "withdrawn"
    DECLINED = "declined_not_me"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"


DECISIONS = frozenset({Act.GIVEN, Act.WITHDRAWN})


class Event(Protocol):
    """One fact: an act on a purpose."""

    purpose: str
    act: str


def standing(events: Iterable[Event]) -> dict[str, Act]:
    """Return what the person wants today: the last decision for each purpose.

    Events come in ledger order. Nothing is overwritten; withdrawing adds an event,
    so the log still shows what was agreed to, when, and on which wording (PR-06).
    """
    return {event.purpose: Act(event.act) for event in events if event.act in DECISIONS}


@dataclass(frozen=True, slots=True)
class Wording:
    """The exact text of one request, and the name its content gives it."""

    body: str
    sha256: bytes


def worded(body: str) -> Wording:
    """Return a text under the hash of its UTF-8 bytes."""
    return Wording(body=body, sha256=hashlib.sha256(body.encode()).digest())


def request_text(purpose: Purpose, text: PurposeText, legal: Legal) -> Wording:
    """Return what a person says yes to, line by line (CR-04).

    It names purpose, kind of content, controller, channel, frequency and how to
    stop; controller and channel come from the data, so no text can omit them. Who
    else gets the address stands on a line of its own (CR-05).
    """
    others = (f"{text.recipient}: {text.products}",) if text.recipient else ()
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
