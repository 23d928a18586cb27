"""The letter with somebody's receipt, which follows a yes (PR-09)."""

from datetime import datetime

from sqlalchemy.orm import Session

from server.domain.limits import Kind
from server.domain.links import LinkRef
from server.services import consents, mailboxes, outbox
from server.services.batch import Writer
from server.services.links import Found
from server.services.outbox import Mail
from server.services.tools import Tools

LETTER = "receipt"


def put(
    session: Session,
    found: Found,
    ref: LinkRef,
    *,
    tools: Tools,
    now: datetime,
    into: Writer | None = None,
) -> None:
    """Queue the letter, if the shop wants it.

    It has the link of the mail that was pressed, under a salt of its own: one row is
    all that a press has to write for it (DO-15). The mailbox is counted by the worker.
    """
    if found.shop.receipts == "none":
        return
    who = found.who
    params = {"to": who.email, "link": ref.as_payload()}
    outbox.put_mails(
        session,
        [Mail(LETTER, who.shop_id, who.id, found.asked.id, params)],
        tools=tools,
        now=now,
        into=into,
    )


def is_true(session: Session, found: Found) -> bool:
    """Return whether there still is a yes to give a receipt of (I6)."""
    return bool(consents.active(session, found.who.id))


def is_allowed(session: Session, found: Found, *, tools: Tools, now: datetime) -> bool:
    """Return whether the mailbox has room for it, and count it if so."""
    wanted = [Kind.RECEIPT]
    return bool(
        mailboxes.allowed_mails(session, found.who, wanted, vault=tools.vault, now=now)
    )
