"""Keep what many facts about consents have in common once."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from server.domain.consent import Question
from server.models.base import inserting, table
from server.models.consent import ConsentQuestion

# The keys of what a session has stored itself, among what it knows of its own.
MADE = "questions made"


class MisnamedError(Exception):
    """A question is stored under the name of another: nothing may be about it."""


class Questions:
    """Stores questions, and remembers which this process knows to be stored."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    def keys(self, session: Session, asked: Iterable[Question]) -> list[int]:
        """Return the key of each of these, in their order; what is new is stored.

        A key says what is asked, so one that is remembered of a database before it was
        restored leads to nothing, and never to another question. It is remembered once
        somebody else has committed it: what this session has stored itself may still
        be taken back, with a savepoint as well. Raises `MisnamedError`.
        """
        keyed = [(question.key, question) for question in asked]
        new = {key: each for key, each in keyed if key not in self._known}
        if new:
            made: set[int] = session.info.setdefault(MADE, set())
            made |= _store(session, new)
            self._known |= new.keys() - made
        return [key for key, _ in keyed]


def _store(session: Session, new: dict[int, Question]) -> set[int]:
    """Store those that nobody has stored yet, and return their keys.

    In the order of their keys, in which two who store the same ones wait for each other
    without a knot. Raises `MisnamedError` where another question has a key already, or
    what is stored is not what its name says.
    """
    rows = [
        {
            "id": key,
            "sha256": each.sha256,
            "purpose": each.purpose,
            "channel": each.channel,
            "text_hash": each.text_hash,
            "notice_hash": each.notice_hash,
            "form_hash": each.form_hash,
            "locale": each.locale,
            "context": dict(each.context),
        }
        for key, each in sorted(new.items())
    ]
    insert: Any = inserting(session.get_bind().dialect.name)(_question).values(rows)
    insert = insert.on_conflict_do_nothing().returning(_question.c.id)
    connection = session.connection()
    made = set(connection.scalars(insert))
    if known := new.keys() - made:
        # Anybody who may add rows could have put one there beforehand, and what people
        # say from now on would be sealed as something else.
        found = connection.execute(_KNOWN, {"keys": list(known)})
        names = {row.id: row.sha256 for row in found if is_named_rightly(row)}
        if names != {key: new[key].sha256 for key in known}:
            raise MisnamedError(f"one of {sorted(known)} is another consent_question")
    return made


def is_named_rightly(row: Any) -> bool:
    """Return whether a stored question says what its name stands for."""
    told: bytes = row.sha256
    said = Question(
        purpose=row.purpose,
        channel=row.channel,
        text_hash=row.text_hash,
        notice_hash=row.notice_hash,
        form_hash=row.form_hash,
        locale=row.locale,
        context=row.context,
    )
    return said.sha256 == told


_question = table(ConsentQuestion)
_KNOWN: Any = select(_question).where(
    _question.c.id.in_(bindparam("keys", expanding=True))
)
