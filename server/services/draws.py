"""Draw a prize, and take its voucher from the pool.

The draw is told nothing of the person or their consents (CR-02).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, literal_column, select, update
from sqlalchemy.orm import Session

from server.domain import chance, codes
from server.domain import voucher as rules
from server.domain.campaign import NOTHING
from server.domain.quiz import Outcome
from server.models.base import rows_changed, table
from server.models.voucher import Voucher
from server.services.batch import Writer
from server.services.campaigns import Live
from server.services.tools import Chance


@dataclass(frozen=True, slots=True)
class Drawn:
    """What came out: the drawn slot, what is awarded, and the unit taken, if any."""

    epoch: int
    slot: str
    awarded: str
    voucher_id: int | None = None
    unit: int | None = None
    code: str | None = None


_FREE_UNIT = (
    select(Voucher.id, Voucher.number, Voucher.code)
    .where(
        Voucher.prize_id == bindparam("prize_id"),
        # Written out, because an index of some rows is only used for its words.
        Voucher.state == literal_column("'free'"),
        Voucher.number <= bindparam("released"),
    )
    .order_by(Voucher.number)
    .limit(1)
    # Those who win the same prize at once take different units and do not wait.
    .with_for_update(skip_locked=True)
)
_HOLD = (
    update(Voucher)
    .where(Voucher.id == bindparam("voucher_id"), Voucher.state == "free")
    .values(state="reserved", entry_id=bindparam("holder"))
)


class RanOutError(Exception):
    """There is nothing left, at this moment, of the prize that a winner picked."""


class StockError(Exception):
    """A unit that was locked for us turned out to be taken; the play must not stand."""


def draw_prize(
    session: Session,
    live: Live,
    *,
    ticket: bytes,
    seed: str,
    now: datetime,
    led_to: Outcome | None = None,
) -> Drawn:
    """Return the outcome of a play, with a free unit locked if the prize is limited.

    Where a quiz gives the prize, what it led to decides and nothing is left to chance.
    """
    epoch = chance.epoch_of(now, opens=live.opens_at)
    if live.campaign.award == "outcome":
        slot = (led_to and led_to.prize) or NOTHING.key
    else:
        slot = chance.draw(
            live.table,
            seed=live.seed(epoch),
            campaign=live.campaign.code,
            epoch=epoch,
            ticket=ticket.hex(),
            browser=seed,
        )
    if live.campaign.prize(slot).stock is None:
        return Drawn(epoch, slot, slot)
    unit = _free_unit(session, live, slot, epoch)
    if unit is None:
        return Drawn(epoch, slot, live.table.fallback)
    return Drawn(epoch, slot, slot, unit.id, unit.number, unit.code)


def _free_unit(session: Session, live: Live, key: str, epoch: int) -> Any:
    """Return a unit of a limited prize, locked for us; None if there is none now."""
    released = live.table.slot(key).released(epoch)
    return session.execute(
        _FREE_UNIT, {"prize_id": live.prize_ids[key], "released": released}
    ).one_or_none()


def hold(session: Session, drawn: Drawn, *, entry_id: int) -> None:
    """Reserve the drawn unit for an entry."""
    if drawn.voucher_id is not None:
        _hold(session, drawn.voucher_id, entry_id=entry_id)


def pick(
    session: Session, live: Live, key: str, *, entry_id: int, now: datetime
) -> None:
    """Reserve what a winner picked. Raises `RanOutError` if there is none of it."""
    if live.campaign.prize(key).stock is None:
        return
    epoch = chance.epoch_of(now, opens=live.opens_at)
    unit = _free_unit(session, live, key, epoch)
    if unit is None:
        raise RanOutError
    _hold(session, unit.id, entry_id=entry_id)


def _hold(session: Session, voucher_id: int, *, entry_id: int) -> None:
    taken = session.execute(_HOLD, {"voucher_id": voucher_id, "holder": entry_id})
    if rows_changed(taken) != 1:
        raise StockError


_AWARD_NEW = table(Voucher).insert()
_AWARD_HELD = (
    update(Voucher)
    .where(Voucher.entry_id == bindparam("holder"), Voucher.state == "reserved")
    .values(state="awarded", awarded_at=bindparam("at"), valid_until=bindparam("until"))
    .returning(Voucher.code)
)


def award(
    session: Session,
    live: Live,
    prize_key: str,
    *,
    entry_id: int,
    now: datetime,
    random: Chance,
    into: Writer,
) -> str | None:
    """Hand over what an entry won and return its code; None where there is none.

    A unit that nobody has to race for goes `into` a batch.
    """
    prize = live.campaign.prize(prize_key)
    if prize.kind in {"none", "ticket"}:
        return None
    until = rules.valid_until(now, days=prize.valid_days)
    if prize.stock is not None:
        held = {"holder": entry_id, "at": now, "until": until}
        code = session.scalar(_AWARD_HELD, held)
        if code is None:
            raise StockError
        return code
    code = prize.code or codes.make(random(8))
    into.execute(
        _AWARD_NEW,
        {
            "prize_id": live.prize_ids[prize_key],
            "number": None,
            "code": code,
            "state": "awarded",
            "entry_id": entry_id,
            "awarded_at": now,
            "valid_until": until,
        },
    )
    return code
