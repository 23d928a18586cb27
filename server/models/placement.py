"""Where a campaign appears."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, row_id


class Placement(Base):
    """A public code by which a page, a tablet or a link finds a campaign.

    One that a newer version of the campaign no longer names is retired: its code
    stays taken, so that old tags never show somebody else's campaign.
    """

    __tablename__ = "placement"

    id: Mapped[int] = row_id()
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    code: Mapped[str] = mapped_column(unique=True)
    channel: Mapped[str]
    is_retired: Mapped[bool] = mapped_column(default=False)
