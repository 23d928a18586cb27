"""The recipients of a shop's data, and what each was told or not (GDPR 19; DS-06)."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.domain.seals import SealError, Vault
from server.domain.webhook import purpose_of
from server.models.contact import Contact
from server.models.webhook import Delivery, Webhook
from server.services import envelopes
from server.services.office import pager
from server.services.office.pager import Page


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient: how it stands, what waits for it, and what was given up."""

    public_id: str
    name: str
    # Where its program listens; the rest of the address may be a secret.
    host: str
    state: str
    why: str
    created_at: datetime
    purposes: list[str]
    events: list[str]
    waiting: int
    dead: int
    # Since when the oldest waits, and until when nothing is tried.
    since: datetime | None
    paused_until: datetime | None
    last_heard_at: datetime | None

    @property
    def may_turn_on(self) -> bool:
        return self.state in {"off", "gone"}


@dataclass(frozen=True, slots=True)
class Line:
    """One event for one recipient."""

    message_id: str
    recipient: str
    event: str
    purpose: str
    contact: str | None
    email: str
    erased_at: datetime | None
    state: str
    created_at: datetime
    due_at: datetime
    settled_at: datetime | None
    attempts: int
    answer: str
    # Given up, and it still says what it said.
    is_open: bool


def every(session: Session, shop_id: int) -> list[Recipient]:
    """Return the recipients of a shop, oldest first."""
    rows = session.scalars(
        select(Webhook).where(Webhook.shop_id == shop_id).order_by(Webhook.id)
    )
    return [_recipient(session, row) for row in rows]


def _recipient(session: Session, row: Webhook) -> Recipient:
    counts: dict[str, tuple[int, datetime]] = {
        state: (number, since)
        for state, number, since in session.execute(
            select(Delivery.state, func.count(), func.min(Delivery.created_at))
            .where(
                Delivery.webhook_id == row.id,
                Delivery.state.in_(("waiting", "leased", "dead")),
            )
            .group_by(Delivery.state)
        )
    }
    waiting = [counts[state] for state in ("waiting", "leased") if state in counts]
    last = session.scalar(
        select(Delivery.settled_at)
        .where(Delivery.webhook_id == row.id, Delivery.state == "acknowledged")
        .order_by(Delivery.id.desc())
        .limit(1)
    )
    return Recipient(
        public_id=row.public_id,
        name=row.name,
        host=urlsplit(row.url).netloc,
        state=row.state,
        why=row.why,
        created_at=row.created_at,
        purposes=row.purposes or [],
        events=row.events or [],
        waiting=sum(number for number, _ in waiting),
        dead=counts["dead"][0] if "dead" in counts else 0,
        since=min((since for _, since in waiting), default=None),
        paused_until=row.paused_until,
        last_heard_at=last,
    )


def page(
    session: Session,
    shop_id: int,
    *,
    state: str | None,
    after: str | None,
    vault: Vault,
) -> Page[Line] | None:
    """Return events older than that named `after`, or the newest; None if no such."""
    wanted = _of_shop(shop_id)
    if state is not None:
        wanted = wanted.where(Delivery.state == state)
    if after is not None:
        last = _id_of(session, shop_id, after)
        if last is None:
            return None
        wanted = wanted.where(Delivery.id < last)
    rows, has_older = pager.newest(session, wanted, Delivery.id)
    lines = [_line(*row, vault=vault) for row in rows]
    return Page(lines, lines[-1].message_id if has_older else None)


def find(
    session: Session, shop_id: int, message_id: str, *, vault: Vault
) -> Line | None:
    """Return one event of this shop."""
    row = session.execute(
        _of_shop(shop_id).where(Delivery.message_id == message_id)
    ).one_or_none()
    return None if row is None else _line(*row, vault=vault)


def address(
    session: Session, shop_id: int, message_id: str, *, vault: Vault
) -> str | None:
    """Return whom something that was given up is about, so that it is told by hand.

    Of somebody who was erased this is the last place that says so. None if there is
    no such event, or it says nothing any more.
    """
    sealed = session.scalar(
        _of_shop(shop_id)
        .with_only_columns(Delivery.sealed)
        .where(Delivery.message_id == message_id, Delivery.state == "dead")
    )
    if sealed is None:
        return None
    try:
        told: dict[str, Any] = json.loads(vault.open(sealed, about=message_id.encode()))
    except SealError:
        return None
    data = told["data"]
    known = [data.get("email", ""), *data.get("earlier_emails", ())]
    return ", ".join(each for each in known if each) or None


def _id_of(session: Session, shop_id: int, message_id: str) -> int | None:
    found: int | None = session.scalar(
        _of_shop(shop_id)
        .with_only_columns(Delivery.id)
        .where(Delivery.message_id == message_id)
    )
    return found


def _of_shop(shop_id: int) -> Any:
    return (
        select(Delivery, Webhook.name, Contact)
        .join(Webhook, Webhook.id == Delivery.webhook_id)
        .outerjoin(Contact, Contact.id == Delivery.contact_id)
        .where(Webhook.shop_id == shop_id)
    )


def _line(
    row: Delivery, recipient: str, contact: Contact | None, *, vault: Vault
) -> Line:
    return Line(
        message_id=row.message_id,
        recipient=recipient,
        event=row.event,
        purpose=purpose_of(row.topic),
        contact=contact.public_id if contact else None,
        email=envelopes.shown_email(contact, vault=vault) if contact else "",
        erased_at=contact.erased_at if contact else None,
        state=row.state,
        created_at=row.created_at,
        due_at=row.due_at,
        settled_at=row.settled_at,
        attempts=row.attempts,
        answer=row.answer,
        is_open=row.state == "dead" and row.sealed is not None,
    )
