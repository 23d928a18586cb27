"""The code that hands a prize over, and what happened to it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, row_id

FREE = text("state = 'free'")
LAPSES = text("valid_until IS NOT NULL AND state = 'awarded'")


class Voucher(Base):
    """One unit of a prize. Those of a limited prize exist before anybody wins.

    Visitors race for the free ones, so the row, not a counter, is what they take.
    """

    __tablename__ = "voucher"
    __table_args__ = (
        CheckConstraint(
            "state IN ('free', 'reserved', 'awarded', 'redeemed', 'lapsed', 'revoked')",
            name="state",
        ),
        CheckConstraint("(state = 'free') = (entry_id IS NULL)", name="free_is_unheld"),
        CheckConstraint(
            "(state = 'redeemed') = (redeemed_at IS NOT NULL)", name="redeemed_once"
        ),
        # What a draw takes next. Without it PostgreSQL may look for a free one among
        # all that were given: half a second where 500,000 were and none was left.
        Index(
            "ix_voucher_prize_id_number_free",
            "prize_id",
            "number",
            sqlite_where=FREE,
            postgresql_where=FREE,
        ),
        # A unit is given once; the vouchers of an unlimited prize have no number, and
        # one whose unit went back into the game has it no more.
        Index("uq_voucher_prize_id_number", "prize_id", "number", unique=True),
        # Not unique: a prize may have one code for everybody.
        Index("ix_voucher_code", "code"),
        # Few lapse, and the others should not pay for it.
        Index(
            "ix_voucher_valid_until",
            "valid_until",
            sqlite_where=LAPSES,
            postgresql_where=LAPSES,
        ),
    )

    id: Mapped[int] = row_id()
    prize_id: Mapped[int] = mapped_column(ForeignKey("prize.id"))
    number: Mapped[int | None]
    code: Mapped[str]
    state: Mapped[str]
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id"), unique=True)
    awarded_at: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    mailed_at: Mapped[datetime | None]
    redeemed_at: Mapped[datetime | None]
    # `member:7`, `device:<public id>` or `operator`; and where, in words.
    redeemed_by: Mapped[str | None]
    redeemed_place: Mapped[str | None]
    revoked_at: Mapped[datetime | None]


class VoucherStep(Base):
    """One of the rarer steps of a voucher; the usual ones are told by moments."""

    __tablename__ = "voucher_step"
    __table_args__ = (
        CheckConstraint(
            "step IN ('released', 'mailed_again', 'lapsed', 'revoked')", name="step"
        ),
    )

    id: Mapped[int] = row_id()
    voucher_id: Mapped[int] = mapped_column(ForeignKey("voucher.id"), index=True)
    step: Mapped[str]
    at: Mapped[datetime]
    by: Mapped[str | None]
    note: Mapped[str | None]
