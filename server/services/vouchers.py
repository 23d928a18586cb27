"""What staff does with a voucher: find it, redeem it once, take it back, see its life.

What two tills race for is taken by one guarded UPDATE; its row count decides, and
who comes second is told the time and place of the first (PZ-04).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from server.domain import voucher as rules
from server.domain.campaign import Prize as PrizeFile
from server.domain.campaign import worth
from server.domain.parts import Locale
from server.domain.voucher import Happened, Moments, State, Step, Verdict
from server.models.base import rows_changed
from server.models.campaign import Campaign
from server.models.entry import Entry
from server.models.prize import Prize
from server.models.purchase import Purchase
from server.models.voucher import Voucher, VoucherStep
from server.services.campaigns import Directory


@dataclass(frozen=True, slots=True)
class Held:
    """A voucher that somebody has won, as staff and winner need it."""

    id: int
    code: str
    state: State
    prize: PrizeFile
    campaign: str
    names: dict[Locale, str]
    awarded_at: datetime
    valid_until: datetime | None
    redeemed_at: datetime | None
    redeemed_by: str | None
    place: str | None
    # How much money it is, in cents; None where it is none.
    cents: int | None
    # By what the order is known that it pays back.
    order_hash: bytes | None

    @property
    def is_shared(self) -> bool:
        """Return whether everybody who wins this prize gets the same code."""
        return self.prize.code is not None


@dataclass(frozen=True, slots=True)
class Redemption:
    """What a try to redeem came to. `held` is None where the code is not known."""

    verdict: Verdict
    held: Held | None
    # Whether it was this try that did it, and none before.
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class By:
    """Who acts on a voucher, and where; the place is told to whoever comes second."""

    who: str
    place: str | None = None


def find(
    session: Session, shop_id: int, typed: str, *, directory: Directory, now: datetime
) -> Held | None:
    """Return the voucher of this shop that a typed code stands for.

    None for a code that nobody has won yet: it must not be told from a made-up one.
    """
    rows = {}
    for spelling in rules.spellings(typed):
        query = _HELD.where(Campaign.shop_id == shop_id, Voucher.code == spelling)
        # Everybody may have the same one, so the first is as good as any.
        row = session.execute(query.order_by(Voucher.id).limit(1)).one_or_none()
        if row is not None:
            rows[spelling] = row
            break
    if not rows:
        return None
    (row,) = rows.values()
    return _held(session, row, directory=directory, now=now)


def of_entry(
    session: Session, entry_id: int, *, directory: Directory, now: datetime
) -> Held | None:
    """Return what an entry has won, if it was handed over."""
    row = session.execute(_HELD.where(Voucher.entry_id == entry_id)).one_or_none()
    return row and _held(session, row, directory=directory, now=now)


_HELD = (
    select(
        Voucher.id,
        Voucher.code,
        Voucher.state,
        Voucher.awarded_at,
        Voucher.valid_until,
        Voucher.redeemed_at,
        Voucher.redeemed_by,
        Voucher.redeemed_place,
        Purchase.amount_cents,
        Purchase.order_hash,
        Prize.key,
        Entry.campaign_id,
        Entry.version,
    )
    .join(Prize, Prize.id == Voucher.prize_id)
    .join(Campaign, Campaign.id == Prize.campaign_id)
    .join(Entry, Entry.id == Voucher.entry_id)
    .outerjoin(Purchase, Purchase.entry_id == Entry.id)
    .where(Voucher.state.in_(rules.GIVEN))
)


def _held(session: Session, row: Any, *, directory: Directory, now: datetime) -> Held:
    campaign = directory.campaign(session, row.campaign_id, row.version)
    prize = campaign.prize(row.key)
    return Held(
        id=row.id,
        code=row.code,
        state=rules.stands(State(row.state), row.valid_until, now=now),
        prize=prize,
        campaign=campaign.code,
        names=campaign.name,
        awarded_at=row.awarded_at,
        valid_until=row.valid_until,
        redeemed_at=row.redeemed_at,
        redeemed_by=row.redeemed_by,
        place=row.redeemed_place,
        cents=worth(prize, row.amount_cents),
        order_hash=row.order_hash,
    )


def redeem(
    session: Session,
    shop_id: int,
    typed: str,
    *,
    by: By,
    directory: Directory,
    now: datetime,
    order_hash: bytes | None = None,
) -> Redemption:
    """Redeem a voucher, once; who comes later is told when and where it was.

    Where it pays an order back, staff has to name that order.
    """
    held = find(session, shop_id, typed, directory=directory, now=now)
    if held is None:
        return Redemption(Verdict.UNKNOWN, None)
    if held.is_shared:
        return Redemption(Verdict.SHARED, held)
    if held.state is State.AWARDED and held.order_hash not in {None, order_hash}:
        return Redemption(Verdict.OTHER_ORDER, held)
    taken = session.execute(
        _REDEEM,
        {"voucher": held.id, "moment": now, "actor": by.who, "place": by.place},
    )
    # Read after the row count: another till may have been faster.
    after = _again(session, held, directory=directory, now=now)
    if rows_changed(taken) == 1:
        return Redemption(Verdict.REDEEMED, after, is_done=True)
    return Redemption(rules.verdict(after.state, is_shared=False), after)


def _again(
    session: Session, held: Held, *, directory: Directory, now: datetime
) -> Held:
    row = session.execute(_HELD.where(Voucher.id == held.id)).one()
    return _held(session, row, directory=directory, now=now)


_IS_OPEN = update(Voucher).where(
    Voucher.id == bindparam("voucher"), Voucher.state == State.AWARDED
)
_REDEEM = _IS_OPEN.where(
    Voucher.valid_until.is_(None) | (Voucher.valid_until > bindparam("moment"))
).values(
    state=State.REDEEMED,
    redeemed_at=bindparam("moment"),
    redeemed_by=bindparam("actor"),
    redeemed_place=bindparam("place"),
)
_REVOKE = _IS_OPEN.values(state=State.REVOKED, revoked_at=bindparam("moment"))


def revoke(
    session: Session,
    shop_id: int,
    typed: str,
    *,
    by: By,
    why: str,
    directory: Directory,
    now: datetime,
) -> Redemption:
    """Take a voucher back before it is used, and keep why.

    Where it is not done, the verdict is what stood in the way.
    """
    held = find(session, shop_id, typed, directory=directory, now=now)
    if held is None:
        return Redemption(Verdict.UNKNOWN, None)
    if held.is_shared:
        return Redemption(Verdict.SHARED, held)
    taken = session.execute(_REVOKE, {"voucher": held.id, "moment": now})
    after = _again(session, held, directory=directory, now=now)
    if rows_changed(taken) == 1:
        note_step(session, held.id, Step.REVOKED, by=by.who, note=why, now=now)
        return Redemption(Verdict.REVOKED, after, is_done=True)
    verdict = rules.verdict(after.state, is_shared=False)
    return Redemption(verdict, after)


def note_step(
    session: Session,
    voucher_id: int,
    step: Step,
    *,
    now: datetime,
    by: str | None = None,
    note: str | None = None,
) -> None:
    """Keep one of the rarer steps."""
    session.execute(
        insert(VoucherStep),
        {"voucher_id": voucher_id, "step": step, "at": now, "by": by, "note": note},
    )


def note_released(
    session: Session, voucher_ids: Iterable[int], *, now: datetime
) -> None:
    """Keep that nobody claimed these, so that they can be won again."""
    for voucher_id in voucher_ids:
        note_step(session, voucher_id, Step.RELEASED, now=now)


def history(session: Session, voucher_id: int) -> list[Happened]:
    """Return a voucher's life: the moments of entry and voucher, and its steps.

    Who held its unit before and did not claim it is told by their entries, which stay.
    """
    row = session.execute(
        select(Voucher, Entry, Prize.key)
        .join(Entry, Entry.id == Voucher.entry_id)
        .join(Prize, Prize.id == Voucher.prize_id)
        .where(Voucher.id == voucher_id)
    ).one()
    voucher, holder, key = row
    played_at = holder.played_at
    waited = voucher.awarded_at is None or played_at < voucher.awarded_at
    kept = session.scalars(
        select(VoucherStep)
        .where(VoucherStep.voucher_id == voucher_id)
        .order_by(VoucherStep.id)
    ).all()
    released = [one.at for one in kept if one.step == Step.RELEASED]
    # Its number is gone if its unit went back into the game after it was mailed.
    unit = holder.unit if voucher.number is None else voucher.number
    before = session.scalars(
        select(Entry.played_at).where(
            Entry.campaign_id == holder.campaign_id,
            Entry.lapsed_at.in_(released),
            Entry.state == "lapsed",
            Entry.awarded == key,
            Entry.unit == unit,
        )
    )
    return rules.history(
        Moments(
            reserved_at=played_at if waited else None,
            awarded_at=voucher.awarded_at,
            mailed_at=voucher.mailed_at,
            redeemed_at=voucher.redeemed_at,
            redeemed_by=voucher.redeemed_by,
            place=voucher.redeemed_place,
        ),
        [
            *(Happened(Step.RESERVED, at) for at in before),
            *(Happened(Step(one.step), one.at, one.by, one.note) for one in kept),
        ],
    )


@dataclass(frozen=True, slots=True)
class Balance:
    """Where the units of a prize are. `stock` is None where it never runs out."""

    key: str
    stock: int | None
    counts: dict[State, int]
    # Units that came back keep their old voucher, which has lapsed, beside a new one.
    returned: int
    # Whether codes are coming in that count once all of them are there.
    is_importing: bool = False

    @property
    def missing(self) -> int:
        """Return how many units are nowhere; anything but 0 is a fault of ours."""
        if self.stock is None:
            return 0
        return self.stock + self.returned - sum(self.counts.values())


def balance(session: Session, code: str) -> list[Balance] | None:
    """Return for each prize of a campaign where its units are (PZ-04)."""
    campaign_id = session.scalar(select(Campaign.id).where(Campaign.code == code))
    if campaign_id is None:
        return None
    prizes = session.scalars(
        select(Prize).where(Prize.campaign_id == campaign_id).order_by(Prize.id)
    ).all()
    rows = session.execute(
        select(
            Voucher.prize_id,
            Voucher.state,
            Voucher.number.is_(None).label("is_loose"),
            func.count().label("many"),
        )
        .join(Prize, Prize.id == Voucher.prize_id)
        .where(
            Prize.id.in_([prize.id for prize in prizes]),
            # Those beyond the stock of a pool are still coming in.
            Prize.importing.is_(None)
            | Voucher.number.is_(None)
            | (Voucher.number <= Prize.stock),
        )
        .group_by(Voucher.prize_id, Voucher.state, Voucher.number.is_(None))
    ).all()
    found = []
    for prize in prizes:
        counts, returned = Counter[State](), 0
        for row in rows:
            if row.prize_id == prize.id:
                counts[State(row.state)] += row.many
                returned += row.many if row.is_loose else 0
        is_importing = prize.importing is not None
        found.append(Balance(prize.key, prize.stock, counts, returned, is_importing))
    return found
