"""What a shop knows of its people, as far as it decides how long they are kept (DS-04).

Read in ranges of people, each in a look of its own: one long look at a million of them
would hold the log of a database back. Neither addresses nor keys are read.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from server.domain import optin as optins
from server.domain.consent import LASTING, Act
from server.domain.raffle import Place
from server.domain.retention import Held, Known, Played, sold_at
from server.domain.shop import Retention
from server.models.campaign import Campaign
from server.models.consent import ConsentEvent, ConsentQuestion, Standing
from server.models.contact import Contact
from server.models.entry import Entry
from server.models.optin import OptIn
from server.models.raffle import Raffle, RafflePlace
from server.models.rights import RightsRequest
from server.models.shop import Shop
from server.models.voucher import Voucher
from server.services.campaigns import Directory

AT_ONCE = 200
# What a person does themselves, and by which ways it was not them after all.
OWN_ACTS = (
    *(Act.REQUESTED, Act.DECLINED, Act.GIVEN, Act.WITHDRAWN, Act.OBJECTED),
    *(Act.REFUSED, Act.OBJECTION_ENDED, Act.ACCESSED, Act.RECTIFIED, Act.CORRECTED),
)
OTHERS_WAYS = ("import", "clock", "office", "retention", "smtp")


@dataclass(frozen=True, slots=True)
class Someone:
    """A person of a shop, what is known of them, and the terms of the shop."""

    id: int
    shop_id: int
    known: Known
    terms: Retention


@dataclass(frozen=True, slots=True)
class _Told:
    """Rows about some people, by the person."""

    held: dict[int, list[Held]]
    pending: dict[int, datetime]
    entries: dict[int, list[Played]]
    played: dict[int, datetime]
    won: dict[int, datetime]
    vouchers: dict[int, datetime]
    requests: set[int]
    alive: dict[int, datetime]
    given: dict[int, set[str]]


def after(
    session: Session,
    contact_id: int,
    *,
    shop_id: int | None,
    directory: Directory,
    most: int = AT_ONCE,
) -> list[Someone]:
    """Return the people next to this one, of one shop or of all; none at the end."""
    wanted = _PEOPLE.where(Contact.id > contact_id).order_by(Contact.id).limit(most)
    if shop_id is not None:
        wanted = wanted.where(Contact.shop_id == shop_id)
    return _known(session, wanted, directory)


def one(session: Session, contact_id: int, *, directory: Directory) -> Someone | None:
    """Return one person as they are known at this moment; None if they were erased."""
    found = _known(session, _PEOPLE.where(Contact.id == contact_id), directory)
    return next(iter(found), None)


def number(session: Session, shop_id: int | None) -> int:
    """Return how many people there are."""
    wanted = select(func.count()).where(Contact.erased_at.is_(None))
    if shop_id is not None:
        wanted = wanted.where(Contact.shop_id == shop_id)
    return session.scalar(wanted) or 0


_PEOPLE = (
    select(
        Contact.id,
        Contact.shop_id,
        Contact.created_at,
        Contact.seen_at,
        Contact.restricted_at,
        Shop.version.label("shop_version"),
    )
    .join(Shop, Shop.id == Contact.shop_id)
    .where(Contact.erased_at.is_(None))
)


def _known(session: Session, wanted: Any, directory: Directory) -> list[Someone]:
    rows = session.execute(wanted).all()
    if not rows:
        return []
    told = _told(session, rows, directory)
    return [
        Someone(
            row.id,
            row.shop_id,
            _of(row, told),
            directory.shop(session, row.shop_id, row.shop_version).retention,
        )
        for row in rows
    ]


def _of(row: Any, told: _Told) -> Known:
    signs = (told.alive.get(row.id), told.played.get(row.id))
    return Known(
        created_at=row.created_at,
        alive_at=max([row.seen_at, *(at for at in signs if at)]),
        held=tuple(told.held[row.id]),
        ever_given=frozenset(told.given[row.id]),
        pending_until=told.pending.get(row.id),
        entries=tuple(told.entries[row.id]),
        won_at=told.won.get(row.id),
        voucher_until=told.vouchers.get(row.id),
        is_restricted=row.restricted_at is not None,
        has_request=row.id in told.requests,
    )


def _told(session: Session, people: Sequence[Any], directory: Directory) -> _Told:
    ids = [row.id for row in people]
    entries, played, raffled = _entries(session, ids, directory)
    won, vouchers = _vouchers(session, ids)
    for person, at in raffled.items():
        won[person] = max(at, won.get(person, at))
    alive, given = _facts(session, ids)
    return _Told(
        held=_held(session, ids),
        pending={row.person: row.until for row in session.execute(_pending(ids))},
        entries=entries,
        played=played,
        won=won,
        vouchers=vouchers,
        requests=set(session.scalars(_requests(ids))),
        alive=alive,
        given=given,
    )


def _held(session: Session, ids: Iterable[int]) -> dict[int, list[Held]]:
    found: dict[int, list[Held]] = defaultdict(list)
    rows = session.execute(
        select(
            Standing.contact_id,
            Standing.purpose,
            Standing.act,
            ConsentEvent.at,
            ConsentQuestion.context,
        )
        .join(ConsentEvent, ConsentEvent.id == Standing.event_id)
        .join(ConsentEvent.question)
        .where(Standing.contact_id.in_(ids))
    )
    for row in rows:
        found[row.contact_id].append(
            Held(row.purpose, Act(row.act), row.at, sold_at(row.context))
        )
    return found


def _pending(ids: Iterable[int]) -> Any:
    unsettled = (*optins.OPEN, optins.State.EXPIRED)
    return (
        select(
            OptIn.contact_id.label("person"), func.max(OptIn.expires_at).label("until")
        )
        .where(OptIn.contact_id.in_(ids), OptIn.state.in_(unsettled))
        .group_by(OptIn.contact_id)
    )


def _requests(ids: Iterable[int]) -> Any:
    return select(RightsRequest.contact_id).where(
        RightsRequest.contact_id.in_(ids), RightsRequest.settled_at.is_(None)
    )


def _entries(
    session: Session, ids: Iterable[int], directory: Directory
) -> tuple[dict[int, list[Played]], dict[int, datetime], dict[int, datetime]]:
    """Return what people took part in, when they last did, and when they won later."""
    rows = session.execute(
        select(
            Entry.contact_id,
            Campaign.id,
            Campaign.version,
            Campaign.closes_at,
            func.max(func.coalesce(Entry.claimed_at, Entry.played_at)).label("at"),
        )
        .join(Campaign, Campaign.id == Entry.campaign_id)
        .where(Entry.contact_id.in_(ids))
        .group_by(Entry.contact_id, Campaign.id, Campaign.version, Campaign.closes_at)
    ).all()
    drawn = _drawn(session, {row.id for row in rows})
    waiting, won = _places(session, ids)
    entries: dict[int, list[Played]] = defaultdict(list)
    played: dict[int, datetime] = {}
    for row in rows:
        is_open = row.contact_id in waiting or None in drawn.get(row.id, ())
        moments = [row.closes_at, *(at for at in drawn.get(row.id, ()) if at)]
        campaign = directory.campaign(session, row.id, row.version)
        entries[row.contact_id].append(
            Played(None if is_open else max(moments), is_bare=campaign.needs_yes)
        )
        played[row.contact_id] = max(row.at, played.get(row.contact_id, row.at))
    return entries, played, won


def _drawn(
    session: Session, campaign_ids: Iterable[int]
) -> dict[int, list[datetime | None]]:
    """Return when each raffle of these campaigns was drawn; None for one to come."""
    found: dict[int, list[datetime | None]] = defaultdict(list)
    rows = session.execute(
        select(Raffle.campaign_id, Raffle.drawn_at).where(
            Raffle.campaign_id.in_(campaign_ids)
        )
    )
    for row in rows:
        found[row.campaign_id].append(row.drawn_at)
    return found


def _places(
    session: Session, ids: Iterable[int]
) -> tuple[set[int], dict[int, datetime]]:
    """Return whose prize of a raffle waits for them, and when others took theirs."""
    rows = session.execute(
        select(
            Entry.contact_id.label("person"),
            RafflePlace.state,
            func.max(RafflePlace.claimed_at).label("at"),
        )
        .join(Entry, Entry.id == RafflePlace.entry_id)
        .where(
            Entry.contact_id.in_(ids),
            RafflePlace.state.in_((Place.OFFERED, Place.CLAIMED)),
        )
        .group_by(Entry.contact_id, RafflePlace.state)
    ).all()
    waiting = {row.person for row in rows if row.state == Place.OFFERED}
    return waiting, {row.person: row.at for row in rows if row.state == Place.CLAIMED}


def _vouchers(
    session: Session, ids: Iterable[int]
) -> tuple[dict[int, datetime], dict[int, datetime]]:
    """Return when each last won, and until when a code of theirs can still be used."""
    unused = and_(Voucher.state == "awarded", Voucher.valid_until.is_not(None))
    rows = session.execute(
        select(
            Entry.contact_id.label("person"),
            func.max(Voucher.awarded_at).label("at"),
            func.max(Voucher.valid_until).filter(unused).label("until"),
        )
        .join(Entry, Entry.id == Voucher.entry_id)
        .where(Entry.contact_id.in_(ids), Voucher.awarded_at.is_not(None))
        .group_by(Entry.contact_id)
    ).all()
    return (
        {row.person: row.at for row in rows},
        {row.person: row.until for row in rows if row.until},
    )


def _facts(
    session: Session, ids: Sequence[int]
) -> tuple[dict[int, datetime], dict[int, set[str]]]:
    """Return the last thing each did themselves, and what they ever said yes to."""
    is_own = and_(
        ConsentEvent.act.in_(OWN_ACTS), ConsentEvent.method.not_in(OTHERS_WAYS)
    )
    rows = session.execute(
        select(
            ConsentEvent.contact_id,
            ConsentQuestion.purpose,
            func.max(ConsentEvent.at).filter(is_own).label("alive"),
            func.count().filter(ConsentEvent.act.in_(sorted(LASTING))).label("given"),
        )
        .join(ConsentEvent.question)
        .where(
            ConsentEvent.contact_id.in_(ids),
            or_(is_own, ConsentEvent.act.in_(sorted(LASTING))),
        )
        .group_by(ConsentEvent.contact_id, ConsentQuestion.purpose)
    )
    alive: dict[int, datetime] = {}
    given: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        if row.alive:
            alive[row.contact_id] = max(row.alive, alive.get(row.contact_id, row.alive))
        if row.given:
            given[row.contact_id].add(row.purpose)
    return alive, given
