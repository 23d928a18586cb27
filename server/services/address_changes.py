"""A new mail address: asked for, confirmed from that address, then used (GDPR 16)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from server.domain import address
from server.domain.consent import Act
from server.domain.limits import Kind
from server.domain.rights import Right
from server.domain.seals import NONCE_BYTES, open_for, seal_for
from server.models.base import rows_changed
from server.models.contact import Contact
from server.models.rights import AddressChange
from server.services import contacts, links, optins, outbox, privacy, rights
from server.services.consents import Circumstances
from server.services.contacts import Reason
from server.services.links import Found
from server.services.outbox import Mail
from server.services.tools import Tools

# The question, to the new address; and the notice, to the old one.
ASK, NOTICE = "rectify", "moved"
LIFE = timedelta(days=7)


def ask(
    session: Session, found: Found, email: str, *, tools: Tools, now: datetime
) -> bool:
    """Mail the question to a new address, if it may be written to.

    Nothing is changed, and nothing told about who else has that address. An earlier
    question is taken back. Returns whether a mail was queued.
    """
    who = found.who
    if not contacts.lock_known(session, who):
        return False
    session.execute(delete(AddressChange).where(AddressChange.contact_id == who.id))
    if not contacts.allowed_to(
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
                about=who.subject_ref,
            ),
            asked_at=now,
            expires_at=now + LIFE,
        )
    )
    session.flush()
    until = (now + LIFE).isoformat()
    params = {"to": email, "link": [ref.row, ref.secret.hex()], "until": until}
    _queue(session, found, ASK, params, tools=tools, now=now)
    return True


def asked(session: Session, found: Found, *, now: datetime) -> str | None:
    """Return the address that a link asks about, or None if it asks nothing now."""
    sealed = session.scalar(
        select(AddressChange.sealed).where(
            AddressChange.link_id == found.link_id, AddressChange.expires_at > now
        )
    )
    return None if sealed is None else _opened(found, sealed)


def confirm(
    session: Session, found: Found, *, by: Circumstances, tools: Tools, now: datetime
) -> bool:
    """Write to the new address from now on; False if that cannot be, whatever why.

    The press takes the question away, so it counts once. That another person of this
    shop has the address is no other answer than that the question is too old.
    """
    contacts.lock(session, found.who)
    sealed = session.scalar(
        delete(AddressChange)
        .where(AddressChange.link_id == found.link_id, AddressChange.expires_at > now)
        .returning(AddressChange.sealed)
    )
    if sealed is None:
        return False
    email = _opened(found, sealed)
    if not _move(session, found, email, tools=tools):
        return False
    _note(session, found, email, by=by, tools=tools, now=now)
    _tell_old(session, found, email, tools=tools, now=now)
    return True


def _opened(found: Found, sealed: bytes) -> str:
    return open_for(found.who.key, sealed, about=found.who.subject_ref).decode()


def _move(session: Session, found: Found, email: str, *, tools: Tools) -> bool:
    """Give a contact its new address, unless it has another by now or it is taken."""
    who, other = found.who, aliased(Contact)
    digest = contacts.hash_email(tools.vault, who.shop_id, email)
    is_taken = exists().where(
        other.shop_id == who.shop_id, other.email_hash == digest, other.id != who.id
    )
    moving = (
        update(Contact)
        .where(
            Contact.id == who.id,
            Contact.email_hash == who.email_hash,
            Contact.erased_at.is_(None),
            ~is_taken,
        )
        .values(email=email, email_hash=digest)
        .execution_options(synchronize_session=False)
    )
    try:
        with session.begin_nested():
            return rows_changed(session.execute(moving)) == 1
    except IntegrityError:
        # Somebody signed up with it in this very moment.
        return False


def _note(
    session: Session,
    found: Found,
    email: str,
    *,
    by: Circumstances,
    tools: Tools,
    now: datetime,
) -> None:
    who = found.who
    if contacts.is_suppressed(session, who, reason=Reason.NEVER):
        # A refusal is the person's and not the address's (GDPR 21(3)).
        digest = contacts.hash_email(tools.vault, who.shop_id, email)
        moved = replace(who, email=email, email_hash=digest)
        contacts.suppress(session, moved, reason=Reason.NEVER, until=None, now=now)
    privacy.note(
        session,
        who,
        Act.RECTIFIED,
        locale=found.locale,
        method="mailbox-post",
        facts=optins.press(found, by) | {"email": email, "email_before": who.email},
        tools=tools,
        now=now,
    )
    rights.used(session, who, Right.RECTIFY, random=tools.random, now=now)


def _tell_old(
    session: Session, found: Found, email: str, *, tools: Tools, now: datetime
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
        "link": [ref.row, ref.secret.hex()],
        "mailbox": address.masked(email),
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
