"""Advertising audiences: who may be named to a platform, and who no longer (AD-04).

Whoever was named once is kept until a file named them for removal: a no, a right or an
erasure reaches the platform by the next export.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session

from server.domain.audience import NEEDED, PLATFORMS, Platform, Use, hashed, may_be_in
from server.domain.campaign import Campaign as CampaignFile
from server.domain.consent import ENDS, Act
from server.domain.parts import Fault
from server.domain.seals import NONCE_BYTES, SealError, Vault
from server.models.audience import AudienceMember
from server.models.base import inserting, table
from server.models.campaign import Campaign, CampaignVersion
from server.models.consent import ConsentEvent, Standing
from server.models.contact import Contact
from server.models.shop import Shop
from server.services import envelopes
from server.services.contactable import REACHABLE, of_shop_in_order
from server.services.tools import Tools

RANGE = 1_000


@dataclass(frozen=True, slots=True)
class Audience:
    """A platform's audience of a shop, and which purpose allows which use of it."""

    shop_id: int
    platform: Platform
    uses: Mapping[str, Use]


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who may be in an audience today, with what they say yes to."""

    contact_id: int
    hashed: str
    active: frozenset[Use]


@dataclass(frozen=True, slots=True)
class Known:
    """A row of who was named to a platform; `is_due` if it has to be told a removal."""

    id: int
    hashed: str
    may_stay: bool
    is_due: bool


def audience(session: Session, shop_id: int, platform: Platform) -> Audience:
    """Return an audience by what the shop's campaigns ask, or asked once."""
    uses = {
        key: use
        for key, (place, use) in _sharing(session, shop_id).items()
        if place == platform and use is not None
    }
    return Audience(shop_id, platform, uses)


def changed(session: Session, shop_id: int, campaign: CampaignFile) -> list[Fault]:
    """Name each purpose that would share otherwise than under its key before (AD-01).

    Whoever said yes to a newsletter has not said yes to a platform because a newer
    file says so.
    """
    known = _sharing(session, shop_id)
    said = "a consent of this key shared otherwise before; give this one a new key"
    return [
        Fault(f"purposes[{number}]", said, "AD-01")
        for number, purpose in enumerate(campaign.purposes, 1)
        if purpose.key in known
        and known[purpose.key] != (purpose.shares_with, purpose.use)
    ]


def _sharing(
    session: Session, shop_id: int
) -> dict[str, tuple[Platform | None, Use | None]]:
    """Return with whom each purpose of a shop shares, by all that was published."""
    definitions = session.scalars(
        select(CampaignVersion.definition)
        .join(Campaign, Campaign.id == CampaignVersion.campaign_id)
        .where(Campaign.shop_id == shop_id, Campaign.state != "draft")
    )
    return {
        purpose["key"]: (purpose.get("shares_with"), purpose.get("use"))
        for definition in definitions
        for purpose in definition.get("purposes", ())
    }


def members(
    session: Session,
    of: Audience,
    *,
    after: int,
    vault: Vault,
    now: datetime,
    lost: list[int] | None = None,
) -> tuple[list[Member], int | None]:
    """Return a range of who may be in an audience, and after whom the next begins.

    Who cannot be read is left out, and gets into `lost`, by their key.
    """
    told = {
        "shop": of.shop_id,
        "keys": list(of.uses),
        "after": after,
        "moment": now,
        "most": RANGE,
    }
    connection = session.connection()
    rows = connection.execute(_candidates(connection.dialect.name), told).all()
    active = _active(session, of, [row.id for row in rows])
    found = []
    for row in rows:
        if not may_be_in(of.platform, active[row.id]):
            continue
        if email := _email(row, lost, vault=vault):
            found.append(Member(row.id, hashed(of.platform, email), active[row.id]))
    return found, rows[-1].id if len(rows) == RANGE else None


def known(
    session: Session,
    of: Audience,
    *,
    after: int,
    vault: Vault,
    now: datetime,
    lost: list[int] | None = None,
) -> tuple[list[Known], int | None]:
    """Return a range of who was named once, and whether they may still be in it.

    Who was erased, cannot be read, or has another address by now, may not under this
    hash. Where the hash does not open itself, its person is left out and gets into
    `lost`: nobody can tell the platform whom to remove.
    """
    told = {"shop": of.shop_id, "platform": of.platform, "after": after, "most": RANGE}
    rows = session.connection().execute(_KNOWN, told).all()
    people = list({row.contact_id for row in rows})
    emails = {
        row.id: envelopes.shown_email(row, vault=vault)
        for row in session.connection().execute(
            _REACHED, {"shop": of.shop_id, "moment": now, "ids": people}
        )
    }
    active = _active(session, of, people)
    found = []
    for row in rows:
        email = emails.get(row.contact_id)
        try:
            digest = vault.open(row.sealed_hash, about=row.mark).decode()
        except SealError:
            _leave_out(row.contact_id, lost)
            continue
        may_stay = bool(
            email
            and may_be_in(of.platform, active[row.contact_id])
            and hashed(of.platform, email) == digest
        )
        is_due = not may_stay and row.removed_at is None
        found.append(Known(row.id, digest, may_stay, is_due))
    return found, rows[-1].id if len(rows) == RANGE else None


def _email(row: Any, lost: list[int] | None, *, vault: Vault) -> str:
    email = envelopes.shown_email(row, vault=vault)
    if not email:
        _leave_out(row.id, lost)
    return email


def _leave_out(contact_id: int, lost: list[int] | None) -> None:
    envelopes.left_out(contact_id)
    if lost is not None:
        lost.append(contact_id)


def _active(
    session: Session, of: Audience, people: Sequence[int]
) -> dict[int, frozenset[Use]]:
    """Return the uses that have a yes today: a real one, never what is claimed."""
    found: dict[int, set[Use]] = {person: set() for person in people}
    told = {"ids": people, "keys": list(of.uses)}
    for row in session.connection().execute(_YES, told):
        found[row.contact_id].add(of.uses[row.purpose])
    return {person: frozenset(uses) for person, uses in found.items()}


def track(
    session: Session,
    of: Audience,
    some: Iterable[Member],
    *,
    tools: Tools,
    now: datetime,
) -> None:
    """Note who is about to be named, before a file does: so nobody is forgotten."""
    rows = [
        {
            "shop_id": of.shop_id,
            "contact_id": member.contact_id,
            "platform": of.platform,
            **sealed(of.platform, member.hashed, tools=tools),
            "added_at": now,
            "removed_at": None,
        }
        for member in some
    ]
    if rows:
        connection = session.connection()
        connection.execute(_track(connection.dialect.name), rows)


def sealed(platform: str, digest: str, *, tools: Tools) -> dict[str, bytes]:
    """Return the columns that hold the hash of an address."""
    mark = tools.vault.hashed("audience", platform, digest)
    nonce = tools.random(NONCE_BYTES)
    sealed_hash = tools.vault.seal(digest.encode(), nonce=nonce, about=mark)
    return {"mark": mark, "sealed_hash": sealed_hash}


def told(session: Session, removed: Collection[int], *, now: datetime) -> None:
    """Note that a file has named these for removal; of who was erased nothing is left.

    Only after the file is whole: a removal that is told twice harms nobody.
    """
    ids = {"ids": list(removed)}
    session.connection().execute(_FORGET, ids)
    session.connection().execute(_REMOVED, ids | {"moment": now})


@dataclass(frozen=True, slots=True)
class Late:
    """How many people a shop's platform should have been told to remove by now."""

    shop: str
    platform: Platform
    number: int


def late(session: Session, *, since: datetime) -> list[Late]:
    """Return where somebody was named who may not be any more since before a moment.

    They took a yes back, or their data is erased or on hold, and no file named them for
    removal (AD-04).
    """
    found = []
    for shop_id, shop in session.execute(select(Shop.id, Shop.code).order_by(Shop.id)):
        for platform in PLATFORMS:
            uses = audience(session, shop_id, platform).uses
            told = {"shop": shop_id, "platform": platform, "since": since}
            number = session.scalar(_late(platform, uses), told)
            if number:
                found.append(Late(shop, platform, number))
    return found


def _late(platform: Platform, uses: Mapping[str, Use]) -> Select[Any]:
    ended = [
        and_(~_has(keys, _standing.c.act == Act.GIVEN.value), _has(keys, *_ENDED))
        for needed in NEEDED[platform]
        if (keys := [key for key, use in uses.items() if use == needed])
    ]
    return (
        select(func.count())
        .select_from(_member)
        .join(_contact, _contact.c.id == _member.c.contact_id)
        .where(
            _member.c.shop_id == bindparam("shop"),
            _member.c.platform == bindparam("platform"),
            _member.c.removed_at.is_(None),
            or_(
                _contact.c.erased_at <= _SINCE,
                _contact.c.restricted_at <= _SINCE,
                *ended,
            ),
        )
    )


def _has(keys: Collection[str], *conditions: Any) -> Any:
    return (
        select(_standing.c.purpose)
        .join(_event, _event.c.id == _standing.c.event_id)
        .where(
            _standing.c.contact_id == _member.c.contact_id,
            _standing.c.purpose.in_(keys),
            *conditions,
        )
        .correlate(_member)
        .exists()
    )


_contact, _standing = table(Contact), table(Standing)
_event = table(ConsentEvent)
_SINCE: Any = bindparam("since", type_=_event.c.at.type)
_ENDED = _standing.c.act.in_(sorted(ENDS)), _event.c.at <= _SINCE
_member = table(AudienceMember)
_IDS: Any = bindparam("ids", expanding=True)
_GIVEN = (
    _standing.c.act == Act.GIVEN.value,
    _standing.c.purpose.in_(bindparam("keys", expanding=True)),
)
_YES = select(_standing.c.contact_id, _standing.c.purpose).where(
    _standing.c.contact_id.in_(_IDS), *_GIVEN
)
_KNOWN = (
    select(_member)
    .where(
        _member.c.shop_id == bindparam("shop"),
        _member.c.platform == bindparam("platform"),
        _member.c.id > bindparam("after"),
    )
    .order_by(_member.c.id)
    .limit(bindparam("most"))
)
_REACHED = select(_contact.c.id, *envelopes.EMAIL).where(
    _contact.c.shop_id == bindparam("shop"), *REACHABLE, _contact.c.id.in_(_IDS)
)
_FORGET = delete(_member).where(
    _member.c.id.in_(_IDS),
    _member.c.contact_id.in_(
        select(_contact.c.id).where(_contact.c.erased_at.is_not(None))
    ),
)
_REMOVED = (
    update(_member)
    .where(_member.c.id.in_(_IDS), _member.c.removed_at.is_(None))
    .values(removed_at=bindparam("moment"))
)


@cache
def _candidates(dialect: str) -> Any:
    return (
        select(_contact.c.id, *envelopes.EMAIL)
        .where(
            of_shop_in_order(dialect),
            *REACHABLE,
            _contact.c.id > bindparam("after"),
            select(_standing.c.purpose)
            .where(_standing.c.contact_id == _contact.c.id, *_GIVEN)
            .exists(),
        )
        .order_by(_contact.c.id)
        .limit(bindparam("most"))
    )


@cache
def _track(dialect: str) -> Any:
    insert = inserting(dialect)(_member)
    return insert.on_conflict_do_update(
        index_elements=["contact_id", "platform", "mark"],
        set_={"removed_at": None},
    )
