"""Tell a restored backup each no that it may not know (T30; GDPR 7(3), 17, 18, 21).

Nothing here says yes, and nothing takes the place of a yes that is later than the no.
What is told twice changes nothing the second time.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from server.domain.claim import Stands
from server.domain.consent import EVERYTHING, LASTING, NOES, Act
from server.domain.optin import OPEN
from server.models.audience import AudienceMember
from server.models.base import inserting, table
from server.models.consent import ConsentEvent, ConsentQuestion, Standing
from server.models.contact import Contact, Suppression
from server.models.optin import OptIn
from server.models.shop import Shop
from server.services import (
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


def missing(session: Session, stones: Sequence[Tombstone]) -> list[Tombstone]:
    """Return those of some tombstones that `apply` has to look at.

    Most of a file is older than the backup: what is plainly known of it takes two looks
    for all, where each would take ten.
    """
    numbers = {"of": list({each.subject_ref for each in stones if each.subject_ref})}
    ended = {
        (row.code, row.subject_ref, row.email_hash, row.purpose): row.at
        for row in session.execute(_ENDED, numbers)
    }
    named = {tuple(row) for row in session.execute(_NAMED, numbers)}

    def is_known(stone: Tombstone) -> bool:
        key = (stone.shop, stone.subject_ref, stone.email_hash, stone.purpose)
        if stone.reason is No.WITHDRAWN:
            return key in ended and ended[key] >= stone.at
        told = stone.naming
        return told is not None and (
            (stone.shop, stone.subject_ref, told.platform, told.mark) in named
        )

    return [stone for stone in stones if not is_known(stone)]


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
    known = _marked(session, shop_id, stone)
    contact = _meant(session, shop_id, stone)
    if stone.reason is Reason.NEVER and (
        known is not None
        or (
            contact is not None
            and _has_since(session, contact.id, stone, Act.OBJECTION_ENDED)
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
    people = _people(session, shop_id, stone)
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
        or _said_later(session, who, stone, purpose)
        or _has_since(session, who.id, stone, *NOES)
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
        for key, stands in _standing(session, who, purpose).items()
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
    contact = _at(session, shop_id, stone)
    if contact is not None and _is_back(contact, stone):
        return False
    is_news = _marked(session, shop_id, stone) is None
    if is_news:
        _mark(session, shop_id, stone)
    who = None if contact is None else _locked(session, contact, tools=tools)
    if contact is None or who is None:
        return is_news
    is_closed = _close_older(session, who, stone, None, tools=tools, now=now)
    has_ended = _end_older(session, who, stone, None, tools=tools, now=now)
    is_theirs = contact.subject_ref == stone.subject_ref
    if not is_theirs or _said_later(session, who, stone, None):
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
    contact = _at(session, shop_id, stone)
    who = None if contact is None else _locked(session, contact, tools=tools)
    if who is not None and _said_later(session, who, stone, None):
        return False
    until = session.scalar(select(Suppression.until).where(*_is_marked(shop_id, stone)))
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
    contact = _meant(session, shop_id, stone)
    if contact is None:
        return _keep_lists_away(session, shop_id, stone)
    if _has_since(session, contact.id, stone, Act.RESTRICTION_ENDED):
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


# --- who is meant --------------------------------------------------------------------


def _at(session: Session, shop_id: int, stone: Tombstone) -> Contact | None:
    """Return who has the address of a tombstone."""
    return session.scalar(
        select(Contact).where(
            Contact.shop_id == shop_id,
            Contact.email_hash == stone.email_hash,
            Contact.erased_at.is_(None),
        )
    )


def _by_number(session: Session, shop_id: int, stone: Tombstone) -> Contact | None:
    return session.scalar(
        select(Contact).where(
            Contact.shop_id == shop_id,
            Contact.subject_ref == stone.subject_ref,
            Contact.erased_at.is_(None),
        )
    )


def _people(session: Session, shop_id: int, stone: Tombstone) -> list[Contact]:
    """Return whom the ledger knows by a tombstone's number, and who has its address.

    They are two where somebody had moved, and a list brought the address in again.
    """
    found = _by_number(session, shop_id, stone), _at(session, shop_id, stone)
    return list({each.id: each for each in found if each is not None}.values())


def _meant(session: Session, shop_id: int, stone: Tombstone) -> Contact | None:
    """Return whom a tombstone is about, if they are there and not erased.

    The ledger's number tells them apart from whoever had the address before or after.
    """
    contact = _by_number(session, shop_id, stone)
    if contact is not None:
        return contact
    contact = _at(session, shop_id, stone)
    is_another = (
        contact is not None
        and stone.reason is not Reason.NEVER
        and contact.created_at > stone.at
    )
    return None if is_another else contact


def _locked(session: Session, contact: Contact, *, tools: Tools) -> Person | None:
    who = contacts.whoever(session, contact.id, vault=tools.vault)
    return contacts.lock_known(session, who)


# --- what the backup knows -----------------------------------------------------------


def _standing(session: Session, who: Person, purpose: str | None) -> dict[str, Stands]:
    """Return what stands of somebody today; of one purpose, or with None of all."""
    rows = session.execute(_STANDING, {"of": who.id})
    return {
        row.purpose: Stands(Act(row.act), row.method, row.at, row.context)
        for row in rows
        if purpose in {None, row.purpose}
    }


def _said_later(
    session: Session, who: Person, stone: Tombstone, purpose: str | None
) -> bool:
    """Return whether somebody said yes after a no: that yes stays."""
    return any(
        stands.act in LASTING and stands.is_later_than(stone.at)
        for stands in _standing(session, who, purpose).values()
    )


def _has_since(session: Session, contact_id: int, stone: Tombstone, *acts: str) -> bool:
    """Return whether the ledger has one of these acts, no older than a tombstone."""
    since = select(ConsentEvent.id).where(
        ConsentEvent.contact_id == contact_id,
        ConsentEvent.act.in_(acts),
        ConsentEvent.at >= stone.at,
    )
    return session.scalar(since.limit(1)) is not None


def _is_marked(shop_id: int, stone: Tombstone) -> Collection[Any]:
    return (
        Suppression.shop_id == shop_id,
        Suppression.email_hash == stone.email_hash,
        Suppression.reason == stone.reason.value,
    )


def _marked(session: Session, shop_id: int, stone: Tombstone) -> datetime | None:
    return session.scalar(
        select(Suppression.created_at).where(*_is_marked(shop_id, stone))
    )


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
    if _at(session, shop_id, stone) is not None:
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
_NAMED = (
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
