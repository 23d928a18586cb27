"""A campaign's figures by day, counted beforehand so that the office never counts.

Days are those of UTC. Counting the same days again gives the same figures, so the
worker may stop, skip and repeat as it likes.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import BigInteger, func, literal_column, select, type_coerce
from sqlalchemy.orm import Session

from server.domain import optin as rules
from server.domain.voucher import GIVEN
from server.models.base import EPOCH, inserting
from server.models.campaign import Campaign, CampaignDay
from server.models.entry import Entry
from server.models.optin import OptIn
from server.models.voucher import Voucher

DAY = timedelta(days=1)
# Written out: PostgreSQL would take two parameters for two different expressions.
DAY_MS: Any = literal_column("86400000")
# A play is claimed within the hour, or a little later where the worker was away.
CLAIM_LAG = timedelta(days=2)
# Spelled out, because the index of the plays begins with the campaign.
IN_ANY = Entry.campaign_id.in_(select(Campaign.id))
FIGURES = ("plays", "entries", "prizes", "asked", "confirmed")

Key = tuple[int, date]


@dataclass(frozen=True, slots=True)
class Figures:
    """One day of one campaign."""

    campaign_id: int
    day: date
    plays: int = 0
    entries: int = 0
    prizes: int = 0
    asked: int = 0
    confirmed: int = 0


def count(session: Session, *, now: datetime) -> list[Figures]:
    """Return the figures that are not written as they are now, for days still moving.

    These are today, yesterday, and every day since the last one that was written.
    """
    since = _first_moving_day(session, now=now)
    counted: dict[str, Counter[Key]] = {
        "plays": _by_day(session, Entry.played_at, since, IN_ANY),
        "entries": _by_day(
            session,
            Entry.claimed_at,
            since,
            IN_ANY,
            Entry.played_at >= since - CLAIM_LAG,
        ),
        "prizes": _by_day(
            session,
            Voucher.awarded_at,
            since,
            IN_ANY,
            Entry.played_at >= since - CLAIM_LAG,
            Voucher.state.in_(GIVEN),
            through=(Voucher, Voucher.entry_id == Entry.id),
        ),
        "asked": _by_day(
            session,
            OptIn.requested_at,
            since,
            # Spelled out, because the index begins with the state.
            OptIn.state.in_([state.value for state in rules.State]),
            OptIn.expires_at >= since + rules.LIFE,
            through=(OptIn, OptIn.entry_id == Entry.id),
        ),
        "confirmed": _by_day(
            session,
            OptIn.settled_at,
            since,
            OptIn.state == rules.State.CONFIRMED.value,
            OptIn.expires_at >= since,
            through=(OptIn, OptIn.entry_id == Entry.id),
        ),
    }
    keys = {key for counter in counted.values() for key in counter}
    fresh = [
        Figures(*key, *(counted[name][key] for name in FIGURES)) for key in sorted(keys)
    ]
    written = _written(session, since)
    return [figures for figures in fresh if figures not in written]


def keep(session: Session, figures: list[Figures]) -> None:
    """Write figures over those that stand there."""
    if not figures:
        return
    insert = inserting(session.get_bind().dialect.name)(CampaignDay)
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["campaign_id", "day"],
            set_={name: getattr(insert.excluded, name) for name in FIGURES},
        ),
        [
            {
                "campaign_id": one.campaign_id,
                "day": one.day,
                **{name: getattr(one, name) for name in FIGURES},
            }
            for one in figures
        ],
    )


def _first_moving_day(session: Session, *, now: datetime) -> datetime:
    yesterday = (now - DAY).date()
    last = session.scalar(select(func.max(CampaignDay.day)))
    if last is None:
        first = session.scalar(select(func.min(Entry.played_at)))
        last = first.date() if first else yesterday
    return datetime.combine(min(last, yesterday), time(), UTC)


def _by_day(
    session: Session,
    moment: Any,
    since: datetime,
    *where: Any,
    through: tuple[Any, Any] | None = None,
) -> Counter[Key]:
    """Count rows by campaign and by the day of a moment."""
    number = type_coerce(moment, BigInteger).op("/")(DAY_MS)
    query = select(Entry.campaign_id, number, func.count())
    query = query.select_from(Entry)
    if through:
        query = query.join(*through)
    query = query.where(moment >= since, *where).group_by(Entry.campaign_id, number)
    return Counter(
        {
            (campaign_id, (EPOCH + DAY * days).date()): total
            for campaign_id, days, total in session.execute(query)
        }
    )


def _written(session: Session, since: datetime) -> set[Figures]:
    rows = session.scalars(select(CampaignDay).where(CampaignDay.day >= since.date()))
    return {
        Figures(row.campaign_id, row.day, *(getattr(row, name) for name in FIGURES))
        for row in rows
    }
