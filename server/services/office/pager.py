"""A long list a page at a time, newest first, told where to go on by a row's name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy.orm import Session

LINES = 50
L = TypeVar("L")


@dataclass(frozen=True, slots=True)
class Page(Generic[L]):
    """Some lines, and the name after which older ones follow."""

    lines: list[L]
    older: str | None


def newest(session: Session, wanted: Any, key: Any) -> tuple[Sequence[Any], bool]:
    """Return the newest of the wanted rows, and whether older ones follow.

    `key` is the column that grows with each.
    """
    rows = session.execute(wanted.order_by(key.desc()).limit(LINES + 1)).all()
    return rows[:LINES], len(rows) > LINES
