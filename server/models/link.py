"""Signed addresses in mails."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, row_id


class Link(Base):
    """What the links of one mail point to. The row keeps only the secret's hash."""

    __tablename__ = "link"

    id: Mapped[int] = row_id()
    secret_hash: Mapped[bytes]
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    # None where somebody was written to who took part in nothing.
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("entry.id"))
    optin_id: Mapped[int | None] = mapped_column(ForeignKey("optin.id"))
    created_at: Mapped[datetime]
