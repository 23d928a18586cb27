"""The consent ledger in the database: what is sealed next, read, and checkpointed.

Appending a fact takes no lock. Sealing comes after it: what to seal is read and hashed
beside any lock, and one guarded `UPDATE` of the ledger's row decides which worker's
numbers count (PR-05).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, bindparam, exists, func, select, update
from sqlalchemy.orm import Session

from server.domain.ledger import NO_ENTRY, Checkpoint, Fact, Notary, Signature
from server.domain.merkle import HASH_BYTES, Frontier
from server.models.base import inserting, rows_changed, table
from server.models.consent import Checkpoint as CheckpointRow
from server.models.consent import ConsentEvent, ConsentQuestion, Ledger
from server.models.contact import Contact
from server.models.shop import Shop

BATCH = 500
PAGE = 5_000

_event, _question = table(ConsentEvent), table(ConsentQuestion)
_contact = table(Contact)
_ledger = table(Ledger)
_checkpoint = table(CheckpointRow)


@dataclass(frozen=True, slots=True)
class Tip:
    """Where a shop's ledger ends."""

    shop_id: int
    shop: str
    size: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """What is to be sealed next: rows with their numbers and hashes, after a tip."""

    tip: Tip
    sealed: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Sealed:
    """An entry as it is kept."""

    seq: int
    hash: bytes
    fact: Fact
    question_id: int


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint, the edge of its tree, and its signature."""

    checkpoint: Checkpoint
    edge: tuple[bytes, ...]
    signature: Signature


def tips(session: Session) -> list[Tip]:
    """Return where the ledger of each shop ends; one that has no entry is empty."""
    return [
        Tip(id_, code, size or 0, head or NO_ENTRY)
        for id_, code, size, head in session.connection().execute(_TIPS)
    ]


def gather(session: Session) -> list[Batch]:
    """Return the next batches of each shop that has facts without a number, in order.

    Each goes on from the one before, and counts only if that one did.
    """
    connection = session.connection()
    waiting = set(connection.execute(_WAITING).scalars())
    return [
        batch
        for tip in tips(session)
        if tip.shop_id in waiting
        for batch in _batches(
            session, tip, connection.execute(_UNSEALED, {"shop": tip.shop_id}).all()
        )
    ]


def _batches(session: Session, tip: Tip, rows: Sequence[Any]) -> Iterator[Batch]:
    asked = _asked(session, rows)
    for start in range(0, len(rows), BATCH):
        batch = _numbered(tip, rows[start : start + BATCH], asked)
        yield batch
        last = batch.sealed[-1]
        tip = replace(tip, size=last["number"], head=last["digest"])


def _asked(session: Session, rows: Sequence[Any]) -> dict[int, Any]:
    """Return the questions that some facts are about, by their keys.

    Read beside the facts: thousands have one, whose context takes long to read.
    """
    keys = list({row.question_id for row in rows})
    found = session.connection().execute(_QUESTIONS, {"keys": keys}) if keys else ()
    return {row.id: row for row in found}


def _numbered(tip: Tip, rows: Sequence[Any], asked: Mapping[int, Any]) -> Batch:
    seq, head, sealed = tip.size, tip.head, []
    for row in rows:
        seq += 1
        head = fact_of(row, asked[row.question_id], tip.shop).hash(seq, head)
        sealed.append({"row": row.id, "number": seq, "digest": head})
    return Batch(tip, sealed)


def seal(session: Session, batch: Batch) -> int:
    """Give a batch its numbers; 0 if another worker was first."""
    tip, last = batch.tip, batch.sealed[-1]
    connection = session.connection()
    connection.execute(
        inserting(connection.dialect.name)(_ledger)
        .values(shop_id=tip.shop_id, size=0, head=NO_ENTRY)
        .on_conflict_do_nothing()
    )
    moved = connection.execute(
        _MOVE,
        {
            "shop": tip.shop_id,
            "from_size": tip.size,
            "from_head": tip.head,
            "to_size": last["number"],
            "to_head": last["digest"],
        },
    )
    if not rows_changed(moved):
        return 0
    connection.execute(_SEAL, batch.sealed)
    return len(batch.sealed)


def entries(session: Session, tip: Tip, *, after: int = 0) -> Iterator[Sealed]:
    """Yield the sealed entries of a shop in order, after a number, page by page."""
    connection = session.connection()
    while True:
        rows = connection.execute(_PAGE, {"shop": tip.shop_id, "after": after}).all()
        asked = _asked(session, rows)
        for row in rows:
            fact = fact_of(row, asked[row.question_id], tip.shop)
            yield Sealed(row.seq, row.entry_hash, fact, row.question_id)
        if len(rows) < PAGE:
            return
        after = rows[-1].seq


def checkpoints(session: Session, shop_id: int) -> list[Signed]:
    """Return a shop's checkpoints, oldest first."""
    rows = session.connection().execute(_CHECKPOINTS, {"shop": shop_id})
    return [
        Signed(
            Checkpoint(row.size, row.root, row.head, row.day),
            _edge(row.edge),
            Signature(row.key_id, row.signature),
        )
        for row in rows
    ]


def day_to_close(now: datetime) -> date:
    """Return the last day (UTC) that is over."""
    return now.astimezone(UTC).date() - timedelta(days=1)


def midnight_of(now: datetime) -> datetime:
    """Return the moment with which the day (UTC) began."""
    return datetime.combine(now.astimezone(UTC).date(), datetime.min.time(), UTC)


def reckon(
    session: Session, *, notary: Notary, now: datetime
) -> list[tuple[int, Signed]]:
    """Return a checkpoint of each shop in whose ledger there is more from closed days.

    It covers what stands before the last of those, also where that is of a later day:
    a fact from a clock that ran ahead must not keep all others from being signed. A
    shop with facts of those days that are not sealed yet has to wait.
    """
    day = day_to_close(now)
    midnight = midnight_of(now)
    connection = session.connection()
    found = []
    for tip in tips(session):
        last = connection.execute(_LAST, {"shop": tip.shop_id}).one_or_none()
        if last and last.day >= day:
            continue
        tree = Frontier(last.size, _edge(last.edge)) if last else Frontier()
        of_shop = {"shop": tip.shop_id, "midnight": midnight}
        upto = connection.execute(_CLOSED, of_shop | {"after": tree.size}).scalar()
        if not upto or connection.execute(_OPEN, of_shop).scalar():
            continue
        head = NO_ENTRY
        for entry in entries(session, tip, after=tree.size):
            tree.add(entry.hash)
            head = entry.hash
            if entry.seq == upto:
                break
        checkpoint = Checkpoint(tree.size, tree.root(), head, day)
        signed = Signed(checkpoint, tuple(tree.edge), notary.sign(checkpoint))
        found.append((tip.shop_id, signed))
    return found


def keep(session: Session, shop_id: int, signed: Signed, *, now: datetime) -> bool:
    """Store a checkpoint; False if another worker was first."""
    connection = session.connection()
    checkpoint = signed.checkpoint
    done = connection.execute(
        inserting(connection.dialect.name)(_checkpoint)
        .values(
            shop_id=shop_id,
            day=checkpoint.day,
            size=checkpoint.size,
            root=checkpoint.root,
            head=checkpoint.head,
            edge=b"".join(signed.edge),
            key_id=signed.signature.key_id,
            signature=signed.signature.value,
            at=now,
        )
        .on_conflict_do_nothing()
    )
    return bool(rows_changed(done))


def _edge(packed: bytes) -> tuple[bytes, ...]:
    starts = range(0, len(packed), HASH_BYTES)
    return tuple(packed[start : start + HASH_BYTES] for start in starts)


def fact_of(row: Any, question: Any, shop: str) -> Fact:
    """Return a row, or the event it is of, as the fact that its entry is made of."""
    return Fact(
        shop=shop,
        subject=row.subject_ref,
        purpose=question.purpose,
        channel=question.channel,
        act=row.act,
        method=row.method,
        text=question.text_hash,
        notice=question.notice_hash,
        form=question.form_hash,
        locale=question.locale,
        context=question.context,
        evidence=row.evidence_hash,
        at=row.at,
    )


def _of_shop(*where: Any) -> Select[Any]:
    return select(*_event.c).where(_event.c.shop_id == bindparam("shop"), *where)


def _facts(*where: Any) -> Select[Any]:
    """Select facts with what the ledger calls their people."""
    return (
        _of_shop(*where)
        .add_columns(_contact.c.subject_ref)
        .join(_contact, _contact.c.id == _event.c.contact_id)
    )


_QUESTIONS = select(_question).where(
    _question.c.id.in_(bindparam("keys", expanding=True))
)
_IS_OPEN = _event.c.seq.is_(None)
_TIPS = (
    select(Shop.id, Shop.code, _ledger.c.size, _ledger.c.head)
    .outerjoin(_ledger, _ledger.c.shop_id == Shop.id)
    .order_by(Shop.id)
)
_WAITING = select(Shop.id).where(exists().where(_event.c.shop_id == Shop.id, _IS_OPEN))
# Several batches: PostgreSQL may go over all that is sealed to come to what is not.
_UNSEALED = _facts(_IS_OPEN).order_by(_event.c.id).limit(PAGE)
# Numbers have no gaps, so these are a page. PostgreSQL without statistics would sort
# all that comes after, for each.
_PAGE = _facts(
    _event.c.seq > bindparam("after"), _event.c.seq <= bindparam("after") + PAGE
).order_by(_event.c.seq)
_OPEN = (
    _of_shop(_IS_OPEN, _event.c.at < bindparam("midnight"))
    .with_only_columns(_event.c.id)
    .limit(1)
)
# The last entry of the days that are over, if one is not covered yet.
_CLOSED = _of_shop(
    _event.c.seq > bindparam("after"), _event.c.at < bindparam("midnight")
).with_only_columns(func.max(_event.c.seq))
_CHECKPOINTS = (
    select(_checkpoint)
    .where(_checkpoint.c.shop_id == bindparam("shop"))
    .order_by(_checkpoint.c.day)
)
_LAST = (
    select(_checkpoint)
    .where(_checkpoint.c.shop_id == bindparam("shop"))
    .order_by(_checkpoint.c.day.desc())
    .limit(1)
)
_MOVE = (
    update(_ledger)
    .where(
        _ledger.c.shop_id == bindparam("shop"),
        _ledger.c.size == bindparam("from_size"),
        # As many entries may be others, where a batch was read before the last round.
        _ledger.c.head == bindparam("from_head"),
    )
    .values(size=bindparam("to_size"), head=bindparam("to_head"))
)
_SEAL = (
    update(_event)
    .where(_event.c.id == bindparam("row"), _IS_OPEN)
    .values(seq=bindparam("number"), entry_hash=bindparam("digest"))
)
