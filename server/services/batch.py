"""Rows that are written together: in one round trip where the database knows how.

On PostgreSQL each round trip counts, so rows that wait for nobody's answer go as one
statement with a CTE for each `INSERT`. SQLite has no round trips and no such CTE: there
they go one after the other. Who adds to a batch sees no difference.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import (
    JSON,
    Connection,
    Dialect,
    Insert,
    Text,
    bindparam,
    column,
    func,
    literal_column,
    select,
)

from server.models.base import Base, in_milliseconds, table
from server.services.spelled import Row, Spelled

# One INSERT of a batch: the statement, and the columns that it is given.
Part = tuple[Insert, tuple[str, ...]]
# More than there are paths: one for each set of tables that goes together.
MOST_SHAPES = 100


class Writer(Protocol):
    """Takes rows: a connection at once, a batch until it is sent."""

    def execute(self, statement: Any, parameters: Any, /) -> Any:
        """Write these rows."""


class Batch:
    """Collects rows, and writes nothing before `send`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: list[tuple[Insert, Sequence[Row]]] = []

    def execute(self, statement: Insert, parameters: Row | Sequence[Row], /) -> None:
        """Add one row, or several of the same columns, for an `INSERT` of `VALUES`.

        What refers to them needs a key that was taken beforehand (`next_ids`). No two
        statements of a batch may touch the same row: on PostgreSQL none sees another.
        """
        rows = [parameters] if isinstance(parameters, Mapping) else parameters
        if rows:
            self._waiting.append((statement, rows))

    def send(self) -> None:
        """Write what was collected; the rows of one `execute` keep their order."""
        waiting, self._waiting = self._waiting, []
        if self._connection.dialect.name == "sqlite":
            for statement, rows in waiting:
                insert = _insert(self._connection.dialect, statement, tuple(rows[0]))
                insert.run(self._connection, *rows)
        elif waiting:
            parts = [(insert, tuple(rows[0])) for insert, rows in waiting]
            told = {_name(at): _as_text(rows) for at, (_, rows) in enumerate(waiting)}
            _at_once(self._connection.dialect, *parts).run(self._connection, told)


@lru_cache(MOST_SHAPES)
def _insert(dialect: Dialect, insert: Insert, names: tuple[str, ...]) -> Spelled:
    return Spelled(insert, dialect, names)


@lru_cache(MOST_SHAPES)
def _at_once(dialect: Dialect, *parts: Part) -> Spelled:
    """Return the statement that writes rows of several tables, however many.

    The rows of a table are one parameter. One for each value would be eighty, which
    the driver takes apart anew each time, and a shape for each number of rows.
    """
    *before, last = [
        insert.from_select(names, _rows(at, insert, names))
        for at, (insert, names) in enumerate(parts)
    ]
    ctes = [insert.cte(f"written_{at}") for at, insert in enumerate(before)]
    return Spelled(last.add_cte(*ctes), dialect)


def _rows(at: int, insert: Insert, names: Sequence[str]) -> Any:
    kinds = [column(name, insert.table.c[name].type) for name in names]
    told = bindparam(_name(at), type_=Text())
    rows = func.json_to_recordset(told.cast(JSON)).table_valued(*kinds)
    return select(*rows.render_derived(name=f"told_{at}", with_types=True).c)


def _name(at: int) -> str:
    return f"rows_{at}"


def _as_text(rows: Sequence[Row]) -> str:
    return _encoder.encode(rows)


def _as_json(value: Any) -> Any:
    """Spell what JSON does not know as PostgreSQL reads it in a column of its type."""
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, datetime):
        return in_milliseconds(value)
    raise TypeError(f"no column holds a {type(value).__name__}")


_encoder = json.JSONEncoder(default=_as_json, separators=(",", ":"))


def next_ids(dialect: str, *models: type[Base]) -> list[Any]:
    """Select keys, like `link_id`, for rows written later in the same transaction.

    So what refers to them can be written with them. SQLite has one writer at a time:
    there it is the highest one and one more, as SQLite itself would give it out.
    """
    return [
        _next_id(dialect, model).label(f"{model.__tablename__}_id") for model in models
    ]


def _next_id(dialect: str, model: type[Base]) -> Any:
    if dialect == "sqlite":
        highest = func.max(table(model).c.id)
        return select(func.coalesce(highest, 0) + 1).scalar_subquery()
    return func.nextval(literal_column(f"'{model.__tablename__}_id_seq'::regclass"))
