"""What a restored backup has to be told: who was forgotten or objected since (T30).

A tombstone is a suppression as a line of JSON. It names a person by the keyed hash of
their address, and by the number under which the ledger knows them.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.consent import Act
from server.models.consent import ConsentEvent
from server.models.contact import Contact, Suppression
from server.models.shop import Shop
from server.services import contacts, privacy, shops
from server.services.contacts import Reason
from server.services.privacy import Use
from server.services.tools import Tools

METHOD = "restore"
LONGEST_LINE = 1_000
# A refusal that ends by itself, and what a mail server answered, are told anew.
LASTING = (Reason.ERASED, Reason.NEVER)


class TombstoneError(Exception):
    """The line is no tombstone of ours."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """That somebody at a shop was erased, or objected, at a moment."""

    shop: str
    email_hash: bytes
    reason: Reason
    subject_ref: bytes | None
    at: datetime

    def line(self) -> bytes:
        """Return it as a line of a file."""
        told = {
            "shop": self.shop,
            "email_hash": self.email_hash.hex(),
            "reason": self.reason.value,
            "subject": self.subject_ref.hex() if self.subject_ref else None,
            "at": self.at.astimezone(UTC).isoformat(),
        }
        return json.dumps(told, sort_keys=True).encode() + b"\n"


def read(line: bytes) -> Tombstone:
    """Return what a line says. Raises `TombstoneError`."""
    try:
        told: dict[str, Any] = json.loads(line)
        at = datetime.fromisoformat(told["at"])
        if at.tzinfo is None:
            raise ValueError("a moment without a zone")
        return Tombstone(
            shop=str(told["shop"]),
            email_hash=bytes.fromhex(told["email_hash"]),
            reason=Reason(told["reason"]),
            subject_ref=bytes.fromhex(told["subject"]) if told["subject"] else None,
            at=at,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise TombstoneError from error


def every(session: Session) -> Iterator[Tombstone]:
    """Yield all that lasts, of all shops."""
    rows = session.execute(
        select(Suppression, Shop.code)
        .join(Shop, Shop.id == Suppression.shop_id)
        .where(Suppression.reason.in_([reason.value for reason in LASTING]))
        .order_by(Suppression.created_at)
        .execution_options(yield_per=1_000)
    )
    for row, code in rows:
        yield Tombstone(
            shop=code,
            email_hash=row.email_hash,
            reason=Reason(row.reason),
            subject_ref=row.subject_ref,
            at=row.created_at,
        )


def apply(session: Session, stone: Tombstone, *, tools: Tools, now: datetime) -> bool:
    """Do once more what a backup does not know of; False where it knows, or no shop is.

    A backup may know them by another address, which they had before they moved. Who
    came back by themselves after they were erased is another person, and stays; who
    ended their objection since may be asked.
    """
    shop = shops.find(session, stone.shop)
    if shop is None:
        return False
    known = session.scalar(
        select(Suppression.created_at).where(
            Suppression.shop_id == shop.id,
            Suppression.email_hash == stone.email_hash,
            Suppression.reason == stone.reason.value,
        )
    )
    contact = _meant(session, shop.id, stone)
    if stone.reason is Reason.NEVER and (
        known is not None
        or (contact is not None and _ended_since(session, contact, stone))
    ):
        return False
    if known is None:
        contacts.mark(
            session,
            shop_id=shop.id,
            email_hash=stone.email_hash,
            reason=stone.reason,
            subject_ref=stone.subject_ref,
            at=stone.at,
        )
    if contact is None:
        return known is None
    who = contacts.whoever(session, contact.id, vault=tools.vault)
    use = Use(contact.locale, METHOD, {"first_at": stone.at.isoformat()})
    if stone.reason is Reason.NEVER:
        has_objected = who.email_hash != stone.email_hash and contacts.is_suppressed(
            session, who, reason=Reason.NEVER
        )
        if not has_objected:
            privacy.object_to_marketing(session, who, use=use, tools=tools, now=now)
        return True
    return privacy.erase(session, who, use=use, tools=tools, now=now)


def _meant(session: Session, shop_id: int, stone: Tombstone) -> Contact | None:
    """Return whom a tombstone is about, if they are there and not erased.

    The ledger's number tells them apart from whoever had the address before or after.
    """
    theirs = select(Contact).where(
        Contact.shop_id == shop_id, Contact.erased_at.is_(None)
    )
    contact = session.scalar(theirs.where(Contact.subject_ref == stone.subject_ref))
    if contact is not None:
        return contact
    contact = session.scalar(theirs.where(Contact.email_hash == stone.email_hash))
    is_another = (
        contact is not None
        and stone.reason is Reason.ERASED
        and contact.created_at > stone.at
    )
    return None if is_another else contact


def _ended_since(session: Session, contact: Contact, stone: Tombstone) -> bool:
    """Return whether somebody ended their objection after it was written down."""
    ended = select(ConsentEvent.id).where(
        ConsentEvent.subject_ref == contact.subject_ref,
        ConsentEvent.act == Act.OBJECTION_ENDED,
        ConsentEvent.at > stone.at,
    )
    return session.scalar(ended.limit(1)) is not None
