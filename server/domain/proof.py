"""The proof of somebody's choices: what is gathered, and the file it becomes (PR-04).

Pages and files are written from the same `Proof`, so that they say the same. The file
is enough to check it by: `docs/ledger.md` tells how, and so does the file itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from server.domain.ledger import Checkpoint, Signature, moment
from server.domain.shop import Legal

FORMAT = "jawoord-evidence-1"


class Kept(StrEnum):
    """What is left of a piece of evidence."""

    OPENED = "opened"
    # Its key was destroyed with the person's data (GDPR 17).
    ERASED = "erased"
    # It is not the one that the ledger names.
    CHANGED = "changed"


class Doubt(StrEnum):
    """What speaks against a press (DO-11): `domain/optin` says when.

    It is shown, and nothing is trusted or blocked for it.
    """

    FAST = "fast"
    SCANNER = "scanner"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What proves a fact and is about a person: network address, browser, mail."""

    kept: Kept
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Signed:
    """The checkpoint that vouches for an entry."""

    checkpoint: Checkpoint
    signature: Signature


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fact stands in the ledger, and how it hangs together with the rest.

    `signed` and `path` are missing until the day of the entry is over.
    """

    seq: int
    entry_hash: bytes
    prev_hash: bytes
    entry: Mapping[str, Any]
    is_whole: bool
    signed: Signed | None = None
    path: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """One act on one purpose; the hex names lead to what was shown and what proves it.

    What was not shown has an empty name.
    """

    act: str
    purpose: str
    at: datetime
    method: str
    channel: str
    locale: str
    context: Mapping[str, Any]
    text: str
    notice: str
    form: str
    evidence: str
    request: int | None
    place: Place | None
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True, slots=True)
class Try:
    """One try to deliver a mail, and what the other side said."""

    at: datetime
    outcome: str
    answer: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A mail of a request, with what became of it."""

    letter: str
    message_id: str
    state: str
    queued_at: datetime
    settled_at: datetime | None
    tries: tuple[Try, ...]


@dataclass(frozen=True, slots=True)
class Asking:
    """A double opt-in request with its mails."""

    number: int
    state: str
    requested_at: datetime
    expires_at: datetime
    settled_at: datetime | None
    message_id: str | None
    mails: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A copy of what somebody was shown, byte by byte (PR-01)."""

    kind: str
    locale: str
    body: str


@dataclass(frozen=True, slots=True)
class Today:
    """What stands for a purpose, since when, and on which wording."""

    purpose: str
    act: str
    since: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Person:
    """Whom it is about. `subject` is how the ledger names them."""

    public_id: str
    email: str
    subject: str
    locale: str
    known_since: datetime
    restricted_at: datetime | None
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class Proof:
    """All that proves somebody's choices at one shop, of one purpose or of all."""

    shop: str
    legal: Legal
    person: Person
    purpose: str | None
    made_at: datetime
    today: tuple[Today, ...]
    facts: tuple[Fact, ...]
    requests: tuple[Asking, ...]
    texts: Mapping[str, Shown]
    evidence: Mapping[str, Evidence]
    keys: Mapping[str, bytes]

    @property
    def steps(self) -> list[list[Fact]]:
        """Return the facts in order; those of one act on several purposes together."""
        steps: list[list[Fact]] = []
        for fact in self.facts:
            before = steps[-1][0] if steps else None
            if before and (before.evidence, before.act) == (fact.evidence, fact.act):
                steps[-1].append(fact)
            else:
                steps.append([fact])
        return steps

    @property
    def checkpoints(self) -> dict[date, Signed]:
        """Return the checkpoints that vouch for the facts, by their day."""
        return {
            fact.place.signed.checkpoint.day: fact.place.signed
            for fact in self.facts
            if fact.place and fact.place.signed
        }


def doubts(evidence: Evidence) -> tuple[Doubt, ...]:
    """Return what spoke against a press when it was made, as its evidence says."""
    return tuple(Doubt(sign) for sign in evidence.facts.get("suspect", ()))


def as_file(
    proof: Proof, *, title: str, how_to_check: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Return the proof as the content of a JSON file, with how anybody checks it."""
    return {
        "format": FORMAT,
        "title": title,
        "made_at": moment(proof.made_at),
        "shop": proof.shop,
        "controller": controller(proof.legal),
        "person": _person(proof.person),
        "purpose": proof.purpose,
        **told(proof),
        "how_to_check": [
            {"what": what, "how": explained} for what, explained in how_to_check
        ],
    }


def told(proof: Proof) -> dict[str, Any]:
    """Return what was decided and what proves it, as a file says it."""
    return {
        "today": [
            {
                "purpose": line.purpose,
                "act": line.act,
                "since": moment(line.since),
                "text": line.text,
            }
            for line in proof.today
        ],
        "facts": [_fact(fact) for fact in proof.facts],
        "requests": [_request(asking) for asking in proof.requests],
        "texts": {name: shown(text) for name, text in proof.texts.items()},
        "evidence": {
            name: {"state": piece.kept.value, "facts": dict(piece.facts)}
            for name, piece in proof.evidence.items()
        },
        "checkpoints": _checkpoints(proof.checkpoints.values()),
        "keys": {name: public.hex() for name, public in proof.keys.items()},
    }


def controller(legal: Legal) -> dict[str, str]:
    """Return who answers for the data (GDPR 13(1)(a))."""
    return {
        "name": legal.name,
        "address": legal.address,
        "country": legal.country,
        "email": legal.email,
        "phone": legal.phone,
        "privacy_url": str(legal.privacy_url),
    }


def shown(text: Shown) -> dict[str, str]:
    """Return a copy of what was shown as a file says it."""
    return {"kind": text.kind, "locale": text.locale, "body": text.body}


def _person(person: Person) -> dict[str, Any]:
    return {
        "id": person.public_id,
        "email": person.email or None,
        "subject": person.subject,
        "locale": person.locale,
        "known_since": moment(person.known_since),
        "restricted_at": _moment(person.restricted_at),
        "erased_at": _moment(person.erased_at),
    }


def _fact(fact: Fact) -> dict[str, Any]:
    return {
        "act": fact.act,
        "purpose": fact.purpose,
        "at": moment(fact.at),
        "method": fact.method,
        "channel": fact.channel,
        "locale": fact.locale,
        "context": dict(fact.context),
        "text": fact.text,
        "notice": fact.notice,
        "form": fact.form,
        "evidence": fact.evidence,
        "request": fact.request,
        "doubts": [doubt.value for doubt in fact.doubts],
        "ledger": None if fact.place is None else _place(fact.place),
    }


def _place(place: Place) -> dict[str, Any]:
    signed = place.signed
    return {
        "seq": place.seq,
        "entry": dict(place.entry),
        "entry_hash": place.entry_hash.hex(),
        "prev_hash": place.prev_hash.hex(),
        "checkpoint": signed.checkpoint.day.isoformat() if signed else None,
        "path": [neighbour.hex() for neighbour in place.path],
    }


def _request(asking: Asking) -> dict[str, Any]:
    return {
        "number": asking.number,
        "state": asking.state,
        "requested_at": moment(asking.requested_at),
        "expires_at": moment(asking.expires_at),
        "settled_at": _moment(asking.settled_at),
        "message_id": asking.message_id,
        "mails": [
            {
                "letter": mail.letter,
                "message_id": mail.message_id,
                "state": mail.state,
                "queued_at": moment(mail.queued_at),
                "settled_at": _moment(mail.settled_at),
                "tries": [
                    {
                        "at": moment(each.at),
                        "outcome": each.outcome,
                        "answer": each.answer,
                    }
                    for each in mail.tries
                ],
            }
            for mail in asking.mails
        ],
    }


def _checkpoints(signed: Iterable[Signed]) -> dict[str, Any]:
    return {
        each.checkpoint.day.isoformat(): {
            "size": each.checkpoint.size,
            "root": each.checkpoint.root.hex(),
            "head": each.checkpoint.head.hex(),
            "message": each.checkpoint.message.decode("ascii"),
            "key": each.signature.key_id,
            "signature": each.signature.value.hex(),
        }
        for each in signed
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else moment(at)
