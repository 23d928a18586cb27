"""The tenant."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, row_id


class Shop(Base):
    """A retailer: the controller of what its visitors tell (GDPR 4(7)).

    `definition` is the shop file as it was imported.
    """

    __tablename__ = "shop"

    id: Mapped[int] = row_id()
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    definition: Mapped[dict[str, Any]]
    # Counts the imports, so that other processes notice a newer file.
    version: Mapped[int]
    created_at: Mapped[datetime]
