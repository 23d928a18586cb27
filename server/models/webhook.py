"""Who else is told about people, and what each was told."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import LAST, Base, Leased, row_id


class Webhook(Base):
    """A recipient of data, and the address at which its program is told (GDPR 19).

    `why` says why it is off. One that has ended is told nothing any more.
    """

    __tablename__ = "webhook"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'off', 'gone', 'ended')", name="state"),
    )

    id: Mapped[int] = row_id()
    public_id: Mapped[str] = mapped_column(unique=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shop.id"), index=True)
    name: Mapped[str]
    url: Mapped[str]
    # Of which events and purposes it is told; of all of them without.
    events: Mapped[list[Any] | None]
    purposes: Mapped[list[Any] | None]
    sealed_secret: Mapped[bytes]
    # The one before still signs for a while, so that nothing has to happen at once.
    sealed_before: Mapped[bytes | None]
    before_until: Mapped[datetime | None]
    state: Mapped[str]
    why: Mapped[str]
    # How often in a row it did not answer, and until when it is left alone.
    faults: Mapped[int]
    paused_until: Mapped[datetime | None]
    # When the shop was last told that something could not be delivered.
    noticed_at: Mapped[datetime | None]
    # Since when it may have been given people, be it in files before it was told.
    created_at: Mapped[datetime]


class Delivery(Leased, Base):
    """One event for one recipient: it waits, was acknowledged, or was given up.

    What it says is sealed and outlives the key of its person, since a recipient has to
    be told of an erasure too. It is gone once that was acknowledged.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        CheckConstraint(
            "state IN ('waiting', 'leased', 'acknowledged', 'dead', 'dropped')",
            name="state",
        ),
        Index(
            "ix_delivery_webhook_id_state_rank_due_at",
            *("webhook_id", "state", "rank", "due_at"),
        ),
        Index("ix_delivery_webhook_id_id", "webhook_id", "id"),
        # Of one person there are few, of one recipient a great many.
        Index(
            "ix_delivery_contact_id_webhook_id_sequence",
            *("contact_id", "webhook_id", "sequence"),
        ),
    )

    id: Mapped[int] = row_id()
    # Its name for the recipient, the same on every try.
    message_id: Mapped[str] = mapped_column(unique=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id"))
    # None for a try of the line, which is about nobody.
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    event: Mapped[str]
    # What a later event about the same takes the place of.
    topic: Mapped[str]
    # Later for each later event about a person, whatever the clocks say.
    sequence: Mapped[datetime]
    rank: Mapped[int]
    sealed: Mapped[bytes | None]
    # How the last try ended, in a word or the status; nothing that the other side said.
    answer: Mapped[str] = mapped_column(sort_order=LAST + 1)
