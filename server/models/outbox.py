"""Effects that wait for the worker."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, Leased, row_id


class Outbox(Leased, Base):
    """A mail that waits, was delivered, or is dead.

    What it says is sealed, and gone once it was delivered: the links in it exist
    nowhere but in the person's mailbox (DO-15).
    """

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint(
            "state IN ('waiting', 'leased', 'delivered', 'dead', 'dropped')",
            name="state",
        ),
        Index("ix_outbox_state_due_at", "state", "due_at"),
        Index("ix_outbox_shop_id_id", "shop_id", "id"),
    )

    id: Mapped[int] = row_id()
    shop_id: Mapped[int] = mapped_column(ForeignKey("shop.id"))
    # None for a notice to the shop itself.
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    optin_id: Mapped[int | None] = mapped_column(ForeignKey("optin.id"))
    letter: Mapped[str]
    message_id: Mapped[str] = mapped_column(unique=True)
    sealed: Mapped[bytes | None]


class Attempt(Base):
    """One try to deliver, and what the other side said, without addresses."""

    __tablename__ = "attempt"

    id: Mapped[int] = row_id()
    outbox_id: Mapped[int] = mapped_column(ForeignKey("outbox.id"), index=True)
    at: Mapped[datetime]
    outcome: Mapped[str]
    answer: Mapped[str]
