"""Tell a restored backup each no that it may not know (T30; GDPR 7(3), 17, 18, 21).

Nothing here says yes, and nothing takes the place of a yes that is later than the no.
What is told twice changes nothing the second time.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.domain.consent import EVERYTHING, LASTING, NOES, Act
from server.domain.optin import OPEN
from server.models.audience import AudienceMember
from server.models.base import inserting, table
from server.models.contact import Contact, Suppression
from server.models.optin import OptIn
from server.services import (
    backups,
    consents,
    contacts,
    optins,
    outbox,
    privacy,
    shops,
    withdrawals,
)
from server.services.consents import Request
from server.services.contacts import Person, Reason
from server.services.privacy import Use
from server.services.tombstones import No, Tombstone
from server.services.tools import Tools

METHOD = "restore"
# An address that one of these is about is in no import.
LISTS_STAY_AWAY = (Reason.ERASED, Reason.NEVER, Reason.MOVED)


def apply(session: Session, stone: Tombstone, *, tools: Tools, now: datetime) -> bool:
    """Do once more what a backup does not know of; False where it knows, or no shop is.

    A backup may know them by another address, which they had before they moved.
    """
    shop = shops.find(session, stone.shop)
    if shop is None:
        return False
    match stone.reason:
        case Reason.ERASED | Reason.NEVER:
            does = _erase_or_object
        case Reason.MOVED:
            does = _give_up
        case Reason.NOT_ME | Reason.REFUSED:
            does = _bar
        case No.WITHDRAWN:
            does = _withdraw
        case No.RESTRICTED:
            does = _restrict
        case No.NAMED:
            does = _name
    return does(session, shop.id, stone, tools=tools, now=now)


# --- erased, objected ----------------------------------------------------------------


def _erase_or_object(
    session: Session, shop_id: int, stone: Tombstone, *, tools: Tools, now: datetime
) -> bool:
    """Forget them, or never write to them again.

    Who came back by themselves after they were erased is another person, and stays; who
    ended their objection since may be asked.
    """
    known = backups.marked_at(session, shop_id, stone)
    contact = backups.meant(session, shop_id, stone)
    if stone.reason is Reason.NEVER and (
        known is not None
        or (
            contact is not None
            and backups.has_since(session, contact.id, stone, Act.OBJECTION_ENDED)
        )
    ):
        return False
    if known is None:
        _mark(session, shop_id, stone)
    if contact is None:
        return known is None
    who = contacts.whoever(session, contact.id, vault=tools.vault)
    use = _use(contact, stone)
    if stone.reason is Reason.NEVER:
        has_objected = who.email_hash != stone.email_hash and contacts.is_suppressed(
            session, who, reason=Reason.NEVER
        )
        if not has_objected:
            privacy.object_to_marketing(session, who, use=use, tools=tools, now=now)
        return True
    return privacy.erase(session, who, use=use, tools=tools, now=now)


# --- withdrawn -----------------------------------------------------------------------


def _withdraw(
    session: Session, shop_id: int, stone: Tombstone, *, tools: Tools, now: datetime
) -> bool:
    """End what they said yes to before they took it back (GDPR 7(3))."""
    people = backups.people(session, shop_id, stone)
    done = [
        _take_back(session, contact, stone, tools=tools, now=now) for contact in people
    ]
    is_away = _keep_lists_away(session, shop_id, stone)
    return is_away or any(done)


def _take_back(
    session: Session,
    contact: Contact,
    stone: Tombstone,
    *,
    tools: Tools,
    now: datetime,
) -> bool:
    who = _locked(session, contact, tools=tools)
    if who is None:
        return False
    purpose = None if stone.purpose == EVERYTHING else stone.purpose
    is_closed = _close_older(session, who, stone, purpose, tools=tools, now=now)
    has_ended = _end_older(session, who, stone, purpose, tools=tools, now=now)
    if (
        has_ended
        or backups.said_later(session, who, stone, purpose)
        or backups.has_since(session, who.id, stone, *NOES)
    ):
        return is_closed or has_ended
    # Nothing of it stands, and yet an older list must not come above it (PR-08).
    consents.record(
        session,
        who,
        Request(None, b"", b"", contact.locale, "link", {}),
        Act.WITHDRAWN if purpose else Act.REFUSED,
        {purpose or EVERYTHING: b""},
        method=METHOD,
        facts=_facts(stone),
        tools=tools,
        now=now,
    )
    return True


def _end_older(
    session: Session,
    who: Person,
    stone: Tombstone,
    purpose: str | None,
    *,
    tools: Tools,
    now: datetime,
) -> bool:
    """End each yes that is no later than a no; None is to all purposes."""
    older = [
        key
        for key, stands in backups.standing(session, who, purpose).items()
        if stands.act in LASTING and not stands.is_later_than(stone.at)
    ]
    if older:
        withdrawals.withdraw(
            session,
            who,
            older,
            facts=_facts(stone),
            method=METHOD,
            tools=tools,
            now=now,
        )
    return bool(older)


def _close_older(
    session: Session,
    who: Person,
    stone: Tombstone,
    purpose: str | None,
    *,
    tools: Tools,
    now: datetime,
) -> bool:
    """Close what was asked before, so that no mail of it goes and no press counts."""
    waiting = session.scalars(
        select(OptIn.id).where(
            OptIn.contact_id == who.id,
            OptIn.state.in_(OPEN),
            OptIn.requested_at <= stone.at,
        )
    )
    asked = [
        optin_id
        for optin_id in waiting.all()
        if purpose is None or purpose in consents.asked_in(session, who, optin_id)
    ]
    for optin_id in asked:
        optins.supersede(
            session,
            who,
            optin_id,
            method=METHOD,
            facts=_facts(stone),
            tools=tools,
            now=now,
        )
    return bool(asked)


# --- an address that was given up ----------------------------------------------------


def _give_up(
    session: Session, shop_id: int, stone: Tombstone, *, tools: Tools, now: datetime
) -> bool:
    """Let nothing more go to an address whose owner moved.

    Where they went is not known here: so what they said yes to ends, what waits for
    the old mailbox goes nowhere, and what is in it opens nothing of theirs (GDPR 16).
    """
    contact = backups.who_has(session, shop_id, stone)
    if contact is not None and _is_back(contact, stone):
        return False
    is_news = backups.marked_at(session, shop_id, stone) is None
    if is_news:
        _mark(session, shop_id, stone)
    who = None if contact is None else _locked(session, contact, tools=tools)
    if contact is None or who is None:
        return is_news
    is_closed = _close_older(session, who, stone, None, tools=tools, now=now)
    has_ended = _end_older(session, who, stone, None, tools=tools, now=now)
    is_theirs = contact.subject_ref == stone.subject_ref
    if not is_theirs or backups.said_later(session, who, stone, None):
        return is_news or is_closed or has_ended
    outbox.take_back(session, who.id, vault=tools.vault, now=now)
    session.execute(
        update(Contact).where(Contact.id == who.id).values(moved_at=stone.at)
    )
    return True


def _is_back(contact: Contact, stone: Tombstone) -> bool:
    """Return whether somebody has an address since it was given up, or as of then."""
    return contact.moved_at is not None and contact.moved_at >= stone.at


# --- not me, refused -----------------------------------------------------------------


def _bar(
    session: Session, shop_id: int, stone: Tombstone, *, tools: Tools, now: datetime
) -> bool:
    """Ask an address nothing until that ends by itself (DO-08)."""
    if stone.until is None or stone.until <= now:
        return False
    contact = backups.who_has(session, shop_id, stone)
    who = None if contact is None else _locked(session, contact, tools=tools)
    if who is not None and backups.said_later(session, who, stone, None):
        return False
    until = session.scalar(
        select(Suppression.until).where(*backups.same_mark(shop_id, stone))
    )
    if until is not None and until >= stone.until:
        return False
    _mark(session, shop_id, stone)
    if who is not None:
        _close_older(session, who, stone, None, tools=tools, now=now)
    return True


# --- on hold -------------------------------------------------------------------------


def _restrict(
    session: Session, shop_id: int, stone: Tombstone, *, tools: Tools, now: datetime
) -> bool:
    """Use their data no more, unless they ended that since (GDPR 18)."""
    contact = backups.meant(session, shop_id, stone)
    if contact is None:
        return _keep_lists_away(session, shop_id, stone)
    if backups.has_since(session, contact.id, stone, Act.RESTRICTION_ENDED):
        return False
    return privacy.restrict(
        session,
        contacts.whoever(session, contact.id, vault=tools.vault),
        is_restricted=True,
        use=_use(contact, stone),
        tools=tools,
        now=now,
    )


# --- known to a platform -------------------------------------------------------------


def _name(
    session: Session, shop_id: int, stone: Tombstone, *, tools: Tools, now: datetime
) -> bool:
    """Note that a platform has a hash, so that an export can take it back (AD-04).

    Of whom the backup never knew a row is left as of somebody who was erased.
    """
    if stone.naming is None or stone.subject_ref is None:
        return False
    contact_id = session.scalar(
        select(Contact.id).where(
            Contact.shop_id == shop_id, Contact.subject_ref == stone.subject_ref
        )
    ) or _gone(session, shop_id, stone.subject_ref, tools=tools, now=now)
    member = table(AudienceMember)
    insert = inserting(session.get_bind().dialect.name)(member)
    noted = session.execute(
        insert.on_conflict_do_update(
            index_elements=["contact_id", "platform", "mark"],
            # It may have been handed over again since; to remove it twice harms nobody.
            set_={"removed_at": None},
            where=member.c.removed_at.is_not(None),
        ).returning(member.c.id),
        {
            "shop_id": shop_id,
            "contact_id": contact_id,
            "platform": stone.naming.platform,
            "kind": stone.naming.kind,
            "mark": stone.naming.mark,
            "sealed_hash": stone.naming.sealed_hash,
            "added_at": stone.at,
            "removed_at": None,
        },
    )
    return noted.first() is not None


def _gone(
    session: Session,
    shop_id: int,
    subject_ref: bytes,
    *,
    tools: Tools,
    now: datetime,
) -> int:
    contact = Contact(
        public_id=tools.random(contacts.PUBLIC_ID_BYTES).hex(),
        shop_id=shop_id,
        sealed_email=b"",
        email_hash=tools.random(privacy.HASH_BYTES),
        subject_ref=subject_ref,
        sealed_key=b"",
        locale="",
        created_at=now,
        seen_at=now,
        erased_at=now,
    )
    session.add(contact)
    session.flush()
    return contact.id


def _locked(session: Session, contact: Contact, *, tools: Tools) -> Person | None:
    who = contacts.whoever(session, contact.id, vault=tools.vault)
    return contacts.lock_known(session, who)


def _mark(session: Session, shop_id: int, stone: Tombstone) -> None:
    contacts.mark(
        session,
        shop_id=shop_id,
        email_hash=stone.email_hash,
        reason=Reason(stone.reason),
        subject_ref=stone.subject_ref,
        until=stone.until,
        at=stone.at,
    )


def _keep_lists_away(session: Session, shop_id: int, stone: Tombstone) -> bool:
    """Keep imports from an address that nobody has here; False if they are already.

    A list that is older than its no knows better than a backup that never heard of its
    owner. As after a move, whoever types it themselves is asked.
    """
    if backups.who_has(session, shop_id, stone) is not None:
        return False
    kept = select(Suppression.reason).where(
        Suppression.shop_id == shop_id,
        Suppression.email_hash == stone.email_hash,
        Suppression.reason.in_([reason.value for reason in LISTS_STAY_AWAY]),
    )
    if session.scalar(kept.limit(1)) is not None:
        return False
    contacts.mark(
        session,
        shop_id=shop_id,
        email_hash=stone.email_hash,
        reason=Reason.MOVED,
        # It is of nobody that this ledger knows.
        subject_ref=None,
        at=stone.at,
    )
    return True


def _use(contact: Contact, stone: Tombstone) -> Use:
    return Use(contact.locale, METHOD, _facts(stone))


def _facts(stone: Tombstone) -> dict[str, Any]:
    return {"first_at": stone.at.isoformat()}
