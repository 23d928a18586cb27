"""Wait for what is to happen and not for a while, as where two sides of a race meet."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.orm import Session

from server.db import Database

LIMIT_S = 20.0
# Who waits for a row that somebody else holds.
_BLOCKED = text(
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def until(is_so: Callable[[], object], *, within_s: float = LIMIT_S) -> None:
    """Wait until something is so; fail if that takes too long."""
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


def until_blocked(database: Database, is_done: Callable[[], bool]) -> None:
    """Wait until somebody waits for a row, or is done because nothing was in the way.

    SQLite has one writer at a time: who is not it has not begun.
    """
    if not database.is_sqlite:
        until(lambda: is_done() or _is_anybody_blocked(database))


def _is_anybody_blocked(database: Database) -> bool:
    with database.reading() as session:
        return bool(session.scalar(_BLOCKED))


@contextmanager
def halfway(
    database: Database, work: Callable[[Session], object], *, before: str
) -> Iterator[None]:
    """Let another thread do its work up to a statement, and no further for now.

    It goes on once the block is done, or waits for what the other one holds.
    """
    reached, is_over = threading.Event(), threading.Event()
    errors: list[Exception] = []

    def hold(_: Any, __: Any, statement: str, *___: Any) -> None:
        is_other = threading.current_thread() is other
        if is_other and before in statement and not reached.is_set():
            reached.set()
            until_blocked(database, is_over.is_set)

    def do() -> None:
        try:
            with database.transaction() as session:
                work(session)
        except Exception as error:
            errors.append(error)

    other = threading.Thread(target=do)
    event.listen(database.engine, "before_cursor_execute", hold)
    try:
        other.start()
        assert reached.wait(LIMIT_S), f"never got to {before!r}: {errors}"
        yield
    finally:
        is_over.set()
        other.join()
        event.remove(database.engine, "before_cursor_execute", hold)
    assert errors == []
