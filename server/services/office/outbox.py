"""A shop's mails: where each stands and what the other side said. Never what it says.

What a mail says holds links that belong to one person alone (DO-15).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain import address
from server.domain.seals import Vault
from server.models.contact import Contact
from server.models.outbox import Attempt, Outbox
from server.services import envelopes
from server.services import outbox as letters
from server.services.office import pager
from server.services.office.pager import Page

# So many mails back are as quickly found as one; who turns 200 pages waits longer.
NEAR = 10_000


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt and its answer."""

    at: datetime
    outcome: str
    answer: str


@dataclass(frozen=True, slots=True)
class MailLine:
    """A mail in the list. Its Message-ID, which is random, is its public name."""

    name: str
    letter: str
    to: str
    # When the person it was for was forgotten; then it does not say for whom.
    erased_at: datetime | None
    state: str
    created_at: datetime
    due_at: datetime
    settled_at: datetime | None
    attempts: int
    tries: list[Try]
    may_retry: bool


def page(
    session: Session,
    shop_id: int,
    *,
    state: str | None,
    after: str | None,
    vault: Vault,
) -> Page[MailLine] | None:
    """Return mails older than the one named `after`, or the newest; None if no such."""
    wanted = _of_shop(shop_id)
    if state is not None:
        wanted = wanted.where(letters.is_in(state))
    if after is not None:
        last = find_id(session, shop_id, after)
        if last is None:
            return None
        wanted = wanted.where(Outbox.id < last)
    rows, has_older = pager.newest(session, wanted, Outbox.id)
    lines = _lines(session, rows, vault=vault)
    return Page(lines, lines[-1].name if has_older else None)


def find(session: Session, shop_id: int, name: str, *, vault: Vault) -> MailLine | None:
    """Return one mail of this shop."""
    found = find_id(session, shop_id, name)
    rows = session.execute(_of_shop(shop_id).where(Outbox.id == found)).all()
    return next(iter(_lines(session, rows, vault=vault)), None)


def find_id(session: Session, shop_id: int, name: str) -> int | None:
    """Return the row of a mail of this shop.

    No index knows all names, so it looks first where whoever asks will have got it.
    """
    mails = select(Outbox.id, Outbox.message_id).where(Outbox.shop_id == shop_id)
    places = (
        mails.where(letters.is_in("dead")),
        mails.order_by(Outbox.id.desc()).limit(NEAR),
        mails,
    )
    for place in (place.subquery() for place in places):
        row: int | None = session.scalar(
            select(place.c.id).where(place.c.message_id == f"<{name}>")
        )
        if row is not None:
            return row
    return None


def _of_shop(shop_id: int) -> Any:
    return (
        select(Outbox, Contact)
        .outerjoin(Contact, Contact.id == Outbox.contact_id)
        .where(Outbox.shop_id == shop_id)
    )


def _lines(session: Session, rows: Any, *, vault: Vault) -> list[MailLine]:
    tries = _tries(session, [mail.id for mail, _ in rows])
    return [
        _line(mail, contact, tries.get(mail.id, []), vault=vault)
        for mail, contact in rows
    ]


def _tries(session: Session, ids: list[int]) -> dict[int, list[Try]]:
    found: dict[int, list[Try]] = {}
    rows = session.scalars(
        select(Attempt).where(Attempt.outbox_id.in_(ids)).order_by(Attempt.id)
    )
    for row in rows:
        found.setdefault(row.outbox_id, []).append(Try(row.at, row.outcome, row.answer))
    return found


def _line(
    mail: Outbox, contact: Contact | None, tries: list[Try], *, vault: Vault
) -> MailLine:
    email = envelopes.shown_email(contact, vault=vault) if contact else ""
    return MailLine(
        name=mail.message_id.strip("<>"),
        letter=mail.letter,
        to=address.masked(email) if email else "",
        erased_at=contact.erased_at if contact else None,
        state=mail.state,
        created_at=mail.created_at,
        due_at=mail.due_at,
        settled_at=mail.settled_at,
        attempts=mail.attempts,
        tries=tries,
        may_retry=mail.state == "dead" and mail.sealed is not None,
    )
