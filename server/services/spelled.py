"""Statements that are spelled once, so that a run only hands the driver its values.

Where a statement runs for every visitor, what Core does for each run costs more than
the database does. Elsewhere Core itself is the plainer way.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Connection,
    CursorResult,
    Dialect,
    or_,
)

Row = Mapping[str, Any]


def one_of(column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """Select rows by a few fixed values; `IN` would be spelled anew in each run."""
    return or_(*(column == value for value in values))


class Spelled:
    """One statement in the words of one database.

    What it returns is the driver's own: a moment comes as milliseconds.
    """

    def __init__(
        self,
        statement: ClauseElement,
        dialect: Dialect,
        names: Sequence[str] | None = None,
    ) -> None:
        """Spell a statement; `names` are the columns that an `INSERT` is told.

        A list that is told when it runs (`IN`) has no fixed words, and a default of
        ours has to be made each time: both raise TypeError.
        """
        sql: Any = statement.compile(dialect=dialect, column_keys=names)
        if sql.prefetch or sql.post_compile_params or sql.literal_execute_params:
            raise TypeError("Core fills something in here in each run")
        self._text: str = sql.string
        # SQLite takes values in order, PostgreSQL's driver by name.
        self._order: list[str] | None = sql.positiontup
        self._fixed: dict[str, Any] = {}
        self._spells: dict[str, Callable[[Any], Any]] = {}
        for bind in sql.binds.values():
            name = sql.bind_names[bind]
            spell = bind.type.dialect_impl(dialect).bind_processor(dialect)
            if not bind.required:
                self._fixed[name] = spell(bind.value) if spell else bind.value
            elif spell:
                self._spells[name] = spell

    def run(self, connection: Connection, *rows: Row) -> CursorResult[Any]:
        """Run it once for each of these rows, which tell what it asks for."""
        told = [self._as_told(row) for row in rows]
        return connection.exec_driver_sql(
            self._text, told if len(told) > 1 else told[0]
        )

    def _as_told(self, row: Row) -> Any:
        values = {**self._fixed, **row}
        for name, spell in self._spells.items():
            values[name] = spell(values[name])
        if self._order is None:
            return values
        return tuple([values[name] for name in self._order])
