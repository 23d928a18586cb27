"""What a restored backup has to be told: each no since it was made, by line (T30).

A line of JSON names a person by the keyed hash of their address, and by the number
under which the ledger knows them. None says yes to anything. `restores` does what
they say.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, case, func, select
from sqlalchemy.orm import Session

from server.domain.audience import IDENTIFIERS, PLATFORMS
from server.domain.consent import EVERYTHING, Act
from server.models.audience import AudienceMember
from server.models.consent import ConsentEvent, Standing
from server.models.contact import Contact, Suppression
from server.models.shop import Shop
from server.services.contacts import Reason

LONGEST_LINE = 1_000
RANGE = 500
# These end more than all others do, so they come before them.
FIRST = (Reason.ERASED, Reason.NEVER)
# What ends by itself: until when, it says with it.
PASSING = (Reason.NOT_ME, Reason.REFUSED)


class TombstoneError(Exception):
    """The line is no tombstone of ours."""


class No(StrEnum):
    """What is no suppression of an address, and must not be lost either."""

    # One purpose, or everything (GDPR 7(3)).
    WITHDRAWN = "withdrawn"
    # Their data is kept and not used (GDPR 18).
    RESTRICTED = "restricted"
    # A platform has a hash of theirs, and has to be told when it must go (AD-04).
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class Naming:
    """A hash that a platform was given, as the table of these keeps it: sealed."""

    platform: str
    kind: str
    mark: bytes
    sealed_hash: bytes


@dataclass(frozen=True, slots=True)
class Tombstone:
    """That somebody at a shop said no, or was erased, at a moment.

    `purpose` is of a withdrawal, `until` of what ends by itself, `naming` of who is
    known to a platform.
    """

    shop: str
    email_hash: bytes
    reason: Reason | No
    subject_ref: bytes | None
    at: datetime
    purpose: str | None = None
    until: datetime | None = None
    naming: Naming | None = None

    def line(self) -> bytes:
        """Return it as a line of a file."""
        told: dict[str, Any] = {
            "shop": self.shop,
            "email_hash": self.email_hash.hex(),
            "reason": self.reason.value,
            "subject": self.subject_ref.hex() if self.subject_ref else None,
            "at": self.at.astimezone(UTC).isoformat(),
        }
        if self.purpose is not None:
            told["purpose"] = self.purpose
        if self.until is not None:
            told["until"] = self.until.astimezone(UTC).isoformat()
        if self.naming is not None:
            told |= {
                "platform": self.naming.platform,
                "kind": self.naming.kind,
                "mark": self.naming.mark.hex(),
                "sealed": self.naming.sealed_hash.hex(),
            }
        return json.dumps(told, sort_keys=True).encode() + b"\n"


def read(line: bytes) -> Tombstone:
    """Return what a line says. Raises `TombstoneError`."""
    try:
        told: dict[str, Any] = json.loads(line)
        reason = _reason(told["reason"])
        return Tombstone(
            shop=str(told["shop"]),
            email_hash=bytes.fromhex(told["email_hash"]),
            reason=reason,
            subject_ref=bytes.fromhex(told["subject"]) if told["subject"] else None,
            at=_moment(told["at"]),
            purpose=str(told["purpose"]) if reason is No.WITHDRAWN else None,
            until=_moment(told["until"]) if reason in PASSING else None,
            naming=_naming(told) if reason is No.NAMED else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise TombstoneError from error


def _reason(told: str) -> Reason | No:
    return No(told) if told in set(No) else Reason(told)


def _moment(told: str) -> datetime:
    moment = datetime.fromisoformat(told)
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment


def _naming(told: dict[str, Any]) -> Naming:
    if told["platform"] not in PLATFORMS or told["kind"] not in IDENTIFIERS:
        raise ValueError("no platform of ours")
    if not told["subject"]:
        raise ValueError("nobody is named")
    mark, sealed_hash = bytes.fromhex(told["mark"]), bytes.fromhex(told["sealed"])
    return Naming(told["platform"], told["kind"], mark, sealed_hash)


# --- what is told --------------------------------------------------------------------


def every(session: Session, *, now: datetime) -> Iterator[Tombstone]:
    """Yield each no that holds, of all shops: who was erased or objected first."""
    for row in _rows(session, _suppressed(now)):
        yield _stone(row, Reason(row.reason), until=row.until)
    for row in _rows(session, _WITHDRAWN):
        yield _stone(row, No.WITHDRAWN, purpose=row.purpose)
    for row in _rows(session, _STOPPED):
        yield _stone(row, No.WITHDRAWN, purpose=EVERYTHING)
    for row in _rows(session, _RESTRICTED):
        yield _stone(row, No.RESTRICTED)
    for row in _rows(session, _STILL_NAMED):
        naming = Naming(row.platform, row.kind, row.mark, row.sealed_hash)
        yield _stone(row, No.NAMED, naming=naming)


def _rows(session: Session, wanted: Any) -> Iterator[Row[Any]]:
    yield from session.execute(wanted.execution_options(yield_per=RANGE))


def _stone(row: Row[Any], reason: Reason | No, **more: Any) -> Tombstone:
    return Tombstone(row.code, row.email_hash, reason, row.subject_ref, row.at, **more)


def _suppressed(now: datetime) -> Any:
    return (
        select(
            Shop.code,
            Suppression.email_hash,
            Suppression.reason,
            Suppression.subject_ref,
            Suppression.until,
            Suppression.created_at.label("at"),
        )
        .join(Shop, Shop.id == Suppression.shop_id)
        .where(Suppression.until.is_(None) | (Suppression.until > now))
        .order_by(
            case((Suppression.reason.in_(FIRST), 0), else_=1), Suppression.created_at
        )
    )


_WHO = (Shop.code, Contact.email_hash, Contact.subject_ref)
_WITHDRAWN = (
    select(*_WHO, Standing.purpose, ConsentEvent.at)
    .join(Contact, Contact.id == Standing.contact_id)
    .join(Shop, Shop.id == Contact.shop_id)
    .join(ConsentEvent, ConsentEvent.id == Standing.event_id)
    .where(Standing.act == Act.WITHDRAWN.value, Contact.erased_at.is_(None))
)
# Nothing was on that could end, and they said no to everything all the same.
_STOPPED = (
    select(*_WHO, func.max(ConsentEvent.at).label("at"))
    .join(Contact, Contact.id == ConsentEvent.contact_id)
    .join(Shop, Shop.id == Contact.shop_id)
    .where(ConsentEvent.act == Act.REFUSED.value, Contact.erased_at.is_(None))
    .group_by(*_WHO)
)
_RESTRICTED = (
    select(*_WHO, Contact.restricted_at.label("at"))
    .join(Shop, Shop.id == Contact.shop_id)
    .where(Contact.restricted_at.is_not(None), Contact.erased_at.is_(None))
)
_STILL_NAMED = (
    select(
        *_WHO,
        AudienceMember.platform,
        AudienceMember.kind,
        AudienceMember.mark,
        AudienceMember.sealed_hash,
        AudienceMember.added_at.label("at"),
    )
    .join(Contact, Contact.id == AudienceMember.contact_id)
    .join(Shop, Shop.id == AudienceMember.shop_id)
    .where(AudienceMember.removed_at.is_(None))
)
