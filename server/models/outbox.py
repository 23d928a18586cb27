"""Effects that wait for the worker."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, Leased, row_id

WAITS = text("state IN ('waiting', 'leased')")
DEAD = text("state = 'dead'")


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
        # Nearly all mails were delivered, and should not pay for the others.
        Index("ix_outbox_due_at", "due_at", sqlite_where=WAITS, postgresql_where=WAITS),
        Index(
            "ix_outbox_shop_id_id_dead",
            "shop_id",
            "id",
            sqlite_where=DEAD,
            postgresql_where=DEAD,
        ),
        Index("ix_outbox_shop_id_id", "shop_id", "id"),
    )

    id: Mapped[int] = row_id()
    shop_id: Mapped[int] = mapped_column(ForeignKey("shop.id"))
    # None for a notice to the shop itself.
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    optin_id: Mapped[int | None] = mapped_column(ForeignKey("optin.id"))
    letter: Mapped[str]
    # Random. Without an index: who turns pages is near the newest, and who tries again
    # is among the dead.
    message_id: Mapped[str]
    sealed: Mapped[bytes | None]


class Attempt(Base):
    """One try to deliver, and what the other side said, without addresses."""

    __tablename__ = "attempt"

    id: Mapped[int] = row_id()
    outbox_id: Mapped[int] = mapped_column(ForeignKey("outbox.id"), index=True)
    at: Mapped[datetime]
    outcome: Mapped[str]
    answer: Mapped[str]
