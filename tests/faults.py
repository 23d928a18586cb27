"""A database that fails at one statement after the other, as a full disk makes it."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from server.db import Database
from tests.visits import House

# Refused by the database itself, so that its transaction is broken as it would be.
BROKEN = {
    "sqlite": "SELECT no_such_function()",
    "postgresql": "DO $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = '53100'; END $$",
}
# Alone, or one of several that go to PostgreSQL together (`services/batch`).
CHANGE = re.compile(r"(?:^|\(|\)\s*)(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")

# A statement, and how often it was said before within one act.
Said = tuple[str, int]


class Fault:
    """Breaks the first statement or commit that is not to be spared.

    Told by its words and not by its number, for what is cached is not asked again.
    """

    def __init__(self, spared: set[Said]) -> None:
        self._spared = spared
        self._said: Counter[str] = Counter()
        self.broke: Said | None = None

    def statement(
        self,
        connection: Connection,
        _cursor: Any,
        statement: str,
        parameters: Any,
        _context: Any,
        executemany: bool,
    ) -> tuple[str, Any]:
        if not self._is_its_turn(statement):
            return statement, parameters
        return BROKEN[connection.dialect.name], [()] if executemany else ()

    def commit(self, _connection: Connection) -> None:
        if self._is_its_turn("COMMIT"):
            raise OperationalError("COMMIT", None, Exception("broken on purpose"))

    def _is_its_turn(self, statement: str) -> bool:
        said = statement, self._said[statement]
        self._said[statement] += 1
        if self.broke or said in self._spared:
            return False
        self.broke = said
        return True


@contextmanager
def fault(database: Database, *, spared: set[Said]) -> Iterator[Fault]:
    """Let the first statement or commit fail that is none of these."""
    made = Fault(spared)
    with database.reading() as session:
        engines = [database.engine, session.get_bind()]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", made.statement, retval=True)
    event.listen(database.engine, "commit", made.commit)
    try:
        yield made
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", made.statement)
        event.remove(database.engine, "commit", made.commit)


def fail_everywhere(house: House, act: Callable[[], Any]) -> tuple[set[str], Any]:
    """Do something again and again, each time with the next statement broken.

    Return which tables it failed to change, with every row left as it was, and what
    came of it in the end. An answer of 503 or an error of the database is how it may
    fail. What fails after the commit costs only the answer: to ask once more stores
    no more.
    """
    before, failed = house.dump(), set[Said]()
    while True:
        with fault(house.database, spared=failed) as made:
            try:
                answer = act()
            except OperationalError:
                answer = None
        if made.broke is None:
            return _changes(failed), answer
        assert answer is None or answer.status_code == 503, made.broke
        after = house.dump()
        if after != before:
            answer = act()
            assert house.dump() == after, f"left a part behind: {made.broke}"
            return _changes(failed), answer
        failed.add(made.broke)


def _changes(failed: set[Said]) -> set[str]:
    """Return the tables that these statements wish to change, and if they commit."""
    statements = {statement for statement, _ in failed}
    tables = {table for statement in statements for table in CHANGE.findall(statement)}
    return tables | (statements & {"COMMIT"})
