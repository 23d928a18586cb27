"""Double opt-in."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, row_id


class OptIn(Base):
    """A request to confirm consents by mail, with its states.

    What it asks for, and in which words, its first facts in the ledger say.
    """

    __tablename__ = "optin"
    __table_args__ = (
        CheckConstraint(
            "state IN ('requested', 'sent', 'confirmed', 'declined', 'superseded',"
            " 'expired', 'undeliverable')",
            name="state",
        ),
        # Not of the open ones alone: figures by day are counted from all.
        Index("ix_optin_state_expires_at", "state", "expires_at"),
    )

    id: Mapped[int] = row_id()
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"))
    state: Mapped[str]
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    # When a mail server took the mail.
    sent_at: Mapped[datetime | None]
    # When its page was first seen, by whomever (DO-11).
    opened_at: Mapped[datetime | None]
    # One of the big mail providers, or that it is none of them (DO-12).
    provider: Mapped[str | None]
    message_id: Mapped[str | None]
