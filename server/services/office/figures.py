"""What campaigns yield, summed from the days that the worker rolls up."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from server.models.campaign import CampaignDay
from server.services.stats import DAY, FIGURES


@dataclass(frozen=True, slots=True)
class Figures:
    """How often something happened. `asked` and `confirmed` count opt-in requests."""

    plays: int = 0
    entries: int = 0
    prizes: int = 0
    asked: int = 0
    confirmed: int = 0

    @property
    def rate(self) -> float | None:
        """Return which share of those who were asked has confirmed, from 0 to 1."""
        return self.confirmed / self.asked if self.asked else None


@dataclass(frozen=True, slots=True)
class Day:
    """The figures of one day, in UTC."""

    day: date
    figures: Figures


_COLUMNS = tuple(getattr(CampaignDay, name) for name in FIGURES)


def _sums() -> tuple[ColumnElement[int], ...]:
    return tuple(func.coalesce(func.sum(column), 0) for column in _COLUMNS)


def by_campaign(session: Session, campaign_ids: Collection[int]) -> dict[int, Figures]:
    """Return the sums of campaigns; one without a day is not among them."""
    rows = session.execute(
        select(CampaignDay.campaign_id, *_sums())
        .where(CampaignDay.campaign_id.in_(campaign_ids))
        .group_by(CampaignDay.campaign_id)
    )
    return {campaign_id: Figures(*map(int, sums)) for campaign_id, *sums in rows}


def last_days(
    session: Session, campaign_ids: Collection[int], *, until: date, count: int
) -> list[Day]:
    """Return the last `count` days up to `until`, oldest first, empty ones too."""
    first = until - (count - 1) * DAY
    rows = session.execute(
        select(CampaignDay.day, *_sums())
        .where(
            CampaignDay.campaign_id.in_(campaign_ids),
            CampaignDay.day.between(first, until),
        )
        .group_by(CampaignDay.day)
    )
    found = {day: Figures(*map(int, sums)) for day, *sums in rows}
    days = (first + number * DAY for number in range(count))
    return [Day(day, found.get(day, Figures())) for day in days]


def total(days: Collection[Day]) -> Figures:
    """Return the sum of some days."""
    return Figures(
        *(sum(getattr(day.figures, column.key) for day in days) for column in _COLUMNS)
    )
