"""What became of the codes in the box, batch by batch."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.domain.optin import State
from server.models.boxcode import BoxBatch, BoxCode
from server.models.campaign import Campaign
from server.models.entry import Entry
from server.models.optin import OptIn
from server.models.placement import Placement
from server.services.boxcodes import UNFINISHED


@dataclass(frozen=True, slots=True)
class Line:
    """One batch in figures; confirmed counts plays of which a yes was confirmed."""

    public_id: str
    name: str
    campaign: str
    placement: str
    state: str
    size: int
    printed: int
    opened: int
    played: int
    confirmed: int


def lines(session: Session, *, campaign: str | None, now: datetime) -> list[Line]:
    """Return every batch, or those of one campaign, oldest first."""
    listed = (
        select(BoxBatch, Placement.code, Campaign.code)
        .join(Placement, Placement.id == BoxBatch.placement_id)
        .join(Campaign, Campaign.id == Placement.campaign_id)
        .where(BoxBatch.size != UNFINISHED)
        .order_by(BoxBatch.id)
    )
    if campaign is not None:
        listed = listed.where(Campaign.code == campaign)
    return [
        _line(session, batch, placement, code, now=now)
        for batch, placement, code in session.execute(listed).all()
    ]


def _line(
    session: Session, batch: BoxBatch, placement: str, campaign: str, *, now: datetime
) -> Line:
    of_batch = BoxCode.batch_id == batch.id
    opened, played = session.execute(
        select(func.count(BoxCode.opened_at), func.count(BoxCode.entry_id)).where(
            of_batch
        )
    ).one()
    confirmed = session.scalar(
        select(func.count(Entry.id.distinct()))
        .select_from(BoxCode)
        .join(Entry, Entry.id == BoxCode.entry_id)
        .join(OptIn, OptIn.entry_id == Entry.id)
        .where(of_batch, OptIn.state == State.CONFIRMED.value)
    )
    return Line(
        public_id=batch.public_id,
        name=batch.name,
        campaign=campaign,
        placement=placement,
        state=_state(batch, now),
        size=batch.size,
        printed=batch.size if batch.printed_at else 0,
        opened=opened,
        played=played,
        confirmed=confirmed or 0,
    )


def _state(batch: BoxBatch, now: datetime) -> str:
    if batch.revoked_at is not None:
        return "revoked"
    if batch.valid_from is not None and now < batch.valid_from:
        return "waiting"
    if batch.valid_until is not None and now >= batch.valid_until:
        return "expired"
    return "valid"
