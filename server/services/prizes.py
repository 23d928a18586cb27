"""A campaign's prizes as rows: the units of a limited one exist before it opens."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, literal_column, select
from sqlalchemy.orm import Session

from server.domain import codes
from server.domain.campaign import Campaign, Prize
from server.domain.parts import Fault
from server.models.campaign import Campaign as CampaignRow
from server.models.prize import Prize as PrizeRow
from server.models.voucher import Voucher
from server.services.tools import Chance


@dataclass(frozen=True, slots=True)
class Kept:
    """How many codes a prize has by now, and whether more are still coming in."""

    size: int
    is_importing: bool


def pools(session: Session, campaign_id: int, before: Campaign) -> dict[str, Kept]:
    """Return what is kept of each pool there was, and let no import change it now.

    Units of another prize are no imported codes, also if it is to become a pool.
    """
    rows = session.execute(
        select(PrizeRow.key, PrizeRow.stock, PrizeRow.importing)
        .where(PrizeRow.campaign_id == campaign_id)
        .with_for_update()
    )
    were = {prize.key for prize in before.prizes if prize.pool}
    return {
        row.key: Kept(row.stock or 0, row.importing is not None)
        for row in rows
        if row.key in were
    }


def as_imported(
    session: Session, code: str, campaign: Campaign
) -> tuple[Campaign, list[Fault]]:
    """Return the campaign with as many codes in its pools as there are by now.

    And why some of these cannot be played for yet, which only a draft's can be.
    """
    rows = session.execute(
        select(PrizeRow.key, PrizeRow.stock, PrizeRow.importing)
        .join(CampaignRow, CampaignRow.id == PrizeRow.campaign_id)
        .where(CampaignRow.code == code)
    )
    kept = {
        row.key: Kept(row.stock or 0, row.importing is not None)
        for row in rows
        if campaign.prize(row.key).pool
    }
    uncounted = tuple(
        prize.model_copy(update={"stock": None}) if prize.pool else prize
        for prize in campaign.prizes
    )
    found = counted(campaign.model_copy(update={"prizes": uncounted}), kept)
    return found, pool_faults(found, kept)


def next_units(session: Session, campaign_id: int) -> dict[str, int | None]:
    """Return the next free unit of each limited prize; None where none is left."""
    number = (
        select(func.min(Voucher.number))
        # Written out, because an index of some rows is only used for its words.
        .where(
            Voucher.prize_id == PrizeRow.id, Voucher.state == literal_column("'free'")
        )
        .scalar_subquery()
        .label("unit")
    )
    rows = session.execute(
        select(PrizeRow.key, number).where(
            PrizeRow.campaign_id == campaign_id, PrizeRow.stock.is_not(None)
        )
    )
    return {row.key: row.unit for row in rows}


def counted(campaign: Campaign, pools: Mapping[str, Kept]) -> Campaign:
    """Return the campaign with its pools' sizes as their stock, where none is said."""
    prizes = tuple(
        prize.model_copy(update={"stock": _size(prize, pools)})
        if prize.pool and prize.stock is None
        else prize
        for prize in campaign.prizes
    )
    return campaign.model_copy(update={"prizes": prizes})


def _size(prize: Prize, pools: Mapping[str, Kept]) -> int:
    kept = pools.get(prize.key)
    return kept.size if kept else 0


def pool_faults(campaign: Campaign, pools: Mapping[str, Kept]) -> list[Fault]:
    """Return why a pool cannot be played for: what is promised must be there."""
    return [
        Fault(f"prizes[{number}].pool", what, "PZ-04")
        for number, prize in enumerate(campaign.prizes, 1)
        if prize.pool and (what := _lacks(prize, pools))
    ]


def _lacks(prize: Prize, pools: Mapping[str, Kept]) -> str | None:
    kept = pools.get(prize.key)
    if kept and kept.is_importing:
        return "an import of its codes has not ended; run it again"
    size = _size(prize, pools)
    if size == 0:
        return "it has no codes yet; store the draft, then: prize codes import, or make"
    if prize.stock != size:
        return f"it holds {size} codes and not {prize.stock}; leave `stock` out"
    return None


def stock(
    session: Session,
    campaign_id: int,
    campaign: Campaign,
    *,
    before: Campaign | None,
    random: Chance,
) -> None:
    """Bring the rows of a draft in line with its file; what is the same is left.

    Nobody has won anything of a draft, so nothing hangs on the rows that go.
    """
    known = {prize.key: prize for prize in before.prizes} if before else {}
    rows = {
        row.key: row
        for row in session.scalars(
            select(PrizeRow).where(PrizeRow.campaign_id == campaign_id)
        )
    }
    for prize in campaign.prizes:
        row = rows.pop(prize.key, None)
        if row is not None and _units_of(prize) == _units_of(known.get(prize.key)):
            continue
        if row is not None:
            _clear(session, row)
        _make(session, campaign_id, prize, random=random)
    for row in rows.values():
        _clear(session, row)


def _units_of(prize: Prize | None) -> tuple[object, ...]:
    """Return what decides which vouchers a prize has."""
    if prize is None:
        return ()
    return (prize.pool, None if prize.pool else prize.stock, prize.code)


def _clear(session: Session, row: PrizeRow) -> None:
    session.execute(delete(Voucher).where(Voucher.prize_id == row.id))
    session.delete(row)
    session.flush()


def _make(session: Session, campaign_id: int, prize: Prize, *, random: Chance) -> None:
    """Make a prize and, if it is limited, one voucher for each unit of it."""
    row = PrizeRow(
        campaign_id=campaign_id, key=prize.key, stock=0 if prize.pool else prize.stock
    )
    session.add(row)
    session.flush()
    units = [
        {
            "prize_id": row.id,
            "number": number,
            "code": prize.code or codes.make(random(8)),
            "state": "free",
        }
        for number in range(1, (row.stock or 0) + 1)
    ]
    if units:
        session.execute(insert(Voucher), units)
