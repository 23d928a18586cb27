"""What a restored backup knows: who is meant by a tombstone, and what stands of them.

Nothing here changes anything; `restores` does.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from server.domain.claim import Stands
from server.domain.consent import LASTING, Act
from server.models.audience import AudienceMember
from server.models.consent import ConsentEvent, ConsentQuestion, Standing
from server.models.contact import Contact, Suppression
from server.models.shop import Shop
from server.services.contacts import Person, Reason
from server.services.tombstones import No, Tombstone


def missing(session: Session, stones: Sequence[Tombstone]) -> list[Tombstone]:
    """Return those of some tombstones that `restores.apply` has to look at.

    Most of a file is older than the backup: what is plainly known of it takes two looks
    for all, where each would take ten.
    """
    numbers = {"of": list({each.subject_ref for each in stones if each.subject_ref})}
    ended = {
        (row.code, row.subject_ref, row.email_hash, row.purpose): row.at
        for row in session.execute(_ENDED, numbers)
    }
    named = {tuple(row) for row in session.execute(_NAMED_TO_PLATFORMS, numbers)}

    def is_known(stone: Tombstone) -> bool:
        key = (stone.shop, stone.subject_ref, stone.email_hash, stone.purpose)
        if stone.reason is No.WITHDRAWN:
            return key in ended and ended[key] >= stone.at
        told = stone.naming
        return told is not None and (
            (stone.shop, stone.subject_ref, told.platform, told.mark) in named
        )

    return [stone for stone in stones if not is_known(stone)]


def who_has(session: Session, shop_id: int, stone: Tombstone) -> Contact | None:
    """Return who has the address of a tombstone."""
    return session.scalar(
        select(Contact).where(
            Contact.shop_id == shop_id,
            Contact.email_hash == stone.email_hash,
            Contact.erased_at.is_(None),
        )
    )


def by_number(session: Session, shop_id: int, stone: Tombstone) -> Contact | None:
    """Return whom the ledger knows by the number of a tombstone."""
    return session.scalar(
        select(Contact).where(
            Contact.shop_id == shop_id,
            Contact.subject_ref == stone.subject_ref,
            Contact.erased_at.is_(None),
        )
    )


def people(session: Session, shop_id: int, stone: Tombstone) -> list[Contact]:
    """Return whom the ledger knows by a tombstone's number, and who has its address.

    They are two where somebody had moved, and a list brought the address in again.
    """
    found = by_number(session, shop_id, stone), who_has(session, shop_id, stone)
    return list({each.id: each for each in found if each is not None}.values())


def meant(session: Session, shop_id: int, stone: Tombstone) -> Contact | None:
    """Return whom a tombstone is about, if they are there and not erased.

    The ledger's number tells them apart from whoever had the address before or after.
    """
    contact = by_number(session, shop_id, stone)
    if contact is not None:
        return contact
    contact = who_has(session, shop_id, stone)
    is_another = (
        contact is not None
        and stone.reason is not Reason.NEVER
        and contact.created_at > stone.at
    )
    return None if is_another else contact


def standing(session: Session, who: Person, purpose: str | None) -> dict[str, Stands]:
    """Return what stands of somebody today; of one purpose, or with None of all."""
    rows = session.execute(_STANDING, {"of": who.id})
    return {
        row.purpose: Stands(Act(row.act), row.method, row.at, row.context)
        for row in rows
        if purpose in {None, row.purpose}
    }


def said_later(
    session: Session, who: Person, stone: Tombstone, purpose: str | None
) -> bool:
    """Return whether somebody said yes after a no: that yes stays."""
    return any(
        stands.act in LASTING and stands.is_later_than(stone.at)
        for stands in standing(session, who, purpose).values()
    )


def has_since(session: Session, contact_id: int, stone: Tombstone, *acts: str) -> bool:
    """Return whether the ledger has one of these acts, no older than a tombstone."""
    since = select(ConsentEvent.id).where(
        ConsentEvent.contact_id == contact_id,
        ConsentEvent.act.in_(acts),
        ConsentEvent.at >= stone.at,
    )
    return session.scalar(since.limit(1)) is not None


def same_mark(shop_id: int, stone: Tombstone) -> Collection[Any]:
    """Return by what the mark of an address is found that says the same."""
    return (
        Suppression.shop_id == shop_id,
        Suppression.email_hash == stone.email_hash,
        Suppression.reason == stone.reason.value,
    )


def marked_at(session: Session, shop_id: int, stone: Tombstone) -> datetime | None:
    """Return since when an address is marked in the way of a tombstone, if it is."""
    return session.scalar(
        select(Suppression.created_at).where(*same_mark(shop_id, stone))
    )


_NUMBERS: Any = bindparam("of", expanding=True)
_ENDED = (
    select(
        Shop.code,
        Contact.subject_ref,
        Contact.email_hash,
        Standing.purpose,
        ConsentEvent.at,
    )
    .join(Shop, Shop.id == Contact.shop_id)
    .join(Standing, Standing.contact_id == Contact.id)
    .join(ConsentEvent, ConsentEvent.id == Standing.event_id)
    .where(
        Contact.subject_ref.in_(_NUMBERS),
        Contact.erased_at.is_(None),
        Standing.act == Act.WITHDRAWN.value,
    )
)
_NAMED_TO_PLATFORMS = (
    select(Shop.code, Contact.subject_ref, AudienceMember.platform, AudienceMember.mark)
    .join(Shop, Shop.id == Contact.shop_id)
    .join(AudienceMember, AudienceMember.contact_id == Contact.id)
    .where(Contact.subject_ref.in_(_NUMBERS), AudienceMember.removed_at.is_(None))
)
_STANDING = (
    select(
        Standing.purpose,
        Standing.act,
        ConsentEvent.method,
        ConsentEvent.at,
        ConsentQuestion.context,
    )
    .join(ConsentEvent, ConsentEvent.id == Standing.event_id)
    .join(ConsentEvent.question)
    .where(Standing.contact_id == bindparam("of"))
)
