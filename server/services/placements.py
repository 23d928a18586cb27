"""What is known of a placement by its code alone."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.models.placement import Placement

# Where a game is opened by its address; the till's needs a registered tablet, the
# box's a code of its own for each box.
OWN_PAGE = ("link",)


def has_page(session: Session, code: str) -> bool:
    """Return whether a link or a QR code can lead to this placement."""
    return (
        session.scalar(
            select(Placement.id).where(
                Placement.code == code,
                Placement.channel.in_(OWN_PAGE),
                Placement.is_retired.is_(False),
            )
        )
        is not None
    )
