"""Codes that everybody who wins a prize gets: nothing else may be redeemed by them.

Without a stock their vouchers are made as they are won, so that a code is taken by what
a campaign's file says, a draft's too. Several campaigns may share one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.orm import Session

from server.domain import codes
from server.domain.campaign import Campaign as CampaignFile
from server.domain.parts import Fault
from server.domain.voucher import State, is_ours, read_as
from server.models.campaign import Campaign, CampaignVersion
from server.models.prize import Prize
from server.models.shop import Shop
from server.models.voucher import Voucher


def hold(session: Session, shop_id: int) -> None:
    """Let nobody else of a shop compare codes until this transaction ends.

    What was stored before is then seen by one of two who come at once.
    """
    session.execute(
        select(Shop.id).where(Shop.id == shop_id).with_for_update(key_share=True)
    )


def of_shop(session: Session, shop_id: int) -> dict[str, str]:
    """Return whose each shared code of a shop is: a campaign's code by `read_as`."""
    return {
        read_as(prize["code"]): row.code
        for row in _newest(session, shop_id)
        for prize in row.definition.get("prizes", ())
        if prize.get("code")
    }


def faults(
    session: Session, campaign: CampaignFile, *, shop_id: int, campaign_id: int | None
) -> list[Fault]:
    """Return which of a draft's shared codes are in a pool of its shop already."""
    places = {
        read_as(prize.code): (f"prizes[{number}].code", prize.code)
        for number, prize in enumerate(campaign.prizes, 1)
        if prize.code
    }
    if not places:
        return []
    hold(session, shop_id)
    # What its new file makes no pool any more goes with its codes.
    kept = {prize.key for prize in campaign.prizes if prize.pool}
    found: dict[str, Fault] = {}
    for row in _newest(session, shop_id):
        pools = {prize["key"] for prize in row.definition["prizes"] if prize["pool"]}
        pools &= kept if row.id == campaign_id else pools
        query = (
            select(Voucher.code, Prize.key)
            .join(Prize, Prize.id == Voucher.prize_id)
            .where(Prize.campaign_id == row.id, Prize.key.in_(pools), _IS_IN)
        )
        for unit in alike(session, query, places) if pools else ():
            place, code = places[read_as(unit.code)]
            what = f"{code!r} is a code in the pool {unit.key!r} of {row.code!r}"
            found.setdefault(place, Fault(place, what, "PZ-04"))
    return list(found.values())


# What lies beyond the stock an import is bringing in, or left as it died. One that
# lives sees the shared codes again as it ends.
_IS_IN = Voucher.number <= Prize.stock


@dataclass(frozen=True, slots=True)
class Conflict:
    """A pool with codes that a campaign of its shop gives to everybody: how many."""

    campaign: str
    prize: str
    shared_by: str
    number: int


def conflicts(session: Session) -> list[Conflict]:
    """Return where a code could still be handed over that a till cannot tell apart.

    None is stored any more; what an earlier version let in stays as it was promised.
    """
    found: Counter[tuple[str, str, str]] = Counter()
    for shop_id in session.scalars(select(Shop.id).order_by(Shop.id)):
        shared = of_shop(session, shop_id)
        for row in _newest(session, shop_id) if shared else ():
            pools = {each["key"] for each in row.definition["prizes"] if each["pool"]}
            query = (
                select(Voucher.code, Prize.key)
                .join(Prize, Prize.id == Voucher.prize_id)
                .join(Campaign, Campaign.id == Prize.campaign_id)
                .where(Campaign.id == row.id, Prize.key.in_(pools))
                .where(_IS_IN, _MAY_BE_REDEEMED)
            )
            for unit in alike(session, query, shared) if pools else ():
                found[row.code, unit.key, shared[read_as(unit.code)]] += 1
    return [Conflict(*pool, number) for pool, number in found.items()]


_MAY_BE_REDEEMED = or_(
    Voucher.state == State.AWARDED,
    Voucher.state.in_((State.FREE, State.RESERVED)) & (Campaign.state != "closed"),
)


def alike(
    session: Session, query: Select[*tuple[Any, ...]], shared: Iterable[str]
) -> Iterator[Row[Any]]:
    """Yield the vouchers of a query that would be redeemed by one of these codes.

    The database looks through all of them, so it is asked for no more than it takes:
    only a code of ours is the same with other gaps and look-alikes.
    """
    wanted = set(shared)
    ours = {code for code in wanted if is_ours(code)}
    meant = [func.upper(Voucher.code).in_(wanted - ours)]
    if ours:
        meant.append(_roughly(Voucher.code).in_({_rough(code) for code in ours}))
    rows = session.execute(query.where(or_(*meant)))
    # What looks like ours in the rough may lack its check.
    return (row for row in rows if read_as(row.code) in wanted)


def _rough(code: str) -> str:
    return code.upper().replace("-", "").translate(codes.READ_AS)


def _roughly(code: Any) -> ColumnElement[str]:
    rough: ColumnElement[str] = func.replace(func.upper(code), "-", "")
    for read, meant in codes.READ_AS.items():
        rough = func.replace(rough, chr(read), meant)
    return rough


def _newest(session: Session, shop_id: int) -> list[Row[Any]]:
    return list(
        session.execute(
            select(Campaign.id, Campaign.code, CampaignVersion.definition)
            .join(CampaignVersion, CampaignVersion.campaign_id == Campaign.id)
            .where(
                Campaign.shop_id == shop_id,
                CampaignVersion.number == Campaign.version,
            )
            .order_by(Campaign.id)
        )
    )
