"""Bring a pool of codes in: all of a file, or nothing of it.

A million rows in one transaction would keep every visitor waiting, so they come in
ranges. Until the end they are beyond the prize's stock and its row carries the mark of
the import: no campaign is published then, and the next import sweeps away what one
that died has left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from server.domain.voucher import read_as
from server.models.base import rows_changed, table
from server.models.campaign import Campaign
from server.models.prize import Prize
from server.models.voucher import Voucher
from server.services import campaigns, shared_codes
from server.services.tools import Chance

RANGE = 5_000
MARK_BYTES = 16


class NoPoolError(Exception):
    """This campaign has no prize of that key whose codes are imported."""


class PublishedError(Exception):
    """What was published is fixed: its stock is part of the odds (PZ-09)."""


class TakenOverError(Exception):
    """Another import of the same pool has begun; this one must store nothing."""


class SharedMeanwhileError(Exception):
    """A shop made other codes shared since they were compared with an import's."""


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


def shared_now(session: Session, pool: Pool) -> dict[str, str]:
    """Return the codes that everybody gets who wins a prize of the shop, and where.

    To be asked once all codes are in; `finish` tells whether it is so still.
    """
    shared_codes.hold(session, pool.shop_id)
    return shared_codes.of_shop(session, pool.shop_id)


def doubles(
    session: Session, pool: Pool, *, shared: Mapping[str, str], most: int
) -> list[Double]:
    """Return the first codes of this import that the shop has once more, each once.

    A code that stands for two prizes could be redeemed for neither. `shared` is what
    `shared_now` returned.
    """
    found: dict[int, Double] = {}
    for one in (
        *_again(session, pool, most=most),
        *_elsewhere(session, pool, most=most),
        *_shared(session, pool, shared, most=most),
    ):
        found.setdefault(one.number, one)
    return [found[number] for number in sorted(found)][:most]


# A till takes small letters for capitals, so what differs in case alone is one code.
_CODE = func.upper(Voucher.code)
_REPEATED = select(_CODE).group_by(_CODE).having(func.count() > 1)


def _again(session: Session, pool: Pool, *, most: int) -> list[Double]:
    """Return what the pool has before. Pairs would be the square of equal lines."""
    first = (
        func.first_value(Voucher.number)
        .over(partition_by=_CODE, order_by=Voucher.number)
        .label("first")
    )
    rows = (
        select(Voucher.number, first)
        .where(Voucher.prize_id == pool.prize_id, _CODE.in_(_REPEATED))
        .subquery()
    )
    again = session.execute(
        select(rows.c.number, rows.c.first, Campaign.code)
        .join(Campaign, Campaign.id == pool.campaign_id)
        .where(rows.c.number > pool.stock, rows.c.first < rows.c.number)
        .order_by(rows.c.number)
        .limit(most)
    )
    return [
        Double(
            number=row.number - pool.stock,
            other=row.first - pool.stock if row.first > pool.stock else None,
            campaign=row.code,
        )
        for row in again
    ]


def _elsewhere(session: Session, pool: Pool, *, most: int) -> list[Double]:
    """Return what other prizes of the shop have; of equal lines the first counts."""
    ours = (
        select(func.min(Voucher.number).label("number"), _CODE.label("code"))
        .where(
            Voucher.prize_id == pool.prize_id,
            Voucher.number > pool.stock,
            _CODE.in_(_REPEATED),
        )
        .group_by(_CODE)
        .subquery()
    )
    # Grouped as well: no index has them, and each would be looked for among all others.
    theirs = (
        select(func.min(Campaign.code).label("campaign"), _CODE.label("code"))
        .join(Prize, Prize.id == Voucher.prize_id)
        .join(Campaign, Campaign.id == Prize.campaign_id)
        .where(
            Campaign.shop_id == pool.shop_id,
            Prize.id != pool.prize_id,
            _CODE.in_(_REPEATED),
        )
        .group_by(_CODE)
        .subquery()
    )
    rows = session.execute(
        select(ours.c.number, theirs.c.campaign)
        .join(theirs, theirs.c.code == ours.c.code)
        .order_by(ours.c.number)
        .limit(most)
    )
    return [Double(row.number - pool.stock, None, row.campaign) for row in rows]


def _shared(
    session: Session, pool: Pool, shared: Mapping[str, str], *, most: int
) -> list[Double]:
    rows = shared_codes.alike(
        session,
        select(Voucher.number, Voucher.code)
        .where(Voucher.prize_id == pool.prize_id, Voucher.number > pool.stock)
        .order_by(Voucher.number),
        shared,
    )
    return [
        Double(row.number - pool.stock, None, shared[read_as(row.code)])
        for row in islice(rows, most)
    ]


def finish(
    session: Session, pool: Pool, *, count: int, shared: Mapping[str, str]
) -> int:
    """Let all that came in count, and return the pool's size.

    `shared` is what it was compared with. Raises `SharedMeanwhileError`.
    """
    # First the shop's row, as who saves a campaign does.
    if shared_now(session, pool) != shared:
        raise SharedMeanwhileError
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
