"""The code that hands a prize over."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, row_id


class Voucher(Base):
    """One unit of a prize. Those of a limited prize exist before anybody wins.

    Visitors race for the free ones, so the row, not a counter, is what they take.
    """

    __tablename__ = "voucher"
    __table_args__ = (
        CheckConstraint("state IN ('free', 'reserved', 'awarded')", name="state"),
        CheckConstraint("(state = 'free') = (entry_id IS NULL)", name="free_is_unheld"),
        Index("ix_voucher_prize_id_state_number", "prize_id", "state", "number"),
        # A unit is given once; the vouchers of an unlimited prize have no number.
        Index("uq_voucher_prize_id_number", "prize_id", "number", unique=True),
    )

    id: Mapped[int] = row_id()
    prize_id: Mapped[int] = mapped_column(ForeignKey("prize.id"))
    number: Mapped[int | None]
    code: Mapped[str]
    state: Mapped[str]
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id"), unique=True)
    awarded_at: Mapped[datetime | None]
