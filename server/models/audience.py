"""Who was handed to an advertising platform."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, row_id


class AudienceMember(Base):
    """One person in one audience, under one hash that the platform was given.

    Who was named by an address and a number has a row of each, so that each is taken
    back when it has to be. It outlives erasure until the platform was told to remove
    it (GDPR 19; AD-04).
    """

    __tablename__ = "audience_member"
    __table_args__ = (
        CheckConstraint("kind IN ('email', 'phone')", name="kind"),
        Index(
            "uq_audience_member_contact_id_platform_mark",
            "contact_id",
            "platform",
            "mark",
            unique=True,
        ),
        Index("ix_audience_member_shop_id_platform", "shop_id", "platform"),
    )

    id: Mapped[int] = row_id()
    shop_id: Mapped[int] = mapped_column(ForeignKey("shop.id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    platform: Mapped[str]
    # Of what the hash is: `email` or `phone`.
    kind: Mapped[str]
    # SHA-256 of it as the platform spells it, in hex: sealed, as whoever has such a
    # hash can try addresses on it. The keyed mark of it says which are the same.
    mark: Mapped[bytes]
    sealed_hash: Mapped[bytes]
    added_at: Mapped[datetime]
    # When a file named it for removal.
    removed_at: Mapped[datetime | None]
