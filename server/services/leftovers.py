"""What is about nobody any more, or about nobody known, and outlived its use (DS-04).

Each kind is removed a batch at a time. A row that another worker took is not counted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from server.domain.months import months_after
from server.domain.retention import LEFTOVER_DAYS, REMAINS_DAYS, TRACE_MONTHS
from server.models.base import Base, rows_changed
from server.models.campaign import Campaign
from server.models.contact import Mailbox
from server.models.entry import Entry
from server.models.month import MonthKey
from server.models.outbox import Outbox
from server.models.rights import AddressChange
from server.models.turn import Turn
from server.models.webhook import Delivery
from server.services import outbox

AT_ONCE = 500
REMAINS = timedelta(days=REMAINS_DAYS)
LEFTOVER = timedelta(days=LEFTOVER_DAYS)


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows of one kind: how they are told apart, which are due, what becomes of them.

    Without `values` they are deleted.
    """

    name: str
    model: type[Base]
    key: tuple[Any, ...]
    is_due: Callable[[datetime], ColumnElement[bool]]
    values: dict[str, Any] | None = None


def _untouched(now: datetime) -> ColumnElement[bool]:
    return Mailbox.touched_at <= now - REMAINS


def _of_what_is_over(now: datetime) -> ColumnElement[bool]:
    over = select(Campaign.id).where(Campaign.closes_at <= now - REMAINS)
    return Turn.campaign_id.in_(over)


def _unconfirmed(now: datetime) -> ColumnElement[bool]:
    return AddressChange.expires_at <= now - LEFTOVER


def _never_claimed(now: datetime) -> ColumnElement[bool]:
    return and_(
        Entry.state == "lapsed",
        Entry.lapsed_at <= now - LEFTOVER,
        # An empty one is how those that were dealt with are known.
        Entry.play_print != b"",
    )


def _never_delivered(now: datetime) -> ColumnElement[bool]:
    return and_(
        outbox.is_in("dead"),
        Outbox.sealed.is_not(None),
        Outbox.settled_at <= now - REMAINS,
    )


def _never_acknowledged(now: datetime) -> ColumnElement[bool]:
    return and_(
        Delivery.state == "dead",
        Delivery.sealed.is_not(None),
        Delivery.settled_at <= now - REMAINS,
    )


def _of_old_months(now: datetime) -> ColumnElement[bool]:
    """Return which keys go: with one go all network addresses of its month."""
    return MonthKey.month < f"{months_after(now, -TRACE_MONTHS):%Y-%m}"


KINDS = (
    Kind("network_addresses", MonthKey, (MonthKey.month,), _of_old_months),
    Kind("mail_counters", Mailbox, (Mailbox.key,), _untouched),
    Kind("turns", Turn, (Turn.campaign_id, Turn.person), _of_what_is_over),
    Kind("address_changes", AddressChange, (AddressChange.id,), _unconfirmed),
    # What was drawn stays, for whoever checks the draw; what was told goes.
    Kind(
        "unclaimed_plays",
        Entry,
        (Entry.id,),
        _never_claimed,
        {"sealed_answers": None, "sealed_source": None, "play_print": b""},
    ),
    Kind("dead_letters", Outbox, (Outbox.id,), _never_delivered, {"sealed": None}),
    Kind("untold", Delivery, (Delivery.id,), _never_acknowledged, {"sealed": None}),
)


def number(session: Session, kind: Kind, *, now: datetime) -> int:
    """Return how many are due."""
    wanted = select(func.count()).select_from(kind.model).where(kind.is_due(now))
    return session.scalar(wanted) or 0


def remove(session: Session, kind: Kind, *, now: datetime) -> int:
    """Remove a batch of those that are due, and return how many; 0 at the end."""
    rows = session.execute(
        select(*kind.key).where(kind.is_due(now)).limit(AT_ONCE)
    ).all()
    if not rows:
        return 0
    keys = tuple_(*kind.key).in_([tuple(row) for row in rows])
    change = delete(kind.model) if kind.values is None else _change(kind)
    # Due as before: another worker, or somebody who came back, may have been first.
    mine = change.where(keys, kind.is_due(now))
    return rows_changed(session.execute(mine, execution_options=_BY_ITSELF))


# Nothing of it is at hand that would have to be told.
_BY_ITSELF = {"synchronize_session": False}


def _change(kind: Kind) -> Any:
    return update(kind.model).values(kind.values or {})
