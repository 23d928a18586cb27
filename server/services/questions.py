"""Keep what many facts about consents have in common once."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import bindparam, event, select
from sqlalchemy.orm import Session

from server.domain.consent import Question
from server.models.base import inserting, table
from server.models.consent import ConsentQuestion


class Questions:
    """Stores questions, and remembers the keys of those this process knows."""

    def __init__(self) -> None:
        self._keys: dict[bytes, int] = {}

    def keys(self, session: Session, asked: Iterable[Question]) -> list[int]:
        """Return the key of each of these, in their order; what is new is stored.

        A key is remembered once this transaction is committed.
        """
        named = [(question.sha256, question) for question in asked]
        unknown = {name: each for name, each in named if name not in self._keys}
        if not unknown:
            return [self._keys[name] for name, _ in named]
        stored = _stored(session, unknown)
        event.listen(
            session, "after_commit", lambda _: self._keys.update(stored), once=True
        )
        return [stored.get(name) or self._keys[name] for name, _ in named]


def _stored(session: Session, unknown: Mapping[bytes, Question]) -> dict[bytes, int]:
    """Return the keys of questions, storing those that nobody has stored yet.

    In the order of their names, in which two who store the same ones wait for each
    other without a knot.
    """
    found = _known(session, unknown)
    new = [
        {
            "sha256": name,
            "purpose": each.purpose,
            "channel": each.channel,
            "text_hash": each.text_hash,
            "notice_hash": each.notice_hash,
            "form_hash": each.form_hash,
            "locale": each.locale,
            "context": dict(each.context),
        }
        for name, each in sorted(unknown.items(), key=lambda item: item[0])
        if name not in found
    ]
    if not new:
        return found
    insert = inserting(session.get_bind().dialect.name)(_question)
    session.connection().execute(insert.on_conflict_do_nothing(), new)
    return _known(session, unknown)


def _known(session: Session, names: Iterable[bytes]) -> dict[bytes, int]:
    rows = session.connection().execute(_KEYS, {"names": list(names)})
    return {row.sha256: row.id for row in rows}


_question = table(ConsentQuestion)
_KEYS: Any = select(_question.c.sha256, _question.c.id).where(
    _question.c.sha256.in_(bindparam("names", expanding=True))
)
