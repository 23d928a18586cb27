"""Note what members did and looked at, so that somebody may ask later (PR-10)."""

from datetime import datetime

from sqlalchemy.orm import Session

from server.models.audit import Audit


def note(
    session: Session,
    *,
    shop_id: int,
    member_id: int,
    act: str,
    subject: str,
    now: datetime,
) -> None:
    """Add one act; `subject` names what it was about by its public id."""
    session.add(
        Audit(shop_id=shop_id, member_id=member_id, act=act, subject=subject, at=now)
    )
    session.flush()
