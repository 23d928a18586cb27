"""How often a person took part."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base


class Turn(Base):
    """One person's times in a campaign that limits them: in all, and on a day.

    `person` is a keyed hash of an address, made for this campaign alone (PZ-10).
    """

    __tablename__ = "turn"

    campaign_id: Mapped[int] = mapped_column(
        ForeignKey("campaign.id"), primary_key=True
    )
    person: Mapped[bytes] = mapped_column(primary_key=True)
    times: Mapped[int]
    epoch: Mapped[int]
    times_that_day: Mapped[int]
