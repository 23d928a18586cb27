"""What members did and looked at."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, row_id


class Audit(Base):
    """One act of a member that somebody may ask about later (PR-10)."""

    __tablename__ = "audit"

    id: Mapped[int] = row_id()
    shop_id: Mapped[int] = mapped_column(ForeignKey("shop.id"), index=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    act: Mapped[str]
    subject: Mapped[str]
    at: Mapped[datetime]
