"""Notice campaigns whose requests hardly anybody confirms, and make them stricter.

That is what a list of strangers' addresses looks like that a robot types in (AB-02).
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, exists, func, select, update
from sqlalchemy.orm import Session

from server.domain import optin as rules
from server.domain import suspicion
from server.models.campaign import Campaign
from server.models.entry import Entry
from server.models.optin import OptIn
from server.models.outbox import Outbox

# A mail that did not leave yet cannot be answered, and says nothing about anybody.
_JUDGED = [state.value for state in rules.State if state is not rules.State.REQUESTED]


@dataclass(frozen=True, slots=True)
class Spike:
    """A campaign that sent many requests lately of which few were confirmed."""

    campaign_id: int
    code: str
    sent: int
    confirmed: int
    # It was noticed before, and goes on.
    is_known: bool


def spikes(session: Session, *, now: datetime) -> list[Spike]:
    """Return the campaigns that have one now."""
    until = now - suspicion.SETTLING
    is_confirmed = OptIn.state == rules.State.CONFIRMED.value
    # A mail can leave long after it was asked for, as it does after an outage.
    could_be_answered = exists().where(
        Outbox.contact_id == OptIn.contact_id,
        Outbox.optin_id == OptIn.id,
        Outbox.state.in_(("delivered", "dead")),
        Outbox.settled_at <= until,
    )
    sent, confirmed = func.count(), func.sum(case((is_confirmed, 1), else_=0))
    counted = session.execute(
        select(Campaign.id, Campaign.code, Campaign.guarded_until, sent, confirmed)
        .join(Entry, Entry.campaign_id == Campaign.id)
        .join(OptIn, OptIn.entry_id == Entry.id)
        .where(
            # By when they expire, because the index knows that and not the start.
            OptIn.state.in_(_JUDGED),
            OptIn.expires_at > until - suspicion.WATCHED + rules.LIFE,
            OptIn.expires_at <= until + rules.LIFE,
            could_be_answered,
        )
        .group_by(Campaign.id)
    )
    return [
        Spike(row, code, sent, confirmed, guarded is not None and now < guarded)
        for row, code, guarded, sent, confirmed in counted
        if suspicion.is_spike(sent, confirmed)
    ]


def guard(session: Session, spike: Spike, *, now: datetime) -> None:
    """Let the campaign ask everybody for a proof, for as long as a spike is feared."""
    session.execute(
        update(Campaign)
        .where(Campaign.id == spike.campaign_id)
        .values(guarded_until=now + suspicion.GUARDED_FOR)
    )
