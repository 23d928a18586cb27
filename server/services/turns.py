"""How often one person may take part, as the campaign says (PZ-10).

Counted by one statement whose row count decides, so that many tabs of one person
cannot pass together, on however many processes.
"""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, case, or_, select
from sqlalchemy.orm import Session

from server.domain import chance
from server.domain.seals import Vault
from server.models.base import inserting, table
from server.models.turn import Turn
from server.services.campaigns import Live

PERSON_BYTES = 16
NO_LIMIT = 2**31 - 1


class EnoughError(Exception):
    """This person has taken part as often as the campaign allows.

    `again` is when they may once more, if they ever may.
    """

    def __init__(self, again: datetime | None) -> None:
        self.again = again
        super().__init__(again)


def take(
    session: Session, live: Live, email: str, *, vault: Vault, now: datetime
) -> None:
    """Count one turn of who has this address. Raises `EnoughError`."""
    campaign = live.campaign
    if campaign.entries_per_address is None and campaign.entries_per_day is None:
        return
    # What was won on the last day is claimed until an hour after the end.
    epoch = min(chance.epoch_of(now, opens=live.opens_at), live.epochs)
    key = {
        "campaign_id": live.campaign_id,
        "person": _person(vault, live, email),
    }
    most = {
        "most": campaign.entries_per_address or NO_LIMIT,
        "most_that_day": campaign.entries_per_day or NO_LIMIT,
    }
    connection = session.connection()
    counted = connection.scalar(
        _count(connection.dialect.name), {**key, **most, "epoch": epoch}
    )
    if counted is not None:
        return
    times = session.scalar(_TIMES, key) or 0
    raise EnoughError(
        None if times >= most["most"] else _tomorrow(live, epoch),
    )


def _person(vault: Vault, live: Live, email: str) -> bytes:
    known = live.campaign.known_as(email)
    return vault.hashed("turn", live.campaign_id, known)[:PERSON_BYTES]


def _tomorrow(live: Live, epoch: int) -> datetime | None:
    """Return when the campaign's next day begins, if there is one."""
    again = chance.begins(epoch + 1, opens=live.opens_at)
    return again if again < live.closes_at else None


_TIMES = select(Turn.times).where(
    Turn.campaign_id == bindparam("campaign_id"), Turn.person == bindparam("person")
)


@cache
def _count(dialect: str) -> Any:
    turn = table(Turn)
    insert = inserting(dialect)(turn).values(
        campaign_id=bindparam("campaign_id"),
        person=bindparam("person"),
        times=1,
        epoch=bindparam("epoch"),
        times_that_day=1,
    )
    same_day = turn.c.epoch == insert.excluded.epoch
    return insert.on_conflict_do_update(
        index_elements=["campaign_id", "person"],
        set_={
            "times": turn.c.times + 1,
            "epoch": insert.excluded.epoch,
            "times_that_day": case((same_day, turn.c.times_that_day + 1), else_=1),
        },
        where=(turn.c.times < bindparam("most"))
        & or_(~same_day, turn.c.times_that_day < bindparam("most_that_day")),
    ).returning(turn.c.times)
