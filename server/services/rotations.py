"""Which data key what is sealed under, and sealing it anew under the newest (T24).

A rotation touches what the data keys themselves have sealed: keys of people and of
months, secrets of the house, and what waits or is nobody's yet. What a person's key
has sealed stays as it is, byte for byte.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Update, bindparam, func, select, update
from sqlalchemy.orm import Session

from server.domain.seals import (
    KEY_ID_BYTES,
    NONCE_BYTES,
    Column,
    SealError,
    Vault,
    place,
)
from server.models.audience import AudienceMember
from server.models.base import Base, rows_changed, table
from server.models.boxcode import BoxBatch
from server.models.campaign import Campaign
from server.models.contact import Contact
from server.models.entry import Entry
from server.models.month import MonthKey
from server.models.outbox import Outbox
from server.models.raffle import Raffle
from server.models.webhook import Delivery, Webhook
from server.services import boxcodes, contacts, envelopes
from server.services.raffle_promises import seal_name
from server.services.tools import Chance

AT_ONCE = 200
# From how many places people are taken for a look, and how many from each.
SPOTS, AT_A_SPOT = 16, 20


@dataclass(frozen=True, slots=True)
class Kind:
    """A column that the data keys seal: how its rows are named, and what binds them."""

    name: str
    model: type[Base]
    key: Any
    sealed: Any
    about: Callable[[Any], bytes]
    # What `about` reads.
    bound_to: tuple[Any, ...]
    # Which rows are the data keys' own, where not all are.
    only: tuple[ColumnElement[bool], ...] = ()

    def rows(self) -> tuple[ColumnElement[bool], ...]:
        """Return the condition of the rows that hold something sealed."""
        return (self.sealed.is_not(None), func.length(self.sealed) > 0, *self.only)


def _of_entry(column: Column) -> Callable[[Any], bytes]:
    return lambda row: place(column, row.ticket)


def _of_webhook(column: Column) -> Callable[[Any], bytes]:
    return lambda row: place(column, row.public_id.encode())


# A table with something new that the vault seals has to be added: a test counts them.
KINDS = (
    Kind(
        "people",
        Contact,
        Contact.id,
        Contact.sealed_key,
        lambda row: bytes(row.subject_ref),
        (Contact.subject_ref,),
    ),
    Kind(
        "months",
        MonthKey,
        MonthKey.month,
        MonthKey.sealed,
        lambda row: row.key.encode(),
        (),
    ),
    Kind(
        "mails",
        Outbox,
        Outbox.id,
        Outbox.sealed,
        lambda row: row.message_id.encode(),
        (Outbox.message_id,),
    ),
    Kind(
        "deliveries",
        Delivery,
        Delivery.id,
        Delivery.sealed,
        lambda row: row.message_id.encode(),
        (Delivery.message_id,),
    ),
    Kind(
        "webhooks",
        Webhook,
        Webhook.id,
        Webhook.sealed_secret,
        _of_webhook(Column.WEBHOOK_SECRET),
        (Webhook.public_id,),
    ),
    Kind(
        "former webhook secrets",
        Webhook,
        Webhook.id,
        Webhook.sealed_before,
        _of_webhook(Column.FORMER_WEBHOOK_SECRET),
        (Webhook.public_id,),
    ),
    Kind(
        "audiences",
        AudienceMember,
        AudienceMember.id,
        AudienceMember.sealed_hash,
        lambda row: bytes(row.mark),
        (AudienceMember.mark,),
    ),
    Kind(
        "unclaimed answers",
        Entry,
        Entry.id,
        Entry.sealed_answers,
        _of_entry(Column.ANSWERS),
        (Entry.ticket,),
        (Entry.contact_id.is_(None),),
    ),
    Kind(
        "unclaimed sources",
        Entry,
        Entry.id,
        Entry.sealed_source,
        _of_entry(Column.SOURCE),
        (Entry.ticket,),
        (Entry.contact_id.is_(None),),
    ),
    Kind(
        "campaigns",
        Campaign,
        Campaign.id,
        Campaign.sealed_seed,
        lambda row: row.code.encode(),
        (Campaign.code,),
    ),
    Kind(
        "raffles",
        Raffle,
        Raffle.id,
        Raffle.sealed_secret,
        lambda row: seal_name(row.code, row.name),
        (
            Raffle.key.label("name"),
            select(Campaign.code)
            .where(Campaign.id == Raffle.campaign_id)
            .scalar_subquery()
            .label("code"),
        ),
    ),
    Kind(
        "box codes",
        BoxBatch,
        BoxBatch.id,
        BoxBatch.sealed_secret,
        lambda row: boxcodes.seal_name(row.public_id),
        (BoxBatch.public_id,),
    ),
)


@dataclass(slots=True)
class Done:
    """What a batch came to: after whom the next begins, and how many rows."""

    after: Any
    rewrapped: int = 0
    # Under a key that is not at hand, or changed; nothing of it was touched.
    lost: int = 0


def counts(session: Session, kind: Kind) -> Counter[bytes]:
    """Return how many rows of a kind are under which key, by the key's id."""
    key_id = func.substr(kind.sealed, 1, KEY_ID_BYTES)
    rows = session.execute(
        select(key_id, func.count()).where(*kind.rows()).group_by(key_id)
    )
    return Counter({bytes(found): number for found, number in rows})


def is_first_in_place(session: Session, *, vault: Vault) -> bool:
    """Return whether the first data key is the one that made the hashes of people.

    Otherwise nobody is found, and who was erased or objected could be brought back. The
    newest people whose address opens tell it; where there are none, nothing can.
    """
    rows = session.execute(
        select(Contact.shop_id, Contact.email_hash, *envelopes.EMAIL)
        .where(Contact.erased_at.is_(None))
        .order_by(Contact.id.desc())
        .limit(AT_ONCE)
    )
    for row in rows:
        email = envelopes.shown_email(row, vault=vault)
        if email:
            known: bytes = row.email_hash
            return contacts.hash_email(vault, row.shop_id, email) == known
    return True


def are_at_hand(session: Session, *, vault: Vault) -> bool:
    """Return whether the data keys are this database's, by a look at some people.

    They are taken from all over, since a rotation that was cut short leaves a stretch
    in the middle. One person whose key was damaged says nothing; two under a key that
    is not at hand do. `counts` looks at everything.
    """
    key_id = func.substr(Contact.sealed_key, 1, KEY_ID_BYTES)
    known = select(Contact.id, key_id).where(Contact.erased_at.is_(None))
    last = session.scalar(select(func.max(Contact.id))) or 0
    looks = [known.order_by(Contact.id.desc()).limit(AT_ONCE)]
    for spot in range(SPOTS):
        behind = known.where(Contact.id > last * spot // SPOTS)
        looks.append(behind.order_by(Contact.id).limit(AT_A_SPOT))
    seen = {row: bytes(key) for look in looks for row, key in session.execute(look)}
    strangers = Counter(key for key in seen.values() if key not in vault.key_ids)
    return max(strangers.values(), default=0) < 2 and is_first_in_place(
        session, vault=vault
    )


def due(session: Session, kind: Kind, *, vault: Vault) -> int:
    """Return how many rows of a kind are under an older key than the newest."""
    found = counts(session, kind)
    return found.total() - found[vault.key_ids[-1]]


def rewrap(
    session: Session, kind: Kind, *, after: Any, vault: Vault, random: Chance
) -> Done | None:
    """Seal a batch anew under the newest key; None at the end.

    It may be stopped at any moment and begun again: what is done is not due any more.
    A row that changes meanwhile keeps its change, and one that somebody else holds is
    left for the next time: who waits for nobody can keep nobody waiting for ever.
    """
    key_id = func.substr(kind.sealed, 1, KEY_ID_BYTES)
    wanted = (
        select(kind.key.label("key"), kind.sealed.label("sealed"), *kind.bound_to)
        .where(*kind.rows(), key_id != vault.key_ids[-1])
        .order_by(kind.key)
        .limit(AT_ONCE)
        # No key changes, so who writes rows that refer to these goes on (FOR NO KEY
        # UPDATE), and none is left for the next time because somebody does.
        .with_for_update(skip_locked=True, key_share=True, of=kind.model)
    )
    if after is not None:
        wanted = wanted.where(kind.key > after)
    rows = session.execute(wanted).all()
    if not rows:
        return None
    done, anew = Done(after=rows[-1].key), []
    for row in rows:
        about = kind.about(row)
        try:
            plain = vault.open(row.sealed, about=about)
        except SealError:
            done.lost += 1
            continue
        sealed = vault.seal(plain, nonce=random(NONCE_BYTES), about=about)
        anew.append({"row": row.key, "was": row.sealed, "anew": sealed})
    if anew:
        done.rewrapped = rows_changed(session.connection().execute(_put(kind), anew))
    return done


def _put(kind: Kind) -> Update:
    """Return what writes a row as it was read, or an erasure would be taken back."""
    return (
        update(table(kind.model))
        .where(kind.key == bindparam("row"), kind.sealed == bindparam("was"))
        .values({kind.sealed.key: bindparam("anew")})
    )
