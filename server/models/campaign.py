"""A promotion, its versions and its daily figures."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, row_id


class Campaign(Base):
    """A promotion. What visitors see is its newest version."""

    __tablename__ = "campaign"
    __table_args__ = (
        CheckConstraint(
            "state IN ('draft', 'published', 'paused', 'closed')", name="state"
        ),
    )

    id: Mapped[int] = row_id()
    shop_id: Mapped[int] = mapped_column(ForeignKey("shop.id"), index=True)
    code: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    version: Mapped[int]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    # The chain's last seed, sealed; its anchor is public (`iw-1`).
    sealed_seed: Mapped[bytes]
    anchor: Mapped[str]
    epochs: Mapped[int]
    # From when and until when the people of a waiting list are invited.
    invites_at: Mapped[datetime | None]
    invites_until: Mapped[datetime | None]
    # Until when its visitors prove that they are people (AB-02).
    guarded_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class CampaignVersion(Base):
    """The file as it was imported; versions are never edited (PR-07)."""

    __tablename__ = "campaign_version"
    __table_args__ = (UniqueConstraint("campaign_id", "number"),)

    id: Mapped[int] = row_id()
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    number: Mapped[int]
    definition: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class CampaignDay(Base):
    """One day's figures of a campaign, rolled up by the worker."""

    __tablename__ = "campaign_day"

    campaign_id: Mapped[int] = mapped_column(
        ForeignKey("campaign.id"), primary_key=True
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    plays: Mapped[int] = mapped_column(default=0)
    entries: Mapped[int] = mapped_column(default=0)
    prizes: Mapped[int] = mapped_column(default=0)
    asked: Mapped[int] = mapped_column(default=0)
    confirmed: Mapped[int] = mapped_column(default=0)


class FunnelDay(Base):
    """One day's requests of a campaign at one mail provider, rolled up by the worker.

    `mailed` of them were taken by a mail server, `opened` seen, `confirmed` pressed.
    """

    __tablename__ = "funnel_day"

    campaign_id: Mapped[int] = mapped_column(
        ForeignKey("campaign.id"), primary_key=True
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(primary_key=True)
    mailed: Mapped[int]
    opened: Mapped[int]
    confirmed: Mapped[int]
