"""Mails to the shop itself: what it should keep or know, and nobody asked for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain import ledger_file
from server.domain.shop import ShopFile
from server.models.shop import Shop
from server.services import outbox
from server.services.campaigns import Directory
from server.services.ledger import Signed
from server.services.outbox import Claimed, Mail
from server.services.tools import Tools

CHECKPOINT = "checkpoint"
UNTOLD = "untold"


@dataclass(frozen=True, slots=True)
class Notice:
    """To which shop a notice goes; the address is the one of the moment."""

    shop: ShopFile


def put_checkpoint(
    session: Session, shop_id: int, signed: Signed, *, tools: Tools, now: datetime
) -> None:
    """Queue a checkpoint for the shop, which is to keep it elsewhere (PR-05)."""
    checkpoint = signed.checkpoint
    line = ledger_file.checkpoint_line(checkpoint, signed.signature).decode().strip()
    outbox.put_mails(
        session,
        [
            Mail(
                letter=CHECKPOINT,
                shop_id=shop_id,
                contact_id=None,
                optin_id=None,
                params={
                    "day": checkpoint.day.isoformat(),
                    "size": checkpoint.size,
                    "line": line,
                },
            )
        ],
        tools=tools,
        now=now,
    )


def put_untold(
    session: Session,
    shop_id: int,
    recipient: str,
    why: str,
    *,
    tools: Tools,
    now: datetime,
) -> None:
    """Tell the shop that a recipient of its data could not be told (GDPR 19).

    It names nobody: whom it is about stands in the office.
    """
    params = {"recipient": recipient, "why": why}
    outbox.put_mails(
        session, [Mail(UNTOLD, shop_id, None, None, params)], tools=tools, now=now
    )


def addressed(
    session: Session, mails: Iterable[Claimed], *, directory: Directory
) -> dict[int, Notice]:
    """Return where each notice goes, by the mail's id."""
    found = {}
    for mail in mails:
        version = session.scalars(
            select(Shop.version).where(Shop.id == mail.shop_id)
        ).one()
        found[mail.id] = Notice(directory.shop(session, mail.shop_id, version))
    return found
