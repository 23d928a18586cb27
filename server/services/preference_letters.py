"""The letter with a link to somebody's page, for who has no mail of ours at hand.

Whoever types an address learns nothing: the work is the same whether a shop knows it
or not, and so is the time that it takes (WD-05, T17).
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.limits import Kind
from server.domain.shop import ShopFile, parse_shop
from server.models.contact import Contact
from server.models.shop import Shop
from server.services import contacts, envelopes, links, mailboxes, outbox
from server.services.outbox import Mail
from server.services.tools import Tools

LETTER = "preferences"
# Of somebody made up: a host that can never be (RFC 2606).
NOWHERE = "nobody.invalid"
NAME_BYTES = 16


@dataclass(frozen=True, slots=True)
class Reader:
    """Who gets the letter, and where."""

    contact_id: int
    email: str


def shops(session: Session) -> dict[str, tuple[int, ShopFile]]:
    """Return the shops of this service by their codes: their ids and their files."""
    rows = session.scalars(select(Shop).order_by(Shop.name))
    return {row.code: (row.id, parse_shop(row.definition)) for row in rows}


def ask(
    session: Session,
    *,
    shop_id: int,
    email: str,
    may_send: bool,
    locale: str,
    tools: Tools,
    now: datetime,
) -> bool:
    """Queue the letter if the shop knows the address; return whether it did.

    Every address is counted, as `limits` says. Where nothing is sent, the same is done
    for somebody made up, and taken back. It is no marketing, so a suppressed address
    may have it.
    """
    # Not held as an entry holds its person, before it counts for their mailbox: the
    # two would wait for each other.
    known = _known(session, shop_id, email, tools=tools)
    allowed = mailboxes.allowed_to(
        session, shop_id, email, [Kind.PREFERENCES], vault=tools.vault, now=now
    )
    pretence = session.connection().begin_nested()
    nobody = contacts.recognise(
        session,
        shop_id=shop_id,
        email=f"{tools.random(NAME_BYTES).hex()}@{NOWHERE}",
        locale=locale,
        vault=tools.vault,
        now=now,
        random=tools.random,
    )
    if allowed and may_send and known:
        pretence.rollback()
        put(session, known, shop_id=shop_id, tools=tools, now=now)
        return True
    made_up = Reader(nobody.id, nobody.email)
    put(session, made_up, shop_id=shop_id, tools=tools, now=now)
    pretence.rollback()
    return False


def _known(
    session: Session, shop_id: int, email: str, *, tools: Tools
) -> Reader | None:
    """Return whom a shop knows by an address.

    On PostgreSQL they cannot be erased until the letter is queued; an entry of theirs
    is not kept waiting.
    """
    row = session.execute(
        select(Contact.id, *envelopes.EMAIL)
        .where(contacts.has_address(shop_id, email, vault=tools.vault))
        .with_for_update(read=True, key_share=True)
    ).first()
    if row is None:
        return None
    # Nobody can be written to whose key was lost.
    email = envelopes.shown_email(row, vault=tools.vault)
    return Reader(row.id, email) if email else None


def put(
    session: Session,
    to: Reader,
    *,
    shop_id: int,
    entry_id: int | None = None,
    tools: Tools,
    now: datetime,
) -> None:
    """Queue the letter, in the language in which somebody took part."""
    ref = links.make(
        session,
        contact_id=to.contact_id,
        entry_id=entry_id,
        optin_id=None,
        tools=tools,
        now=now,
    )
    params = {"to": to.email, "link": ref.as_payload()}
    outbox.put_mails(
        session,
        [Mail(LETTER, shop_id, to.contact_id, None, params)],
        tools=tools,
        now=now,
    )
