"""An order that was won back."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, row_id


class Purchase(Base):
    """An order that is paid back to who won it, once in its shop.

    Its reference is a keyed hash: who names it is recognised, and nobody can read it.
    """

    __tablename__ = "purchase"
    __table_args__ = (
        UniqueConstraint("shop_id", "order_hash"),
        CheckConstraint("amount_cents > 0", name="amount"),
    )

    id: Mapped[int] = row_id()
    shop_id: Mapped[int] = mapped_column(ForeignKey("shop.id"))
    order_hash: Mapped[bytes]
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"), unique=True)
    # What is paid back, which may be less than what was paid.
    amount_cents: Mapped[int]
    claimed_at: Mapped[datetime]
