"""From a confirmation mail to its press, by mail provider (DO-12).

The extra press costs confirmations, and what a provider does with mails costs more.
Days are those on which requests were made, in UTC; counting one again changes nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    case,
    func,
    literal_column,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from server.domain import optin as rules
from server.models.base import EPOCH, inserting, table
from server.models.campaign import FunnelDay
from server.models.entry import Entry
from server.models.link import Link
from server.models.optin import OptIn

DAY = timedelta(days=1)
DAY_MS: Any = literal_column("86400000")
# A request can still be confirmed, or renewed, on so many days.
MOVING_DAYS = rules.CONFIRM_DAYS + 1


@dataclass(frozen=True, slots=True)
class Steps:
    """How many requests got how far."""

    mailed: int = 0
    opened: int = 0
    confirmed: int = 0

    @property
    def rate(self) -> float | None:
        """Return which share of the opened was confirmed, from 0 to 1."""
        return self.confirmed / self.opened if self.opened else None


@dataclass(frozen=True, slots=True)
class Bucket:
    """The requests of one day of one campaign at one provider."""

    campaign_id: int
    day: date
    provider: str
    steps: Steps


STEPS = tuple(field.name for field in fields(Steps))


def note_opened(session: Session, link_ids: Collection[int], *, now: datetime) -> None:
    """Note that the pages behind these links were seen; who looked is not known."""
    session.execute(
        update(OptIn)
        .where(
            OptIn.id.in_(select(Link.optin_id).where(Link.id.in_(link_ids))),
            OptIn.opened_at.is_(None),
        )
        .values(opened_at=now)
        .execution_options(synchronize_session=False)
    )


def count(session: Session, *, now: datetime) -> list[Bucket]:
    """Return the figures that are not written as they are now, for days that move."""
    since = datetime.combine((now - MOVING_DAYS * DAY).date(), time(), UTC)
    number = type_coerce(OptIn.requested_at, BigInteger).op("/")(DAY_MS)
    # Who pressed has opened, even where the mark was lost.
    is_confirmed = OptIn.state == rules.State.CONFIRMED.value
    rows = session.execute(
        select(
            Entry.campaign_id,
            number,
            OptIn.provider,
            func.count(OptIn.sent_at),
            func.sum(case((is_confirmed | OptIn.opened_at.is_not(None), 1), else_=0)),
            func.sum(case((is_confirmed, 1), else_=0)),
        )
        .select_from(OptIn)
        .join(Entry, Entry.id == OptIn.entry_id)
        .where(
            # Spelled out, because the index begins with the state.
            OptIn.state.in_([state.value for state in rules.State]),
            OptIn.expires_at >= since + rules.LIFE,
            OptIn.requested_at >= since,
            OptIn.provider.is_not(None),
        )
        .group_by(Entry.campaign_id, number, OptIn.provider)
    )
    fresh = [
        Bucket(
            campaign_id, (EPOCH + DAY * days).date(), provider, Steps(*map(int, sums))
        )
        for campaign_id, days, provider, *sums in rows
    ]
    written = _written(session, since.date())
    return [bucket for bucket in fresh if bucket not in written]


def keep(session: Session, buckets: list[Bucket]) -> None:
    """Write figures over those that stand there."""
    if not buckets:
        return
    insert = inserting(session.get_bind().dialect.name)(table(FunnelDay))
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["campaign_id", "day", "provider"],
            set_={name: getattr(insert.excluded, name) for name in STEPS},
        ),
        [
            {
                "campaign_id": bucket.campaign_id,
                "day": bucket.day,
                "provider": bucket.provider,
                **{name: getattr(bucket.steps, name) for name in STEPS},
            }
            for bucket in buckets
        ],
    )


def by_provider(session: Session, campaign_id: int) -> dict[str, Steps]:
    """Return a campaign's figures by provider, the biggest first."""
    sums = [func.sum(getattr(FunnelDay, name)) for name in STEPS]
    rows = session.execute(
        select(FunnelDay.provider, *sums)
        .where(FunnelDay.campaign_id == campaign_id)
        .group_by(FunnelDay.provider)
        .order_by(sums[0].desc(), FunnelDay.provider)
    )
    return {provider: Steps(*map(int, found)) for provider, *found in rows}


def _written(session: Session, since: date) -> set[Bucket]:
    rows = session.scalars(select(FunnelDay).where(FunnelDay.day >= since))
    return {
        Bucket(
            row.campaign_id,
            row.day,
            row.provider,
            Steps(*(getattr(row, name) for name in STEPS)),
        )
        for row in rows
    }
