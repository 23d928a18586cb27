"""What a shop has of somebody, in a form that programs read (GDPR 15, 20; DS-01)."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.models.consent import Standing
from server.models.contact import Contact
from server.services.contacts import Person
from server.services.tools import Tools


def export(
    session: Session, who: Person, *, tools: Tools, now: datetime
) -> dict[str, Any]:
    """Return somebody's address, language and what they want today."""
    rows = session.scalars(
        select(Standing).where(Standing.contact_id == who.id).order_by(Standing.purpose)
    )
    return {
        "made_at": now.isoformat(),
        "address": who.email,
        "locale": session.get_one(Contact, who.id).locale,
        "standing": {row.purpose: row.act for row in rows},
    }
