"""What a person told about themselves."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base


class Attribute(Base):
    """One fact about a person, kept only while its purpose has their yes.

    `kind` says how its value is to be read; the entry is where they told it.
    """

    __tablename__ = "attribute"

    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    # Under the person's own key (T24).
    sealed_value: Mapped[bytes]
    purpose: Mapped[str]
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"))
    at: Mapped[datetime]
