"""Codes in the box, by batch."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, row_id


class BoxBatch(Base):
    """Codes that were made together for one placement, and end together."""

    __tablename__ = "box_batch"

    id: Mapped[int] = row_id()
    public_id: Mapped[str] = mapped_column(unique=True)
    placement_id: Mapped[int] = mapped_column(ForeignKey("placement.id"), index=True)
    name: Mapped[str]
    size: Mapped[int]
    # What its codes are made from, sealed, so that its sheets can be printed again.
    sealed_secret: Mapped[bytes]
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    printed_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class BoxCode(Base):
    """One label. The row keeps keyed hashes of its two codes, and which play used it.

    Visitors race for `entry_id`: it is set once, by the play.
    """

    __tablename__ = "box_code"
    __table_args__ = (
        UniqueConstraint("batch_id", "number"),
        CheckConstraint(
            "entry_id IS NULL OR opened_at IS NOT NULL", name="played_is_opened"
        ),
    )

    id: Mapped[int] = row_id()
    batch_id: Mapped[int] = mapped_column(ForeignKey("box_batch.id"))
    number: Mapped[int]
    qr_hash: Mapped[bytes] = mapped_column(unique=True)
    typed_hash: Mapped[bytes] = mapped_column(unique=True)
    opened_at: Mapped[datetime | None]
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id"), unique=True)
