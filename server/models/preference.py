"""What a person wishes within a yes."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base


class Preference(Base):
    """How somebody wants the mails of one purpose; gone with the yes it is about."""

    __tablename__ = "preference"

    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    # Keys of the purpose's topics; all of them where it is None.
    topics: Mapped[list[Any] | None]
    # Key of one of the purpose's rhythms; the usual one where it is None.
    rhythm: Mapped[str | None]
    at: Mapped[datetime]
