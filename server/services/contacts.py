"""Recognise people by their address, and keep away from those who want that."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Label,
    bindparam,
    delete,
    func,
    literal,
    select,
)
from sqlalchemy.orm import Session

from server.domain import address
from server.domain.seals import KEY_BYTES, NONCE_BYTES, SealError, Vault
from server.models.base import (
    Instant,
    from_milliseconds,
    inserting,
    rows_changed,
    table,
)
from server.models.contact import Contact, Suppression
from server.services import envelopes
from server.services.spelled import Spelled
from server.services.tools import Chance

REF_BYTES = 16
PUBLIC_ID_BYTES = 9
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Person:
    """A contact as the path of an entry needs it; `key` opens their evidence.

    Both `key` and `email` are empty where the key does not open: it was lost.
    """

    id: int
    shop_id: int
    subject_ref: bytes
    email: str
    email_hash: bytes
    key: bytes
    is_new: bool
    suppressed_until: datetime | None

    @property
    def is_lost(self) -> bool:
        """Return whether nothing of theirs can be read."""
        return not self.key

    def may_be_asked(self, now: datetime) -> bool:
        """Return whether this address may be asked for a confirmation."""
        return self.suppressed_until is None or self.suppressed_until <= now


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody whom a shop brings along from elsewhere."""

    email: str
    email_hash: bytes
    locale: str


def recognise(
    session: Session,
    *,
    shop_id: int,
    email: str,
    locale: str,
    vault: Vault,
    now: datetime,
    random: Chance,
) -> Person:
    """Return who has this address at this shop, making the contact if need be.

    The row stays locked until the end of the transaction, so what follows for one
    person happens one after the other. Raises `SealError` where their key was lost:
    see `lost_keys`.
    """
    subject_ref, key = random(REF_BYTES), random(KEY_BYTES)
    email_hash = hash_email(vault, shop_id, email)
    connection = session.connection()
    told = _recognise(connection.dialect).run(
        connection,
        {
            "public_id": random(PUBLIC_ID_BYTES).hex(),
            "shop_id": shop_id,
            "sealed_email": envelopes.seal_email(
                key, email, subject_ref=subject_ref, random=random
            ),
            "email_hash": email_hash,
            "subject_ref": subject_ref,
            "sealed_key": vault.seal(key, nonce=random(NONCE_BYTES), about=subject_ref),
            "locale": locale,
            "created_at": now,
            "seen_at": now,
            "at_shop": shop_id,
            "by_hash": email_hash,
        },
    )
    row = told.one()
    is_new = row.subject_ref == subject_ref
    if not is_new:
        # They keep the spelling under which they came.
        key = envelopes.key_of(row, vault=vault)
        email = envelopes.open_email(key, row.sealed_email, subject_ref=row.subject_ref)
    return Person(
        id=row.id,
        shop_id=shop_id,
        subject_ref=row.subject_ref,
        email=email,
        email_hash=email_hash,
        key=key,
        is_new=is_new,
        suppressed_until=from_milliseconds(row.suppressed_until),
    )


@cache
def _recognise(dialect: Dialect) -> Spelled:
    contact = table(Contact)
    insert = inserting(dialect.name)(contact)
    recognise = insert.on_conflict_do_update(
        index_elements=["shop_id", "email_hash"],
        set_={"seen_at": insert.excluded.seen_at},
    ).returning(
        contact.c.id,
        contact.c.subject_ref,
        contact.c.sealed_email,
        contact.c.sealed_key,
        # One round trip less than to ask for it.
        suppressed_until(
            bindparam("at_shop", type_=contact.c.shop_id.type),
            bindparam("by_hash", type_=contact.c.email_hash.type),
        ),
    )
    return Spelled(recognise, dialect, _NEW)


_NEW = (
    *("public_id", "shop_id", "sealed_email", "email_hash", "subject_ref"),
    *("sealed_key", "locale", "created_at", "seen_at"),
)


def add_all(
    session: Session,
    *,
    shop_id: int,
    newcomers: Iterable[Newcomer],
    vault: Vault,
    now: datetime,
    random: Chance,
) -> set[int]:
    """Make the contacts that are not there yet, and return which these are.

    Nothing happens to those that are there: a list is no sign of life.
    """
    rows = []
    for newcomer in newcomers:
        subject_ref, key = random(REF_BYTES), random(KEY_BYTES)
        rows.append(
            {
                "public_id": random(PUBLIC_ID_BYTES).hex(),
                "shop_id": shop_id,
                "sealed_email": envelopes.seal_email(
                    key, newcomer.email, subject_ref=subject_ref, random=random
                ),
                "email_hash": newcomer.email_hash,
                "subject_ref": subject_ref,
                "sealed_key": vault.seal(
                    key, nonce=random(NONCE_BYTES), about=subject_ref
                ),
                "locale": newcomer.locale,
                "created_at": now,
                "seen_at": now,
            }
        )
    if not rows:
        return set()
    connection = session.connection()
    return set(connection.scalars(_add(connection.dialect.name), rows).all())


@cache
def _add(dialect: str) -> Any:
    contact = table(Contact)
    return (
        inserting(dialect)(contact)
        .on_conflict_do_nothing(index_elements=["shop_id", "email_hash"])
        .returning(contact.c.id)
    )


def hash_email(vault: Vault, shop_id: int, email: str) -> bytes:
    """Return the keyed hash by which a shop knows an address again."""
    return vault.hashed("contact", shop_id, address.identity(email))


def has_address(shop_id: int, email: str, *, vault: Vault) -> ColumnElement[bool]:
    """Match the contact that has this address at a shop, however it is spelled."""
    email_hash = hash_email(vault, shop_id, email)
    return (Contact.shop_id == shop_id) & (Contact.email_hash == email_hash)


def lock(session: Session, who: Person) -> Person:
    """Let what follows for this person happen once at a time; return them as of now.

    They may have moved to another address since they were read: go on with what is
    returned (T30). Who was forgotten meanwhile is returned as given. Rows that merely
    refer to them are written meanwhile (FOR NO KEY UPDATE).
    """
    return lock_known(session, who) or who


def lock_known(session: Session, who: Person) -> Person | None:
    """Lock a person as `lock` does; None if they were forgotten meanwhile."""
    row = session.connection().execute(_LOCK, {"person": who.id}).first()
    if row is None:
        return None
    who = replace(who, suppressed_until=row.suppressed_until)
    if row.email_hash == who.email_hash:
        return who
    return replace(
        who,
        email=envelopes.open_email(
            who.key, row.sealed_email, subject_ref=who.subject_ref
        ),
        email_hash=row.email_hash,
    )


def person(session: Session, contact_id: int, *, vault: Vault) -> Person:
    """Return a known contact. Raises `SealError` where their key does not open."""
    who = whoever(session, contact_id, vault=vault)
    if who.is_lost:
        raise SealError("the key of a person does not open")
    return who


def whoever(session: Session, contact_id: int, *, vault: Vault) -> Person:
    """Return a contact for what needs no key, such as to stop or to forget."""
    row, until = session.execute(
        select(Contact, suppressed_until()).where(Contact.id == contact_id)
    ).one()
    return of_row(row, contact_id=row.id, shop_id=row.shop_id, until=until, vault=vault)


def of_row(
    row: Any,
    *,
    contact_id: int,
    shop_id: int,
    until: datetime | None,
    vault: Vault,
) -> Person:
    """Return a known contact of a row that has `EMAIL` and its hash.

    They may not be asked `until` a moment, or may be with None.
    """
    email, key = opened(row, vault=vault)
    return Person(
        id=contact_id,
        shop_id=shop_id,
        subject_ref=row.subject_ref,
        email=email,
        email_hash=row.email_hash,
        key=key,
        is_new=False,
        suppressed_until=until,
    )


def find(session: Session, shop_id: int, public_id: str) -> Contact | None:
    """Return a contact of this shop, also one who was erased."""
    return session.scalar(
        select(Contact).where(
            Contact.shop_id == shop_id, Contact.public_id == public_id
        )
    )


def opened(row: Any, *, vault: Vault) -> tuple[str, bytes]:
    """Return address and key of a row with `EMAIL`; both empty where it is lost."""
    try:
        key = envelopes.key_of(row, vault=vault)
        sealed, subject_ref = row.sealed_email, row.subject_ref
        return envelopes.open_email(key, sealed, subject_ref=subject_ref), key
    except SealError:
        return "", b""


def suppressed_until(
    shop_id: Any = Contact.shop_id, email_hash: Any = Contact.email_hash
) -> Label[Any]:
    """Select until when an address must not be asked; null if it may be.

    One that was erased or given up may: whoever types it begins anew.
    """
    until = func.coalesce(Suppression.until, literal(FOREVER, Instant()))
    return (
        select(func.max(until))
        .where(
            Suppression.shop_id == shop_id,
            Suppression.email_hash == email_hash,
            Suppression.reason != Reason.ERASED.value,
            Suppression.reason != Reason.MOVED.value,
        )
        .correlate(Contact)
        .scalar_subquery()
        .label("suppressed_until")
    )


class Reason(StrEnum):
    """Why an address is suppressed."""

    NOT_ME = "not_me"
    REFUSED = "refused"
    # Their objection to direct marketing is absolute (GDPR 21(3)).
    NEVER = "never"
    # These two block imports, and no question that their owner brings about: an old
    # list knows nothing of an erasure, or of an address that was given up (T30).
    ERASED = "erased"
    MOVED = "moved"


_LOCK = (
    select(Contact.email_hash, Contact.sealed_email, suppressed_until())
    .where(Contact.id == bindparam("person"), Contact.erased_at.is_(None))
    # What keeps an address from being asked is of another table, and not held.
    .with_for_update(key_share=True, of=Contact)
)


def suppress(
    session: Session,
    who: Person,
    *,
    reason: Reason,
    until: datetime | None,
    now: datetime,
) -> None:
    """Keep an address from being asked until a moment, or for ever."""
    mark(
        session,
        shop_id=who.shop_id,
        email_hash=who.email_hash,
        reason=reason,
        subject_ref=who.subject_ref,
        until=until,
        at=now,
    )


def mark(
    session: Session,
    *,
    shop_id: int,
    email_hash: bytes,
    reason: Reason,
    subject_ref: bytes | None,
    until: datetime | None = None,
    at: datetime,
) -> None:
    """Suppress an address of which nothing but its hash is known."""
    insert = inserting(session.get_bind().dialect.name)(Suppression)
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["shop_id", "email_hash", "reason"],
            set_={
                "until": insert.excluded.until,
                "subject_ref": insert.excluded.subject_ref,
                # The newest moment, which a later yes is held against (T30).
                "created_at": insert.excluded.created_at,
            },
        ),
        {
            "shop_id": shop_id,
            "email_hash": email_hash,
            "reason": reason.value,
            "subject_ref": subject_ref,
            "until": until,
            "created_at": at,
        },
    )


def readmit(session: Session, who: Person, *, reason: Reason) -> bool:
    """End a suppression for one reason; False if there was none."""
    ended = session.execute(
        delete(Suppression).where(
            Suppression.shop_id == who.shop_id,
            Suppression.email_hash == who.email_hash,
            Suppression.reason == reason.value,
        )
    )
    return rows_changed(ended) == 1


def known_as(session: Session, who: Person) -> list[Person]:
    """Return somebody under each address they had here, today's first (T30)."""
    given_up = session.scalars(
        select(Suppression.email_hash).where(
            Suppression.shop_id == who.shop_id,
            Suppression.subject_ref == who.subject_ref,
            Suppression.reason == Reason.MOVED.value,
            Suppression.email_hash != who.email_hash,
        )
    )
    return [who, *(replace(who, email="", email_hash=digest) for digest in given_up)]


def is_suppressed(session: Session, who: Person, *, reason: Reason) -> bool:
    """Return whether an address is suppressed for this reason, and still is."""
    told = {"shop": who.shop_id, "by_hash": who.email_hash, "why": reason.value}
    return session.connection().scalar(_IS_SUPPRESSED, told) is not None


_IS_SUPPRESSED = select(Suppression.reason).where(
    Suppression.shop_id == bindparam("shop"),
    Suppression.email_hash == bindparam("by_hash"),
    Suppression.reason == bindparam("why"),
)
