"""Hold the stored ledger against itself: the work of `ledger verify` (PR-05, G4).

Every entry is hashed anew from the facts, every checkpoint from the entries, and every
stored standing from the decisions; every yes needs its request and its proof.
"""

import gc
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from itertools import chain, groupby, islice
from typing import Any, TypeVar

from sqlalchemy import Result, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from server.domain.consent import UNASKED, Act, deciding
from server.domain.evidence import NAME_BYTES
from server.domain.ledger import NO_ENTRY, Checkpoint, is_signed
from server.domain.ledger_file import BrokenError, Witness
from server.domain.merkle import Frontier
from server.models.base import table
from server.models.consent import ConsentEvent, ConsentQuestion, Evidence, Standing
from server.models.contact import Contact
from server.models.text import Text
from server.services import ledger, questions
from server.services.ledger import PAGE, Signed, Tip

_event = table(ConsentEvent)
_question = table(ConsentQuestion)
_evidence = table(Evidence)
_standing = table(Standing)
_contact = table(Contact)

DAY = timedelta(days=1)

T = TypeVar("T")
Step = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Whole:
    """What a ledger in which nothing is broken comes to."""

    shop: str
    entries: int
    covered: int
    last: date | None
    waiting: int


def size(session: Session, tip: Tip) -> int:
    """Return how many facts a shop has: what each of the two passes goes through."""
    counted = select(func.count()).where(_event.c.shop_id == tip.shop_id)
    return int(session.connection().execute(counted).scalar_one())


def verify(
    session: Session,
    tip: Tip,
    *,
    keys: Mapping[str, bytes],
    step: Step,
    now: datetime,
    kept: Iterable[Checkpoint] = (),
) -> Whole:
    """Check a shop's ledger, its proofs and its standings.

    Days before yesterday have to be covered by a checkpoint. `kept` are checkpoints
    that somebody has from elsewhere. `step` is told of each page
    how many facts it had. People decide meanwhile, so all has to be as of one moment to
    the session. Raises `BrokenError`.
    """
    with _alone(), ThreadPoolExecutor(max_workers=1) as thread:
        # SQLite works in this process: there a thread only stands in the way.
        is_here = session.get_bind().dialect.name == "sqlite"
        reader = None if is_here else thread
        covered, last = _check_chain(
            session, tip, keys, Witness(kept), reader, step, now
        )
        waiting = _check_people(session, tip, reader, step)
    return Whole(tip.shop, tip.size, covered, last, waiting)


@contextmanager
def _alone() -> Iterator[None]:
    """Keep the collector away from all that is loaded already.

    Rows come by the million, and every few hundred have it go over all of that: a
    seventh of the time.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _ahead(reader: Executor | None, rows: Iterator[T]) -> Iterator[T]:
    """Yield rows, of which a page is read while the one before it is worked on.

    All are read by the one thread of a reader: a connection does one thing at a time.
    Without one they come as they are asked for.
    """
    if reader is None:
        yield from rows
        return

    def page() -> list[T]:
        return list(islice(rows, PAGE))

    coming = reader.submit(page)
    while read := coming.result():
        coming = reader.submit(page)
        yield from read


# --- the chain ---------------------------------------------------------------------


def _check_chain(
    session: Session,
    tip: Tip,
    keys: Mapping[str, bytes],
    witness: Witness,
    reader: Executor | None,
    step: Step,
    now: datetime,
) -> tuple[int, date | None]:
    checkpoints = ledger.checkpoints(session, tip.shop_id)
    covered = checkpoints[-1].checkpoint.size if checkpoints else 0
    yesterday, unsigned = ledger.midnight_of(now) - DAY, None
    due = iter([*checkpoints, None])
    signed = next(due)
    known, misnamed = _texts(session), _misnamed(session)
    tree, head = Frontier(), NO_ENTRY
    for entry in _ahead(reader, ledger.entries(session, tip)):
        seq = tree.size + 1
        if entry.seq != seq:
            raise BrokenError(f"entry {seq} is missing")
        if entry.fact.hash(seq, head) != entry.hash:
            raise BrokenError(f"entry {seq} was changed")
        if entry.question_id in misnamed:
            raise BrokenError(f"entry {seq}: what it is about has the name of another")
        fact = entry.fact
        if not known.issuperset((fact.text, fact.notice, fact.form)):
            raise BrokenError(f"entry {seq}: what was shown is missing or was changed")
        head = entry.hash
        tree.add(head)
        witness.see(tree, head)
        if seq > covered and unsigned is None and fact.at < yesterday:
            unsigned = entry
        while signed and signed.checkpoint.size <= seq:
            _check_signed(signed, tree, head, keys)
            signed = next(due)
        if seq % PAGE == 0:
            step(PAGE)
    step(tree.size % PAGE)
    if (tree.size, head) != (tip.size, tip.head):
        raise BrokenError(f"entry {min(tree.size, tip.size) + 1} is missing or extra")
    if signed:
        raise BrokenError(
            f"entry {tree.size + 1} is missing: the checkpoint of "
            f"{signed.checkpoint.day} covers {signed.checkpoint.size}"
        )
    witness.end()
    if misnamed:
        raise BrokenError(
            "a question that no entry is about yet has the name of another"
        )
    if unsigned:
        raise BrokenError(
            f"entry {unsigned.seq} is of {unsigned.fact.at:%Y-%m-%d} and no checkpoint "
            "covers it: one was taken away, or the worker has not been running"
        )
    return covered, checkpoints[-1].checkpoint.day if checkpoints else None


def _check_signed(
    signed: Signed, tree: Frontier, head: bytes, keys: Mapping[str, bytes]
) -> None:
    checkpoint = signed.checkpoint
    found = checkpoint.size, checkpoint.root, checkpoint.head, signed.edge
    if found != (tree.size, tree.root(), head, tuple(tree.edge)):
        raise BrokenError(
            f"entry {checkpoint.size} or one before it was changed: "
            f"the checkpoint of {checkpoint.day} is of others"
        )
    public = keys.get(signed.signature.key_id)
    if public is None:
        raise BrokenError(
            f"the key {signed.signature.key_id} of the checkpoint of {checkpoint.day} "
            "is not among JAWOORD_LEDGER_KEYS"
        )
    if not is_signed(checkpoint, signed.signature, public):
        raise BrokenError(
            f"the signature of the checkpoint of {checkpoint.day} is wrong"
        )


def _misnamed(session: Session) -> set[int]:
    """Return the keys of questions that do not say what their names stand for.

    The facts of tomorrow find theirs by its name, so one that was put there beforehand
    would have them be about something else. There are few.
    """
    rows = session.execute(_QUESTIONS)
    return {row.id for row in rows if not questions.is_named_rightly(row)}


_QUESTIONS = select(_question)


def _texts(session: Session) -> set[bytes]:
    """Return the names of all copies of what was shown that are as they were.

    There are few: one for each wording. Where nothing was shown, nothing is missing.
    """
    whole, after = {b""}, b""
    while rows := session.execute(_COPIES, {"after": after}).all():
        whole |= {
            name
            for name, body in rows
            if hashlib.sha256(body.encode()).digest() == name
        }
        after = rows[-1].sha256
    return whole


_COPIES = (
    select(Text.sha256, Text.body)
    .where(Text.sha256 > bindparam("after"))
    .order_by(Text.sha256)
    .limit(PAGE)
)


# --- people ------------------------------------------------------------------------


def _check_people(
    session: Session, tip: Tip, reader: Executor | None, step: Step
) -> int:
    """Check proofs and standings, and return how many facts are not sealed yet."""
    kept = _Beside(
        _ahead(reader, _standings(session, tip)),
        "a standing is stored of somebody who never decided",
    )
    # Of whom a backup never knew there is a row without facts (AD-04).
    gone = _Beside(_ahead(reader, _gone(session, tip)), None)
    of_all = _ahead(reader, _facts(session, tip, step))
    waiting = 0
    first: tuple[Place, str] | None = None
    for person, rows in groupby(of_all, lambda row: row.contact_id):
        facts = list(rows)
        waiting += sum(row.seq is None for row in facts)
        is_erased = any(row.act == Act.ERASED for row in facts)
        for place, fault in chain(
            _of_proofs(facts, is_erased=is_erased),
            _of_standings(facts, kept.of(person)),
            _of_keys(facts, gone.of(person), is_erased=is_erased),
        ):
            # People come in the order of their rows, and the first entry counts.
            if first is None or place < first[0]:
                first = place, fault
    kept.end()
    if first:
        raise BrokenError(first[1])
    return waiting


# Where a fact stands: those that are not sealed yet come last.
Place = tuple[bool, int]


def _place(row: Any) -> Place:
    return (row.seq is None, row.seq or row.id)


def _name(row: Any) -> str:
    return f"entry {row.seq}" if row.seq else "a fact that is not sealed yet"


def _of_standings(facts: list[Any], stored: list[Any]) -> Iterator[tuple[Place, str]]:
    """Yield what is stored otherwise than somebody's decisions say."""
    decided = deciding(facts)
    says = {key: (row.act, row.id, row.text_hash) for key, row in decided.items()}
    found = {row.purpose: (row.act, row.event_id, row.text_hash) for row in stored}
    if found == says:
        return
    for purpose, _ in found.items() ^ says.items():
        fact = decided.get(purpose, facts[-1])
        yield (
            _place(fact),
            f"{_name(fact)}: what its person wants today is stored otherwise than "
            "their decisions say",
        )


def _of_keys(
    facts: list[Any], gone: list[Any], *, is_erased: bool
) -> Iterator[tuple[Place, str]]:
    """Yield that a key is gone without an erasure, or there in spite of one."""
    row = next((row for row in facts if row.act == Act.ERASED), facts[-1])
    if gone and not is_erased:
        yield (
            _place(row),
            f"{_name(row)}: its person's key is gone, and no entry erased them",
        )
    if is_erased and not (gone and gone[0].is_whole):
        yield _place(row), f"{_name(row)}: its person was erased, and is still there"


def _of_proofs(facts: list[Any], *, is_erased: bool) -> Iterator[tuple[Place, str]]:
    """Yield each fact without evidence, and each yes that nobody asked for.

    Who was erased has no evidence any more, which is a fact of its own.
    """
    asked = {
        (row.optin_id, row.purpose, row.text_hash)
        for row in facts
        if row.act == Act.REQUESTED
    }
    for row in facts:
        is_gone = is_erased and row.sealed is None
        if not is_gone and not _is_evidence(row):
            yield _place(row), f"{_name(row)}: its evidence is missing or was changed"
        if row.act == Act.GIVEN and not _was_asked(row, asked):
            yield _place(row), f"{_name(row)}: a yes that was never asked for"


def _is_evidence(row: Any) -> bool:
    sealed = row.sealed
    return sealed is not None and hashlib.sha256(sealed).digest() == row.evidence_hash


def _was_asked(row: Any, asked: set[tuple[int | None, str, bytes]]) -> bool:
    """Return whether a yes follows a request, or needs none and names its wording."""
    if row.optin_id is None:
        return row.method in UNASKED and row.text_hash != b""
    return (row.optin_id, row.purpose, row.text_hash) in asked


def _facts(session: Session, tip: Tip, step: Step) -> Iterator[Any]:
    """Yield a shop's facts person by person, each person's in order."""
    for page in _read(session, _facts_of, tip).partitions():
        yield from page
        step(len(page))


def _standings(session: Session, tip: Tip) -> Iterator[Any]:
    yield from _read(session, _standings_of, tip)


def _gone(session: Session, tip: Tip) -> Iterator[Any]:
    yield from _read(session, _gone_of, tip)


def _read(session: Session, of: Callable[[str], Select[Any]], tip: Tip) -> Result[Any]:
    """Return rows that come page by page from one run.

    A run for each page would sort what is left of them each time, where the database
    finds that cheaper than its index.
    """
    connection = session.connection()
    return connection.execute(of(connection.dialect.name), {"shop": tip.shop_id})


class _Beside:
    """Reads sorted rows beside another reading of the same people.

    A row of somebody who is not in that one is `extra`, an error, unless that is None.
    """

    def __init__(self, rows: Iterator[Any], extra: str | None) -> None:
        self._rows, self._extra = rows, extra
        self._next = next(rows, None)

    def of(self, person: int) -> list[Any]:
        """Return the rows of a person. Raises `BrokenError`."""
        found = []
        while self._next is not None and self._next.contact_id <= person:
            if self._next.contact_id == person:
                found.append(self._next)
            elif self._extra:
                raise BrokenError(self._extra)
            self._next = next(self._rows, None)
        return found

    def end(self) -> None:
        """Raise `BrokenError` if there are more."""
        if self._next is not None and self._extra:
            raise BrokenError(self._extra)


# Not the context, which takes the longest to read.
_OF_A_FACT = (
    *("contact_id", "id", "seq", "act", "method", "optin_id", "evidence_hash"),
)
_OF_ITS_QUESTION = ("purpose", "text_hash")


def _is_of_shop(column: Any, dialect: str) -> Any:
    """Return the condition that keeps SQLite on the index of the person.

    It would take the one of the shop and sort all of it; a sum has no index.
    PostgreSQL would take a sum for rare, and look nothing up by it.
    """
    return (column + 0 if dialect == "sqlite" else column) == bindparam("shop")


@cache
def _facts_of(dialect: str) -> Select[Any]:
    return (
        select(
            *(_event.c[name] for name in _OF_A_FACT),
            *(_question.c[name] for name in _OF_ITS_QUESTION),
            _evidence.c.sealed,
        )
        .select_from(_event)
        .join(_question, _question.c.id == _event.c.question_id)
        .outerjoin(
            _evidence,
            and_(
                _evidence.c.contact_id == _event.c.contact_id,
                _evidence.c.name == func.substr(_event.c.evidence_hash, 1, NAME_BYTES),
            ),
        )
        .where(_is_of_shop(_event.c.shop_id, dialect))
        .order_by(_event.c.contact_id, _event.c.id)
        .execution_options(yield_per=PAGE)
    )


@cache
def _standings_of(dialect: str) -> Select[Any]:
    names = ("contact_id", "purpose", "act", "event_id", "text_hash")
    return (
        select(*(_standing.c[name] for name in names))
        .join(_contact, _contact.c.id == _standing.c.contact_id)
        .where(_is_of_shop(_contact.c.shop_id, dialect))
        .order_by(_standing.c.contact_id, _standing.c.purpose)
        .execution_options(yield_per=PAGE)
    )


@cache
def _gone_of(dialect: str) -> Select[Any]:
    """Return whose key is gone; `is_whole` where all is gone that erasing takes."""
    is_keyless = func.length(_contact.c.sealed_key) == 0
    is_told = _contact.c.erased_at.is_not(None)
    return (
        select(
            _contact.c.id.label("contact_id"),
            and_(is_keyless, is_told).label("is_whole"),
        )
        .where(
            _is_of_shop(_contact.c.shop_id, dialect),
            or_(is_keyless, is_told),
        )
        .order_by(_contact.c.id)
        .execution_options(yield_per=PAGE)
    )
