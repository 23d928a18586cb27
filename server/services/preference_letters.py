"""The letter with a link to somebody's page, for who has no mail of ours at hand.

Whoever types an address learns nothing: the work is the same whether a shop knows it
or not, and so is the time that it takes (WD-05, T17).
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.limits import Kind
from server.domain.shop import ShopFile, parse_shop
from server.models.shop import Shop
from server.services import contacts, links, outbox
from server.services.contacts import Person
from server.services.outbox import Mail
from server.services.tools import Tools

LETTER = "preferences"


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
    and taken back. It is no marketing, so a suppressed address may have it.
    """
    allowed = contacts.allowed_to(
        session, shop_id, email, [Kind.PREFERENCES], vault=tools.vault, now=now
    )
    pretence = session.connection().begin_nested()
    who = contacts.recognise(
        session,
        shop_id=shop_id,
        email=email,
        locale=locale,
        vault=tools.vault,
        now=now,
        random=tools.random,
    )
    if allowed and may_send and not who.is_new:
        # Asking is no sign of life: it may be anybody who types the address.
        pretence.rollback()
        _queue(session, who, tools=tools, now=now)
        return True
    _queue(session, who, tools=tools, now=now)
    pretence.rollback()
    return False


def _queue(session: Session, who: Person, *, tools: Tools, now: datetime) -> None:
    ref = links.make(
        session,
        contact_id=who.id,
        entry_id=None,
        optin_id=None,
        tools=tools,
        now=now,
    )
    params = {"to": who.email, "link": [ref.row, ref.secret.hex()]}
    outbox.put_mails(
        session,
        [Mail(LETTER, who.shop_id, who.id, None, params)],
        tools=tools,
        now=now,
    )
