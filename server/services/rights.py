"""Keep what a person asked of their data, until it is settled (GDPR 12; DS-01)."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from server.domain import rights as rules
from server.domain.rights import Outcome, Right
from server.models.base import rows_changed
from server.models.rights import RightsRequest
from server.services.contacts import Person
from server.services.tools import Chance

PUBLIC_ID_BYTES = 12


def open(  # noqa: A001  # read as rights.open(...)
    session: Session,
    who_id: int,
    *,
    shop_id: int,
    kind: str,
    member_id: int | None,
    random: Chance,
    now: datetime,
) -> RightsRequest:
    """Write a request down; its month begins at `now`, when it came in.

    `member_id` is who wrote it down, None where the person pressed the button.
    """
    request = RightsRequest(
        public_id=random(PUBLIC_ID_BYTES).hex(),
        shop_id=shop_id,
        contact_id=who_id,
        kind=kind,
        member_id=member_id,
        opened_at=now,
        due_at=rules.due(now),
    )
    session.add(request)
    session.flush()
    return request


def settle(
    session: Session, request: RightsRequest, *, outcome: str, now: datetime
) -> bool:
    """Close a request with what came of it; False if it was closed before."""
    changed = session.execute(
        update(RightsRequest)
        .where(RightsRequest.id == request.id, RightsRequest.settled_at.is_(None))
        .values(settled_at=now, outcome=outcome)
    )
    if not rows_changed(changed):
        return False
    session.refresh(request)
    return True


def used(
    session: Session,
    who: Person,
    kind: Right,
    *,
    outcome: Outcome | None = None,
    random: Chance,
    now: datetime,
) -> None:
    """Note that somebody used a right by themselves: asked and done at once.

    What came of it is what always does, unless an `outcome` says otherwise.
    """
    request = open(
        session,
        who.id,
        shop_id=who.shop_id,
        kind=kind.value,
        member_id=None,
        random=random,
        now=now,
    )
    settle(session, request, outcome=(outcome or BY_ITSELF[kind]).value, now=now)


# What comes of a right by the press of a button.
BY_ITSELF = {
    Right.ACCESS: Outcome.ACCESSED,
    Right.RECTIFY: Outcome.RECTIFIED,
    Right.RESTRICT: Outcome.RESTRICTED,
    Right.OBJECT: Outcome.OBJECTED,
    Right.ERASE: Outcome.ERASED,
}
