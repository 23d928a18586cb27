"""Advertising audiences: who may be named to a platform, and who no longer (AD-04).

Whoever was named once is kept until a file named them for removal: a no, a right or an
erasure reaches the platform by the next export. Address and number are kept apart, each
by the hash that was handed over: what is removed is what was given, whatever has become
of the person since.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session

from server.domain.audience import (
    NEEDED,
    PLATFORMS,
    Identifier,
    Platform,
    Use,
    hashed,
    hashed_phone,
    may_be_in,
    names_phone,
)
from server.domain.campaign import Campaign as CampaignFile
from server.domain.consent import ENDS, Act, told_in
from server.domain.parts import Fault
from server.domain.seals import NONCE_BYTES, SealError, Vault
from server.models.attribute import Attribute
from server.models.audience import AudienceMember
from server.models.base import inserting, table
from server.models.campaign import Campaign, CampaignVersion
from server.models.consent import ConsentEvent, Standing
from server.models.contact import Contact
from server.models.shop import Shop
from server.models.text import Text
from server.services import envelopes
from server.services.contactable import REACHABLE, of_shop_in_order
from server.services.tools import Tools

RANGE = 1_000


@dataclass(frozen=True, slots=True)
class Audience:
    """A platform's audience of a shop, and which purpose allows which use of it.

    A yes to those of `with_phone` covers the phone number too, where its words say so.
    """

    shop_id: int
    platform: Platform
    uses: Mapping[str, Use]
    with_phone: frozenset[str]


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who may be in an audience today, with what they say yes to.

    Without a hash of the address nobody can read who it is.
    """

    contact_id: int
    hashes: Mapping[Identifier, str]
    active: frozenset[Use]


@dataclass(frozen=True, slots=True)
class Yes:
    """What somebody says yes to today, and whether that covers a phone number."""

    active: frozenset[Use] = frozenset()
    covers_phone: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """A hash that was named to a platform; `is_due` if it has to be told a removal."""

    id: int
    kind: Identifier
    hashed: str
    may_stay: bool
    is_due: bool


def audience(session: Session, shop_id: int, platform: Platform) -> Audience:
    """Return an audience by what the shop's campaigns ask, or asked once."""
    sharing = {
        key: each
        for key, each in _sharing(session, shop_id).items()
        if each.platform == platform
    }
    uses = {key: each.use for key, each in sharing.items() if each.use is not None}
    with_phone = {
        key
        for key, each in sharing.items()
        if each.use == "upload" and "phone" in each.identifiers
    }
    return Audience(shop_id, platform, uses, frozenset(with_phone))


def changed(session: Session, shop_id: int, campaign: CampaignFile) -> list[Fault]:
    """Name each purpose that would share otherwise than under its key before (AD-01).

    Whoever said yes to a newsletter has not said yes to a platform because a newer
    file says so; and who let a hash of their address go has not let their number go.
    """
    known = _sharing(session, shop_id)
    said = "a consent of this key shared otherwise before; give this one a new key"
    return [
        Fault(f"purposes[{number}]", said, "AD-01")
        for number, purpose in enumerate(campaign.purposes, 1)
        if purpose.key in known
        and known[purpose.key]
        != Sharing(purpose.shares_with, purpose.use, frozenset(purpose.shares))
    ]


@dataclass(frozen=True, slots=True)
class Sharing:
    """With whom a purpose shares what, and for which use; by most, with nobody."""

    platform: Platform | None
    use: Use | None
    identifiers: frozenset[Identifier]


def _sharing(session: Session, shop_id: int) -> dict[str, Sharing]:
    """Return how each purpose of a shop shares, by all that was published.

    What a draft said before it was published was never asked: the newest counts.
    """
    definitions = session.scalars(
        select(CampaignVersion.definition)
        .join(Campaign, Campaign.id == CampaignVersion.campaign_id)
        .where(Campaign.shop_id == shop_id, Campaign.state != "draft")
        .order_by(CampaignVersion.campaign_id, CampaignVersion.number)
    )
    return {
        purpose["key"]: Sharing(
            purpose.get("shares_with"),
            purpose.get("use"),
            frozenset(purpose.get("shares", ("email",))),
        )
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
    found = []
    for member in _allowed(session, of, rows, vault=vault):
        if member.hashes:
            found.append(member)
        else:
            _leave_out(member.contact_id, lost)
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

    Who was erased, cannot be read, or has another address or number by now, may not
    under this hash; nor by a number that no yes covers any more. Where the hash does
    not open itself, its person is left out and gets into `lost`: nobody can tell the
    platform whom to remove.
    """
    told = {"shop": of.shop_id, "platform": of.platform, "after": after, "most": RANGE}
    rows = session.connection().execute(_KNOWN, told).all()
    people = list({row.contact_id for row in rows})
    reached = session.connection().execute(
        _REACHED, {"shop": of.shop_id, "moment": now, "ids": people}
    )
    hashes = {
        member.contact_id: member.hashes
        for member in _allowed(session, of, reached.all(), vault=vault)
    }
    found = []
    for row in rows:
        try:
            digest = vault.open(row.sealed_hash, about=row.mark).decode()
        except SealError:
            _leave_out(row.contact_id, lost)
            continue
        may_stay = hashes.get(row.contact_id, {}).get(row.kind) == digest
        is_due = not may_stay and row.removed_at is None
        found.append(Known(row.id, row.kind, digest, may_stay, is_due))
    return found, rows[-1].id if len(rows) == RANGE else None


def _allowed(
    session: Session, of: Audience, people: Sequence[Any], *, vault: Vault
) -> list[Member]:
    """Return those of some people who may be in an audience, and under which hashes.

    The one place that says so, to whoever adds and to whoever removes.
    """
    says = _said_yes(session, of, [row.id for row in people])
    allowed = [row for row in people if may_be_in(of.platform, says[row.id].active)]
    numbers = _numbers(
        session, [row.id for row in allowed if says[row.id].covers_phone]
    )
    return [
        Member(
            row.id,
            _hashes(of.platform, row, numbers.get(row.id), vault=vault),
            says[row.id].active,
        )
        for row in allowed
    ]


def _hashes(
    platform: Platform, row: Any, number: Any, *, vault: Vault
) -> dict[Identifier, str]:
    """Return by what a platform knows somebody; nothing where it does not open."""
    try:
        if not (email := envelopes.email_of(row, vault=vault)):
            return {}
        found: dict[Identifier, str] = {"email": hashed(platform, email)}
        if number is not None:
            key = envelopes.key_of(row, vault=vault)
            told = envelopes.value_of(number, key, subject_ref=row.subject_ref)
            found["phone"] = hashed_phone(platform, told)
    except SealError:
        return {}
    return found


def _numbers(session: Session, people: Sequence[int]) -> dict[int, Any]:
    """Return the sealed phone number of each, the one told last of several."""
    if not people:
        return {}
    rows = session.connection().execute(_NUMBERS, {"ids": people})
    return {row.contact_id: row for row in rows}


def _leave_out(contact_id: int, lost: list[int] | None) -> None:
    envelopes.left_out(contact_id)
    if lost is not None:
        lost.append(contact_id)


def _said_yes(session: Session, of: Audience, people: Sequence[int]) -> dict[int, Yes]:
    """Return what has a yes today: a real one, never what is claimed."""
    found = dict.fromkeys(people, Yes())
    told = {"ids": people, "keys": list(of.uses)}
    rows = session.connection().execute(_YES, told).all()
    naming = _naming_phone(
        session, {row.text_hash for row in rows if row.purpose in of.with_phone}
    )
    for row in rows:
        before = found[row.contact_id]
        found[row.contact_id] = Yes(
            before.active | {of.uses[row.purpose]},
            before.covers_phone
            or (row.purpose in of.with_phone and row.text_hash in naming),
        )
    return found


def _naming_phone(session: Session, texts: Collection[bytes]) -> set[bytes]:
    """Return which of these wordings name a phone number (AD-03).

    Those of our forms do, or they were not published. What was said yes to elsewhere
    and brought in under such a purpose may have named an address alone.
    """
    if not texts:
        return set()
    rows = session.connection().execute(_WORDS, {"texts": list(texts)})
    return {
        row.sha256 for row in rows if names_phone(told_in(row.body).ask or row.body)
    }


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
            "kind": kind,
            **sealed(of.platform, digest, tools=tools),
            "added_at": now,
            "removed_at": None,
        }
        for member in some
        for kind, digest in member.hashes.items()
    ]
    if rows:
        connection = session.connection()
        connection.execute(_track(connection.dialect.name), rows)


def sealed(platform: str, digest: str, *, tools: Tools) -> dict[str, bytes]:
    """Return the columns that hold the hash of an address or a number."""
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
            of = audience(session, shop_id, platform)
            told = {"shop": shop_id, "platform": platform, "since": since}
            number = session.scalar(_late(of), told)
            if number:
                found.append(Late(shop, platform, number))
    return found


def _late(of: Audience) -> Select[Any]:
    ended = [
        _has_ended(keys)
        for needed in NEEDED[of.platform]
        if (keys := [key for key, use in of.uses.items() if use == needed])
    ]
    # A number also goes when the yes that covered it ends, or the one it was told for.
    number = _has_ended(of.with_phone) | and_(~_HAS_NUMBER, _has(None, *_ENDED))
    return (
        select(func.count(_member.c.contact_id.distinct()))
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
                and_(_member.c.kind == "phone", number),
            ),
        )
    )


def _has_ended(keys: Collection[str]) -> Any:
    return and_(~_has(keys, _standing.c.act == Act.GIVEN.value), _has(keys, *_ENDED))


def _has(keys: Collection[str] | None, *conditions: Any) -> Any:
    """Say that a member has a standing of one of these purposes; None for any."""
    among = () if keys is None else (_standing.c.purpose.in_(keys),)
    return (
        select(_standing.c.purpose)
        .join(_event, _event.c.id == _standing.c.event_id)
        .where(
            _standing.c.contact_id == _member.c.contact_id,
            *among,
            *conditions,
        )
        .correlate(_member)
        .exists()
    )


_contact, _standing = table(Contact), table(Standing)
_event, _attribute = table(ConsentEvent), table(Attribute)
_text = table(Text)
_SINCE: Any = bindparam("since", type_=_event.c.at.type)
_ENDED = _standing.c.act.in_(sorted(ENDS)), _event.c.at <= _SINCE
_member = table(AudienceMember)
_IDS: Any = bindparam("ids", expanding=True)
_GIVEN = (
    _standing.c.act == Act.GIVEN.value,
    _standing.c.purpose.in_(bindparam("keys", expanding=True)),
)
_YES = select(_standing.c.contact_id, _standing.c.purpose, _standing.c.text_hash).where(
    _standing.c.contact_id.in_(_IDS), *_GIVEN
)
_WORDS = select(_text.c.sha256, _text.c.body).where(
    _text.c.sha256.in_(bindparam("texts", expanding=True))
)
_NUMBERS = (
    select(_attribute.c.contact_id, _attribute.c.key, _attribute.c.sealed_value)
    .where(_attribute.c.contact_id.in_(_IDS), _attribute.c.kind == "phone")
    .order_by(_attribute.c.at, _attribute.c.key)
)
_HAS_NUMBER = (
    select(_attribute.c.key)
    .where(
        _attribute.c.contact_id == _member.c.contact_id, _attribute.c.kind == "phone"
    )
    .correlate(_member)
    .exists()
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
