"""A draw after closing: what is promised, who is left out, and who was drawn."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, row_id

HELD = text("state IN ('offered', 'claimed')")


class Raffle(Base):
    """One raffle of a campaign, from its promise to its draw.

    Workers race for `state`, which only goes forward; `changes` counts what was left
    out, so that no list is closed on an older look.
    """

    __tablename__ = "raffle"
    __table_args__ = (
        UniqueConstraint("campaign_id", "key"),
        CheckConstraint("state IN ('waiting', 'listed', 'drawn')", name="state"),
        CheckConstraint(
            "(state = 'waiting') = (list_hash IS NULL)", name="listed_by_hash"
        ),
        CheckConstraint("(state = 'drawn') = (secret IS NOT NULL)", name="revealed"),
    )

    id: Mapped[int] = row_id()
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    key: Mapped[str]
    draws_at: Mapped[datetime]
    # Whether the draw waits for a public number that was named beforehand.
    needs_randomness: Mapped[bool]
    # The secret of `rf-1`, sealed; its commitment is public, and so is itself at last.
    sealed_secret: Mapped[bytes]
    commitment: Mapped[bytes]
    state: Mapped[str]
    changes: Mapped[int]
    labels: Mapped[int | None]
    list_hash: Mapped[bytes | None]
    listed_at: Mapped[datetime | None]
    randomness: Mapped[bytes | None]
    secret: Mapped[bytes | None]
    drawn_at: Mapped[datetime | None]


class RaffleList(Base):
    """All tickets of a raffle, 16 bytes each, in the order of their labels."""

    __tablename__ = "raffle_list"

    raffle_id: Mapped[int] = mapped_column(ForeignKey("raffle.id"), primary_key=True)
    tickets: Mapped[bytes]


class RaffleExclusion(Base):
    """An entry that is left out. `note` and `by` are there where a person said so."""

    __tablename__ = "raffle_exclusion"
    __table_args__ = (
        UniqueConstraint("raffle_id", "entry_id"),
        CheckConstraint(
            "reason IN ('duplicate', 'not_me', 'revoked', 'erased', 'excluded')",
            name="reason",
        ),
    )

    id: Mapped[int] = row_id()
    raffle_id: Mapped[int] = mapped_column(ForeignKey("raffle.id"))
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"))
    reason: Mapped[str]
    at: Mapped[datetime]
    by: Mapped[str | None]
    note: Mapped[str | None]


class RafflePlace(Base):
    """Somebody who was drawn: a winner, or a reserve until it is their turn.

    `unit` counts the things to win in the order of drawing; one is held by one.
    """

    __tablename__ = "raffle_place"
    __table_args__ = (
        UniqueConstraint("raffle_id", "number"),
        UniqueConstraint("raffle_id", "entry_id"),
        CheckConstraint(
            "state IN ('reserve', 'offered', 'claimed', 'lapsed')", name="state"
        ),
        CheckConstraint("(state = 'reserve') = (unit IS NULL)", name="reserve_waits"),
        CheckConstraint(
            "(state = 'claimed') = (claimed_at IS NOT NULL)", name="claimed_once"
        ),
        Index(
            "uq_raffle_place_held",
            "raffle_id",
            "unit",
            unique=True,
            sqlite_where=HELD,
            postgresql_where=HELD,
        ),
    )

    id: Mapped[int] = row_id()
    raffle_id: Mapped[int] = mapped_column(ForeignKey("raffle.id"))
    number: Mapped[int]
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"), index=True)
    state: Mapped[str]
    unit: Mapped[int | None]
    claim_by: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]


class RaffleStep(Base):
    """Something that happened to somebody who was drawn (PZ-13)."""

    __tablename__ = "raffle_step"
    __table_args__ = (
        CheckConstraint(
            "step IN ('offered', 'mailed', 'undeliverable', 'contacted', 'claimed', "
            "'lapsed')",
            name="step",
        ),
    )

    id: Mapped[int] = row_id()
    place_id: Mapped[int] = mapped_column(ForeignKey("raffle_place.id"), index=True)
    step: Mapped[str]
    at: Mapped[datetime]
    by: Mapped[str | None]
    note: Mapped[str | None]
