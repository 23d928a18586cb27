"""The links of a mail: make what they point to, and find where one leads."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from server.domain.campaign import Campaign
from server.domain.consent import Act
from server.domain.links import SECRET_BYTES, LinkRef, hash_secret
from server.domain.parts import Locale
from server.domain.seals import Vault
from server.domain.shop import ShopFile
from server.models.base import table
from server.models.consent import ConsentEvent, ConsentQuestion
from server.models.contact import Contact
from server.models.entry import Entry
from server.models.link import Link
from server.models.optin import OptIn
from server.models.shop import Shop
from server.services import contacts, envelopes
from server.services.batch import Writer
from server.services.campaigns import Directory
from server.services.contacts import Person
from server.services.tools import Tools


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for consents, as it stood when its link was looked up."""

    id: int
    entry_id: int
    state: str
    purposes: tuple[str, ...]
    requested_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a mailed link leads to, as its pages and letters need it.

    Somebody who was imported took part in nothing: `played` and `played_in` are None.
    """

    link_id: int
    optin: Asked | None
    who: Person
    shop: ShopFile
    played_in: Campaign | None
    locale: Locale
    played: int | None
    # Mailed to an address that its person has given up since.
    is_outdated: bool
    # Since when their data is not used (GDPR 18), if it is so.
    held_since: datetime | None

    @property
    def campaign(self) -> Campaign:
        """Return the campaign behind a link of an entry. Raises LookupError."""
        if self.played_in is None:
            raise LookupError(f"link {self.link_id} is about no campaign")
        return self.played_in

    @property
    def entry_id(self) -> int:
        """Return the entry behind a link of one. Raises LookupError."""
        if self.played is None:
            raise LookupError(f"link {self.link_id} is about no entry")
        return self.played

    @property
    def asked(self) -> Asked:
        """Return the request behind a confirmation link. Raises LookupError."""
        if self.optin is None:
            raise LookupError(f"link {self.link_id} confirms nothing")
        return self.optin


def make(
    session: Session,
    *,
    contact_id: int,
    entry_id: int | None,
    optin_id: int | None,
    tools: Tools,
    now: datetime,
) -> LinkRef:
    """Make what the links of one mail point to; the secret is kept nowhere."""
    secret = tools.random(SECRET_BYTES)
    row = _row(secret, contact_id, entry_id, optin_id, now)
    row_id: int = session.connection().execute(_MAKE, row).scalar_one()
    return LinkRef(row_id, secret)


def put(
    into: Writer,
    link_id: int,
    *,
    contact_id: int,
    entry_id: int,
    optin_id: int | None,
    tools: Tools,
    now: datetime,
) -> LinkRef:
    """Make it as `make` does, under a key that was taken beforehand."""
    secret = tools.random(SECRET_BYTES)
    row = _row(secret, contact_id, entry_id, optin_id, now)
    into.execute(_PUT, {"id": link_id, **row})
    return LinkRef(link_id, secret)


def _row(
    secret: bytes,
    contact_id: int,
    entry_id: int | None,
    optin_id: int | None,
    now: datetime,
) -> dict[str, Any]:
    return {
        "secret_hash": hash_secret(secret),
        "contact_id": contact_id,
        "entry_id": entry_id,
        "optin_id": optin_id,
        "created_at": now,
    }


_link = table(Link)
_PUT = _link.insert()
_MAKE = _PUT.returning(_link.c.id)


def find(
    session: Session, ref: LinkRef, *, directory: Directory, vault: Vault
) -> Found | None:
    """Return what a link points to, or None if its secret is not the row's."""
    row = session.connection().execute(_FIND_ONE, {"link_id": ref.row}).first()
    if row is None or not ref.matches(row.secret_hash):
        return None
    return _found(session, row, directory=directory, vault=vault)


def found(
    session: Session, link_id: int, *, directory: Directory, vault: Vault
) -> Found:
    """Return what a link points to, for who has shown otherwise that it is theirs."""
    row = session.connection().execute(_FIND_ONE, {"link_id": link_id}).one()
    return _found(session, row, directory=directory, vault=vault)


def find_all(
    session: Session, refs: Iterable[LinkRef], *, directory: Directory, vault: Vault
) -> dict[LinkRef, Found]:
    """Return what links point to, without those whose secret is not the row's."""
    wanted = list(refs)
    rows = session.connection().execute(
        _FIND_ALL, {"link_ids": [ref.row for ref in wanted]}
    )
    known = {row.id: row for row in rows}
    return {
        ref: _found(session, known[ref.row], directory=directory, vault=vault)
        for ref in wanted
        if ref.row in known and ref.matches(known[ref.row].secret_hash)
    }


def _found(session: Session, row: Any, *, directory: Directory, vault: Vault) -> Found:
    who = contacts.of_row(
        row,
        contact_id=row.contact_id,
        shop_id=row.shop_id,
        until=row.suppressed_until,
        vault=vault,
    )
    if who.is_lost:
        envelopes.left_out(who.id)
    return Found(
        link_id=row.id,
        optin=None if row.optin_id is None else _asked(row),
        who=who,
        shop=directory.shop(session, row.shop_id, row.shop_version),
        played_in=(
            None
            if row.entry_id is None
            else directory.campaign(session, row.campaign_id, row.version)
        ),
        # As they took part, else as they were imported.
        locale=cast("Locale", row.locale or row.spoken),
        played=row.entry_id,
        is_outdated=row.moved_at is not None and row.created_at < row.moved_at,
        held_since=row.restricted_at,
    )


def _asked(row: Any) -> Asked:
    return Asked(
        id=row.optin_id,
        entry_id=row.asked_in,
        state=row.state,
        purposes=tuple(sorted((row.purposes or "").split())),
        requested_at=row.requested_at,
        expires_at=row.expires_at,
        sent_at=row.sent_at,
        settled_at=row.settled_at,
    )


# No key of a purpose has a space.
_PURPOSES = (
    select(func.aggregate_strings(ConsentQuestion.purpose, " "))
    .join(ConsentEvent, ConsentEvent.question_id == ConsentQuestion.id)
    .where(
        ConsentEvent.contact_id == OptIn.contact_id,
        ConsentEvent.optin_id == OptIn.id,
        ConsentEvent.act == Act.REQUESTED.value,
    )
    .scalar_subquery()
    .label("purposes")
)
_FIND = (
    select(
        Link.id,
        Link.secret_hash,
        Link.contact_id,
        Link.entry_id,
        Link.optin_id,
        Link.created_at,
        # Who asked once more has a mail of a later entry about the same request.
        OptIn.entry_id.label("asked_in"),
        OptIn.state,
        _PURPOSES,
        OptIn.requested_at,
        OptIn.expires_at,
        OptIn.sent_at,
        OptIn.settled_at,
        Entry.campaign_id,
        Entry.version,
        Entry.locale,
        Shop.id.label("shop_id"),
        Shop.version.label("shop_version"),
        *envelopes.EMAIL,
        Contact.email_hash,
        Contact.locale.label("spoken"),
        Contact.moved_at,
        Contact.restricted_at,
        contacts.suppressed_until(),
    )
    .outerjoin(Entry, Entry.id == Link.entry_id)
    .join(Contact, Contact.id == Link.contact_id)
    .join(Shop, Shop.id == Contact.shop_id)
    .outerjoin(OptIn, OptIn.id == Link.optin_id)
    # One that was made in the moment of their erasure leads nowhere (T30).
    .where(Contact.erased_at.is_(None))
)
_FIND_ONE = _FIND.where(Link.id == bindparam("link_id"))
_FIND_ALL = _FIND.where(Link.id.in_(bindparam("link_ids", expanding=True)))
