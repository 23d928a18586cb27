"""People whose key was lost, so that nothing of theirs can be read by anybody.

Whoever works on many people leaves them out, since the key may be put back. They can
still stop what they allowed (WD-04), and begin anew by themselves.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.models.contact import Contact
from server.services import contacts, envelopes, privacy
from server.services.privacy import HASH_BYTES
from server.services.tools import Tools

METHOD = "key-lost"
AT_ONCE = 500


def begin_anew(
    session: Session, *, shop_id: int, email: str, tools: Tools, now: datetime
) -> None:
    """Let go of whom a shop knew by an address, so that its owner can be new there.

    What nobody can prove any more ends as by an erasure; a refusal stays, since it
    goes by the address. The caller holds their row.
    """
    contact = session.scalars(
        select(Contact)
        .where(contacts.has_address(shop_id, email, vault=tools.vault))
        .execution_options(populate_existing=True)
    ).one()
    envelopes.left_out(contact.id)
    _let_go(session, contact, tools=tools, now=now)
    # Of who was given up by hand, the hash is left.
    contact.email_hash = tools.random(HASH_BYTES)
    session.flush()


def give_up(
    session: Session, *, after: int, tools: Tools, now: datetime
) -> tuple[int, int | None]:
    """Let go of a range of people whose key does not open; say after whom it goes on.

    Returns how many, and None at the end.
    """
    rows = session.scalars(
        select(Contact)
        .where(Contact.id > after, Contact.erased_at.is_(None))
        .order_by(Contact.id)
        .limit(AT_ONCE)
    ).all()
    lost = [row for row in rows if not contacts.opened(row, vault=tools.vault)[1]]
    done = sum(_let_go(session, row, tools=tools, now=now) for row in lost)
    return done, rows[-1].id if len(rows) == AT_ONCE else None


def _let_go(session: Session, contact: Contact, *, tools: Tools, now: datetime) -> bool:
    return privacy.erase(
        session,
        contacts.whoever(session, contact.id, vault=tools.vault),
        use=privacy.Use(contact.locale, METHOD, {}),
        tools=tools,
        now=now,
        # They wished nothing; a list may bring them back.
        is_wished=False,
    )
