"""Bring a pool of codes in: all of a file, or nothing of it.

A million rows in one transaction would keep every visitor waiting, so they come in
ranges. Until the end they are beyond the prize's stock and its row carries the mark of
the import: no campaign is published then, and the next import sweeps away what one
that died has left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session, aliased

from server.models.base import rows_changed, table
from server.models.campaign import Campaign
from server.models.prize import Prize
from server.models.voucher import Voucher
from server.services import campaigns
from server.services.tools import Chance

RANGE = 5_000
MARK_BYTES = 16


class NoPoolError(Exception):
    """This campaign has no prize of that key whose codes are imported."""


class PublishedError(Exception):
    """What was published is fixed: its stock is part of the odds (PZ-09)."""


class TakenOverError(Exception):
    """Another import of the same pool has begun; this one must store nothing."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool that an import of ours is bringing codes into."""

    prize_id: int
    campaign_id: int
    shop_id: int
    stock: int
    mark: bytes


@dataclass(frozen=True, slots=True)
class Double:
    """A code that is there already: which of ours, and where the other one is."""

    number: int
    other: int | None
    campaign: str


def begin(session: Session, campaign: str, prize: str, *, random: Chance) -> Pool:
    """Mark a pool as ours. Raises `NoPoolError` and `PublishedError`."""
    row = session.execute(
        select(Prize.id, Prize.campaign_id, Campaign.shop_id)
        .join(Campaign, Campaign.id == Prize.campaign_id)
        .where(Campaign.code == campaign, Prize.key == prize)
    ).one_or_none()
    file = campaigns.load(session, campaign)
    if row is None or file is None or not file.prize(prize).pool:
        raise NoPoolError
    mark = random(MARK_BYTES)
    stock = session.scalar(
        update(Prize)
        .where(Prize.id == row.id)
        .values(importing=mark)
        .returning(Prize.stock)
    )
    pool = Pool(row.id, row.campaign_id, row.shop_id, stock or 0, mark)
    _hold(session, pool)
    return pool


def sweep(session: Session, pool: Pool) -> int:
    """Remove a range of what is beyond the stock, and return how many there were."""
    _hold(session, pool)
    beyond = (
        select(Voucher.id)
        .where(Voucher.prize_id == pool.prize_id, Voucher.number > pool.stock)
        .limit(RANGE)
    )
    gone = session.execute(delete(Voucher).where(Voucher.id.in_(beyond)))
    return rows_changed(gone)


_ADD = table(Voucher).insert()


def add(session: Session, pool: Pool, codes: Sequence[str], *, after: int) -> None:
    """Bring in a range of codes; `after` is how many of the file came before."""
    _hold(session, pool)
    first = pool.stock + after + 1
    session.connection().execute(
        _ADD,
        [
            {
                "prize_id": pool.prize_id,
                "number": number,
                "code": code,
                "state": "free",
            }
            for number, code in enumerate(codes, first)
        ],
    )


def doubles(session: Session, pool: Pool, *, most: int) -> list[Double]:
    """Return the first codes of this import that the shop has once more.

    A code that stands for two prizes could be redeemed for neither.
    """
    other = aliased(Voucher)
    rows = session.execute(
        select(
            Voucher.number, other.number.label("other"), other.prize_id, Campaign.code
        )
        .join(other, other.code == Voucher.code)
        .join(Prize, Prize.id == other.prize_id)
        .join(Campaign, Campaign.id == Prize.campaign_id)
        .where(
            Voucher.prize_id == pool.prize_id,
            Voucher.number > pool.stock,
            Campaign.shop_id == pool.shop_id,
            (other.prize_id != pool.prize_id) | (other.number < Voucher.number),
        )
        .order_by(Voucher.number, other.id)
        .limit(most)
    )
    return [
        Double(
            number=row.number - pool.stock,
            other=row.other - pool.stock
            if row.prize_id == pool.prize_id and row.other > pool.stock
            else None,
            campaign=row.code,
        )
        for row in rows
    ]


def finish(session: Session, pool: Pool, *, count: int) -> int:
    """Let all that came in count, and return the pool's size."""
    _hold(session, pool)
    size = pool.stock + count
    session.execute(
        update(Prize)
        .where(Prize.id == pool.prize_id)
        .values(stock=size, importing=None)
    )
    return size


def give_up(session: Session, pool: Pool) -> None:
    """Take our mark away, once nothing of the import is left."""
    _hold(session, pool)
    session.execute(
        update(Prize).where(Prize.id == pool.prize_id).values(importing=None)
    )


# The row is locked by the first statement; the second then sees who came before.
_TOUCH = (
    update(Prize)
    .where(Prize.id == bindparam("prize"), Prize.importing == bindparam("mark"))
    .values(importing=bindparam("mark"))
)


def _hold(session: Session, pool: Pool) -> None:
    """Make sure that the pool is still ours, and its campaign still a draft."""
    touched = session.execute(_TOUCH, {"prize": pool.prize_id, "mark": pool.mark})
    if rows_changed(touched) != 1:
        raise TakenOverError
    state = session.scalar(
        select(Campaign.state).where(Campaign.id == pool.campaign_id)
    )
    if state != "draft":
        raise PublishedError
