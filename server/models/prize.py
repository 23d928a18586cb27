"""What a draw can award."""

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, row_id


class Prize(Base):
    """Something a draw can award. A limited prize is its pool of vouchers."""

    __tablename__ = "prize"
    __table_args__ = (
        UniqueConstraint("campaign_id", "key"),
        CheckConstraint("stock IS NULL OR stock >= 0", name="stock"),
    )

    id: Mapped[int] = row_id()
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    key: Mapped[str]
    # Of a pool of codes, how many there are; those beyond it are still coming in.
    stock: Mapped[int | None]
    # Which import is bringing codes in; empty when none is under way.
    importing: Mapped[bytes | None]
