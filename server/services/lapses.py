"""Vouchers whose days are over: close them, and give units back where that is said."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, literal_column, select, update
from sqlalchemy.orm import Session

from server.domain import codes
from server.domain.campaign import Prize as PrizeFile
from server.domain.voucher import State, Step
from server.models.campaign import Campaign
from server.models.entry import Entry
from server.models.prize import Prize
from server.models.voucher import Voucher, VoucherStep
from server.services.campaigns import Directory
from server.services.tools import Chance

# Written out, because an index of some rows is only used where its words are met.
_DUE = (
    select(Voucher.id)
    .where(
        Voucher.valid_until <= bindparam("moment"),
        Voucher.state == literal_column("'awarded'"),
    )
    .order_by(Voucher.valid_until)
    .limit(bindparam("most"))
)


def lapse_due(
    session: Session,
    *,
    directory: Directory,
    random: Chance,
    now: datetime,
    most: int = 200,
) -> int:
    """Close the vouchers whose days are over, and return how many (PZ-04).

    Where the prize says so, the unit can be won again, under a code of its own: the
    old one is in somebody's mailbox.
    """
    due = session.scalars(_DUE, {"moment": now, "most": most}).all()
    lapsed = session.execute(
        update(Voucher)
        .where(Voucher.id.in_(due), Voucher.state == State.AWARDED)
        .values(state=State.LAPSED)
        .returning(Voucher.id, Voucher.prize_id, Voucher.number, Voucher.entry_id)
    ).all()
    if not lapsed:
        return 0
    session.execute(
        insert(VoucherStep),
        [{"voucher_id": row.id, "step": Step.LAPSED, "at": now} for row in lapsed],
    )
    open_prizes = _open_prizes(
        session, {row.prize_id for row in lapsed}, directory=directory, now=now
    )
    for row in lapsed:
        prize = open_prizes.get(row.prize_id)
        if prize and prize.returns and row.number is not None:
            _return(session, row, prize, random=random, now=now)
    return len(lapsed)


def _open_prizes(
    session: Session, prize_ids: set[int], *, directory: Directory, now: datetime
) -> dict[int, PrizeFile]:
    """Return those of these prizes that can still be won."""
    rows = session.execute(
        select(Prize.id, Prize.key, Campaign.id.label("campaign_id"), Campaign.version)
        .join(Campaign, Campaign.id == Prize.campaign_id)
        .where(Prize.id.in_(prize_ids), Campaign.closes_at > now)
    )
    return {
        row.id: directory.campaign(session, row.campaign_id, row.version).prize(row.key)
        for row in rows
    }


def _return(
    session: Session, row: Any, prize: PrizeFile, *, random: Chance, now: datetime
) -> None:
    """Let a unit be won again. The entry says when, for the public record."""
    session.execute(update(Voucher).where(Voucher.id == row.id).values(number=None))
    session.execute(
        insert(Voucher),
        {
            "prize_id": row.prize_id,
            "number": row.number,
            "code": prize.code or codes.make(random(8)),
            "state": State.FREE,
        },
    )
    session.execute(update(Entry).where(Entry.id == row.entry_id).values(lapsed_at=now))
