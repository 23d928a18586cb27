"""Keep what many facts about consents have in common once."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from server.domain.consent import Question
from server.models.base import inserting, table
from server.models.consent import ConsentQuestion

# The names of what a session has stored itself, among what it knows of its own.
MADE = "questions made"


class Questions:
    """Stores questions, and remembers the keys of those this process knows."""

    def __init__(self) -> None:
        self._keys: dict[bytes, int] = {}

    def keys(self, session: Session, asked: Iterable[Question]) -> list[int]:
        """Return the key of each of these, in their order; what is new is stored.

        A key is remembered once somebody else has committed it: what this session has
        stored itself may still be taken back, with a savepoint as well.
        """
        named = [(question.sha256, question) for question in asked]
        unknown = {name: each for name, each in named if name not in self._keys}
        if not unknown:
            return [self._keys[name] for name, _ in named]
        found = _known(session, unknown)
        made = session.info.setdefault(MADE, set())
        self._keys |= {name: key for name, key in found.items() if name not in made}
        if new := {name: unknown[name] for name in unknown.keys() - found.keys()}:
            made.update(new)
            found |= _stored(session, new)
        return [found.get(name) or self._keys[name] for name, _ in named]


def _stored(session: Session, new: Mapping[bytes, Question]) -> dict[bytes, int]:
    """Store questions, and return their keys; somebody may be faster.

    In the order of their names, in which two who store the same ones wait for each
    other without a knot.
    """
    rows = [
        {
            "sha256": name,
            "purpose": new[name].purpose,
            "channel": new[name].channel,
            "text_hash": new[name].text_hash,
            "notice_hash": new[name].notice_hash,
            "form_hash": new[name].form_hash,
            "locale": new[name].locale,
            "context": dict(new[name].context),
        }
        for name in sorted(new)
    ]
    insert = inserting(session.get_bind().dialect.name)(_question)
    session.connection().execute(insert.on_conflict_do_nothing(), rows)
    return _known(session, new)


def _known(session: Session, names: Iterable[bytes]) -> dict[bytes, int]:
    rows = session.connection().execute(_KEYS, {"names": list(names)})
    return {row.sha256: row.id for row in rows}


_question = table(ConsentQuestion)
_KEYS: Any = select(_question.c.sha256, _question.c.id).where(
    _question.c.sha256.in_(bindparam("names", expanding=True))
)
