"""Keys that are destroyed when their month has grown old."""

from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base


class MonthKey(Base):
    """The key of the network addresses of one month, `2026-03`, sealed (DS-04)."""

    __tablename__ = "month_key"

    month: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]
