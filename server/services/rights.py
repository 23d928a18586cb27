"""Requests about somebody's own data, each with its term of a month (DS-01)."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from server.domain.rights import Outcome, Right, due_at
from server.models.base import rows_changed, table
from server.models.rights import RightsRequest
from server.services.contacts import Person
from server.services.tools import Chance

PUBLIC_ID_BYTES = 12

_request = table(RightsRequest)


def open(
    session: Session,
    who: Person,
    right: Right,
    *,
    member_id: int | None = None,
    random: Chance,
    now: datetime,
) -> int:
    """Write down that somebody asks for something; it is due within a month.

    `member_id` is who wrote it down for them, None where they pressed a button.
    """
    row_id: int = (
        session.connection()
        .execute(
            _request.insert().returning(_request.c.id),
            {
                "public_id": random(PUBLIC_ID_BYTES).hex(),
                "shop_id": who.shop_id,
                "contact_id": who.id,
                "kind": right.value,
                "member_id": member_id,
                "opened_at": now,
                "due_at": due_at(now),
            },
        )
        .scalar_one()
    )
    return row_id


def settle(
    session: Session, request_id: int, *, outcome: Outcome, now: datetime
) -> bool:
    """Note what came of a request; False if that was noted before."""
    changed = session.execute(
        update(RightsRequest)
        .where(RightsRequest.id == request_id, RightsRequest.settled_at.is_(None))
        .values(settled_at=now, outcome=outcome.value)
    )
    return rows_changed(changed) == 1


def used(
    session: Session, who: Person, right: Right, *, random: Chance, now: datetime
) -> None:
    """Note that somebody used a right by themselves: asked and done at once."""
    request_id = open(session, who, right, random=random, now=now)
    settle(session, request_id, outcome=Outcome.DONE, now=now)
