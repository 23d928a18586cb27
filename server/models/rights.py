"""What a person asked of their data, and by when it has to be done."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, row_id


class RightsRequest(Base):
    """One use of a right, with its term of a month (GDPR 12(3), 15-21; DS-01)."""

    __tablename__ = "rights_request"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('access', 'rectify', 'restrict', 'object', 'erase')", name="kind"
        ),
        CheckConstraint(
            "(settled_at IS NULL) = (outcome IS NULL)", name="settled_with_outcome"
        ),
        Index("ix_rights_request_shop_id_settled_at", "shop_id", "settled_at"),
    )

    id: Mapped[int] = row_id()
    public_id: Mapped[str] = mapped_column(unique=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shop.id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    kind: Mapped[str]
    # The member who wrote it down; None where the person pressed the button.
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    outcome: Mapped[str | None]


class AddressChange(Base):
    """A new address that waits for its own confirmation (GDPR 16; DS-01).

    The address itself is sealed under the person's key.
    """

    __tablename__ = "address_change"

    id: Mapped[int] = row_id()
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    link_id: Mapped[int] = mapped_column(ForeignKey("link.id"), unique=True)
    sealed: Mapped[bytes]
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
