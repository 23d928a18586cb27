"""One participation."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, row_id

LAPSED = text("lapsed_at IS NOT NULL")
UNCLAIMED = text("state = 'played'")


class Entry(Base):
    """One play, and the person who claimed it, if anybody did.

    Ticket, browser seed and epoch are what a verifier needs to redo the draw.
    """

    __tablename__ = "entry"
    __table_args__ = (
        CheckConstraint("state IN ('played', 'claimed', 'lapsed')", name="state"),
        CheckConstraint(
            "(state = 'claimed') = (contact_id IS NOT NULL)", name="claimed_by_someone"
        ),
        Index("ix_entry_campaign_id_played_at", "campaign_id", "played_at"),
        Index("ix_entry_contact_id_campaign_id", "contact_id", "campaign_id"),
        # The worker looks every few seconds which of the few unclaimed plays are over.
        Index(
            "ix_entry_played_at",
            "played_at",
            sqlite_where=UNCLAIMED,
            postgresql_where=UNCLAIMED,
        ),
        # Few lapse, and the others should not pay for it.
        Index(
            "ix_entry_campaign_id_lapsed_at",
            "campaign_id",
            "lapsed_at",
            sqlite_where=LAPSED,
            postgresql_where=LAPSED,
        ),
    )

    id: Mapped[int] = row_id()
    ticket: Mapped[bytes] = mapped_column(unique=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    version: Mapped[int]
    placement_id: Mapped[int] = mapped_column(ForeignKey("placement.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    state: Mapped[str]
    locale: Mapped[str]
    browser_seed: Mapped[bytes]
    epoch: Mapped[int]
    drawn: Mapped[str]
    awarded: Mapped[str]
    unit: Mapped[int | None]
    play_print: Mapped[bytes]
    claim_print: Mapped[bytes | None]
    # What was told: sealed under the person's key, or the house's while nobody has
    # claimed it (T24).
    sealed_answers: Mapped[bytes | None]
    # What a quiz led to.
    outcome: Mapped[str | None]
    # What the page around it told, sealed alike: parameters, an order reference.
    sealed_source: Mapped[bytes | None]
    # The public id of the tablet it came from.
    device: Mapped[str | None]
    played_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    # When what it had won went back into the game.
    lapsed_at: Mapped[datetime | None]
    # When the early-access mail of a waiting list was queued.
    invited_at: Mapped[datetime | None]
