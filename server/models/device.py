"""A tablet at the till."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, row_id


class Device(Base):
    """A tablet of a shop, registered once by a code that is good for a while.

    The row keeps hashes: of the code until it was used, of the secret in the
    tablet's cookie from then on, of the key with which a till's own program calls.
    """

    __tablename__ = "device"
    __table_args__ = (Index("uq_device_key_hash", "key_hash", unique=True),)

    id: Mapped[int] = row_id()
    public_id: Mapped[str] = mapped_column(unique=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shop.id"), index=True)
    name: Mapped[str]
    code_hash: Mapped[bytes | None] = mapped_column(unique=True)
    code_expires_at: Mapped[datetime]
    secret_hash: Mapped[bytes | None] = mapped_column(unique=True)
    key_hash: Mapped[bytes | None]
    created_at: Mapped[datetime]
    registered_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
