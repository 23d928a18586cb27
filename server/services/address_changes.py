"""A new mail address: asked for, confirmed from that address, then used (GDPR 16)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from server.domain import address
from server.domain.consent import Act
from server.domain.limits import Kind
from server.domain.rights import Right
from server.domain.seals import (
    NONCE_BYTES,
    Column,
    SealError,
    open_for,
    place,
    seal_for,
)
from server.models.base import rows_changed
from server.models.contact import Contact
from server.models.outbox import Outbox
from server.models.rights import AddressChange
from server.services import (
    contacts,
    envelopes,
    links,
    mailboxes,
    moved_mails,
    optins,
    outbox,
    preference_letters,
    privacy,
    rights,
)
from server.services.campaigns import Directory
from server.services.consents import Circumstances
from server.services.contacts import Person, Reason
from server.services.links import Found
from server.services.outbox import Mail
from server.services.preference_letters import Reader
from server.services.privacy import Use
from server.services.tools import Tools

# The question, to the new address; and the notice, to the old one.
ASK, NOTICE = "rectify", "moved"
LIFE = timedelta(days=7)
METHOD = "mailbox-post"
MOST_A_DAY = 5


def ask(
    session: Session, found: Found, email: str, *, tools: Tools, now: datetime
) -> bool:
    """Mail the question to a new address, if it may be written to.

    Nothing is changed, and nothing told about who else has that address. An earlier
    question is taken back. Returns whether a mail was queued.
    """
    who = contacts.lock_known(session, found.who)
    # A mailbox that was given up in this moment asks for nothing any more.
    if who is None or who.email_hash != found.who.email_hash:
        return False
    if _asked_lately(session, who, now=now) >= MOST_A_DAY:
        return False
    session.execute(delete(AddressChange).where(AddressChange.contact_id == who.id))
    if not mailboxes.allowed_to(
        session, who.shop_id, email, [Kind.RECTIFY], vault=tools.vault, now=now
    ):
        return False
    ref = links.make(
        session,
        contact_id=who.id,
        entry_id=found.played,
        optin_id=None,
        tools=tools,
        now=now,
    )
    session.add(
        AddressChange(
            contact_id=who.id,
            link_id=ref.row,
            sealed=seal_for(
                who.key,
                email.encode(),
                nonce=tools.random(NONCE_BYTES),
                about=place(Column.NEW_EMAIL, who.subject_ref),
            ),
            asked_at=now,
            expires_at=now + LIFE,
        )
    )
    session.flush()
    until = (now + LIFE).isoformat()
    params = {"to": email, "link": ref.as_payload(), "until": until}
    _queue(session, found, ASK, params, tools=tools, now=now)
    return True


def _asked_lately(session: Session, who: Person, *, now: datetime) -> int:
    """Return how many addresses somebody had asked about within a day (T16).

    Each is a stranger's until it answers, and no limit of their mailboxes adds up.
    """
    lately = select(func.count()).where(
        Outbox.contact_id == who.id,
        Outbox.letter == ASK,
        Outbox.created_at > now - timedelta(days=1),
    )
    return session.scalar(lately) or 0


def asked(session: Session, found: Found, *, now: datetime) -> str | None:
    """Return the address that a link asks about, or None if it asks nothing now."""
    sealed = session.scalar(
        select(AddressChange.sealed).where(
            AddressChange.link_id == found.link_id, AddressChange.expires_at > now
        )
    )
    return None if sealed is None else _opened(found, sealed)


def confirm(
    session: Session,
    found: Found,
    *,
    by: Circumstances,
    directory: Directory,
    tools: Tools,
    now: datetime,
) -> bool:
    """Write to the new address from now on; False if that cannot be, whatever why.

    The press takes the question away, so it counts once. That another person of this
    shop has the address is no other answer than that the question is too old.
    """
    # Who has another address by now is not moved: see `_move`.
    contacts.lock(session, found.who)
    sealed = session.scalar(
        delete(AddressChange)
        .where(AddressChange.link_id == found.link_id, AddressChange.expires_at > now)
        .returning(AddressChange.sealed)
    )
    email = None if sealed is None else _opened(found, sealed)
    if email is None:
        return False
    moved = _at(found.who, email, tools=tools)
    if not _move(session, found.who, moved, tools=tools, now=now):
        return False
    _keep_lists_away(session, found.who, moved, now=now)
    _close_requests(session, found, by=by, tools=tools, now=now)
    _note(session, found, moved, by=by, tools=tools, now=now)
    moved_mails.take_along(session, moved, directory=directory, tools=tools, now=now)
    _tell_old(session, found, moved, tools=tools, now=now)
    # No mail in the old mailbox opens their page any more, so here is one that does.
    preference_letters.put(
        session,
        Reader(moved.id, moved.email),
        shop_id=moved.shop_id,
        entry_id=found.played,
        tools=tools,
        now=now,
    )
    return True


def is_asked(session: Session, found: Found) -> bool:
    """Return whether the question that a link is about was not taken back."""
    wanted = select(AddressChange.id).where(AddressChange.link_id == found.link_id)
    return session.scalar(wanted) is not None


def _at(who: Person, email: str, *, tools: Tools) -> Person:
    digest = contacts.hash_email(tools.vault, who.shop_id, email)
    return replace(who, email=email, email_hash=digest)


def _opened(found: Found, sealed: bytes) -> str | None:
    """Return an address that was asked about; None if nobody can read it any more."""
    about = place(Column.NEW_EMAIL, found.who.subject_ref)
    try:
        return open_for(found.who.key, sealed, about=about).decode()
    except SealError:
        return None


def _move(
    session: Session, who: Person, moved: Person, *, tools: Tools, now: datetime
) -> bool:
    """Give a contact its new address, unless it has another by now or it is taken."""
    other = aliased(Contact)
    is_taken = exists().where(
        other.shop_id == who.shop_id,
        other.email_hash == moved.email_hash,
        other.id != who.id,
    )
    moving = (
        update(Contact)
        .where(
            Contact.id == who.id,
            Contact.email_hash == who.email_hash,
            Contact.erased_at.is_(None),
            ~is_taken,
        )
        .values(
            sealed_email=envelopes.seal_email(
                who.key,
                moved.email,
                subject_ref=who.subject_ref,
                random=tools.random,
            ),
            email_hash=moved.email_hash,
            moved_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    try:
        with session.begin_nested():
            return rows_changed(session.execute(moving)) == 1
    except IntegrityError:
        # Somebody signed up with it in this very moment.
        return False


def _keep_lists_away(
    session: Session, who: Person, moved: Person, *, now: datetime
) -> None:
    """Let no old list bring somebody back under the address they gave up (T30)."""
    contacts.suppress(session, who, reason=Reason.MOVED, until=None, now=now)
    contacts.readmit(session, moved, reason=Reason.MOVED)
    if contacts.is_suppressed(session, who, reason=Reason.NEVER):
        # A refusal is the person's and not the address's (GDPR 21(3)).
        contacts.suppress(session, moved, reason=Reason.NEVER, until=None, now=now)


def _close_requests(
    session: Session, found: Found, *, by: Circumstances, tools: Tools, now: datetime
) -> None:
    """Close what waits: its mail is in a mailbox that must confirm nothing more.

    It is no withdrawal, and ends nothing that was said yes to before.
    """
    while pending := optins.pending_of(session, found.who.id):
        optins.supersede(
            session,
            found.who,
            pending,
            method=METHOD,
            facts=optins.press(found, by),
            tools=tools,
            now=now,
        )


def _note(
    session: Session,
    found: Found,
    moved: Person,
    *,
    by: Circumstances,
    tools: Tools,
    now: datetime,
) -> None:
    told = {"email": moved.email, "email_before": found.who.email}
    privacy.note(
        session,
        found.who,
        Act.RECTIFIED,
        use=Use(found.locale, METHOD, optins.press(found, by) | told),
        tools=tools,
        now=now,
    )
    rights.used(session, found.who, Right.RECTIFY, random=tools.random, now=now)


def _tell_old(
    session: Session, found: Found, moved: Person, *, tools: Tools, now: datetime
) -> None:
    """Tell the old address, so that nobody's mails are led away unnoticed."""
    ref = links.make(
        session,
        contact_id=found.who.id,
        entry_id=found.played,
        optin_id=None,
        tools=tools,
        now=now,
    )
    params = {
        "to": found.who.email,
        "link": ref.as_payload(),
        "mailbox": address.masked(moved.email),
    }
    _queue(session, found, NOTICE, params, tools=tools, now=now)


def _queue(
    session: Session,
    found: Found,
    letter: str,
    params: dict[str, Any],
    *,
    tools: Tools,
    now: datetime,
) -> None:
    who = found.who
    outbox.put_mails(
        session,
        [Mail(letter, who.shop_id, who.id, None, params)],
        tools=tools,
        now=now,
    )
