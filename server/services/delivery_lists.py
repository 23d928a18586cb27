"""What recipients were told and were not, as people see it, and what they do about it.

Neither what an event says nor about whom is here: that stays sealed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, Update, func, select, update
from sqlalchemy.orm import Session

from server.domain import webhook
from server.models.base import rows_changed
from server.models.webhook import Delivery, Webhook

STATES = ("waiting", "leased", "acknowledged", "dead", "dropped")
# An alarm goes off for what waits longer, and not again for as long.
PILED_UP = timedelta(hours=1)
BY_HAND = "told by hand"
# Nothing of it is at hand that would have to be told.
_ALONE = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class Listed:
    """An event as an operator sees it: neither what it says nor about whom."""

    message_id: str
    recipient: str
    event: str
    topic: str
    state: str
    attempts: int
    created_at: datetime
    settled_at: datetime | None
    answer: str

    @property
    def purpose(self) -> str:
        return webhook.purpose_of(self.topic)

    @property
    def acknowledged_at(self) -> datetime | None:
        return self.settled_at if self.state == "acknowledged" else None


def newest(
    session: Session, shop_id: int, *, state: str | None, most: int
) -> list[Listed]:
    """Return the newest events for the recipients of a shop."""
    wanted = _LISTED.where(Webhook.shop_id == shop_id)
    if state is not None:
        wanted = wanted.where(Delivery.state == state)
    rows = session.execute(wanted.order_by(Delivery.id.desc()).limit(most))
    return [Listed(*row) for row in rows]


def of_contact(session: Session, contact_id: int) -> list[Listed]:
    """Return whom a person's data was told to, and what became of it, oldest first."""
    rows = session.execute(
        _LISTED.where(Delivery.contact_id == contact_id).order_by(Delivery.id)
    )
    return [Listed(*row) for row in rows]


_LISTED = select(
    *(Delivery.message_id, Webhook.name, Delivery.event, Delivery.topic),
    *(Delivery.state, Delivery.attempts, Delivery.created_at, Delivery.settled_at),
    Delivery.answer,
).join(Webhook, Webhook.id == Delivery.webhook_id)


@dataclass(frozen=True, slots=True)
class Pile:
    """What a recipient has not been told yet, and since when the oldest waits."""

    public_id: str
    name: str
    number: int
    since: datetime


def piles(session: Session, *, waiting_since: datetime) -> list[Pile]:
    """Return the recipients for whom something waits since before a moment."""
    number, since = func.count(), func.min(Delivery.created_at)
    rows = session.execute(
        select(Webhook.public_id, Webhook.name, number, since)
        .join(Delivery, Delivery.webhook_id == Webhook.id)
        .where(Delivery.state.in_(("waiting", "leased")))
        .group_by(Webhook.id, Webhook.public_id, Webhook.name)
        .having(since < waiting_since)
        .order_by(Webhook.id)
    )
    return [Pile(*row) for row in rows]


def dead(session: Session, *, shop_id: int | None = None) -> list[str]:
    """Return the names of the dead letters that can be tried again."""
    wanted = select(Delivery.message_id).where(
        Delivery.state == "dead", Delivery.sealed.is_not(None)
    )
    if shop_id is not None:
        wanted = wanted.where(Delivery.webhook_id.in_(_of_shop(shop_id)))
    return list(session.scalars(wanted.order_by(Delivery.id)))


def revive(
    session: Session, message_id: str, *, shop_id: int | None, now: datetime
) -> bool:
    """Let a dead letter be tried again from the start; False if there is none."""
    wanted = _dead(message_id, shop_id).values(
        state="waiting", due_at=now, attempts=0, created_at=now, settled_at=None
    )
    return rows_changed(session.execute(wanted, execution_options=_ALONE)) == 1


def told_by_hand(
    session: Session, message_id: str, *, shop_id: int | None, now: datetime
) -> bool:
    """Close a dead letter because somebody told the recipient otherwise (GDPR 19)."""
    wanted = _dead(message_id, shop_id).values(
        state="acknowledged", settled_at=now, sealed=None, answer=BY_HAND
    )
    return rows_changed(session.execute(wanted, execution_options=_ALONE)) == 1


def _dead(message_id: str, shop_id: int | None) -> Update:
    wanted = update(Delivery).where(
        Delivery.message_id == message_id,
        Delivery.state == "dead",
        Delivery.sealed.is_not(None),
    )
    if shop_id is None:
        return wanted
    return wanted.where(Delivery.webhook_id.in_(_of_shop(shop_id)))


def _of_shop(shop_id: int) -> Select[int]:
    return select(Webhook.id).where(Webhook.shop_id == shop_id)
