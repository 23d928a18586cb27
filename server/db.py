"""The database: one transaction per use case, and SQLite's and PostgreSQL's habits.

SQLite writers queue on a lock per process and one `flock` between processes before
`BEGIN IMMEDIATE`; polling for the lock instead costs ten times the worst wait.
"""

import fcntl
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session, sessionmaker

BUSY_TIMEOUT_MS = 30_000
# Of an error's code, the last byte says which kind it is (sqlite.org/rescode.html).
PRIMARY = 0xFF
IN_USE = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
WRITE_WAIT_S = 10.0
STATEMENT_TIMEOUT_MS = 5_000
NO_TIMEOUT = 0
LOCK_TIMEOUT_MS = 4_000
POOL_SIZE = 16
PING_AFTER_S = 1.0
# With less than this on the disk, a write may soon fail.
LEAST_FREE_BYTES = 200 * 1024 * 1024


class DatabaseBusyError(Exception):
    """The database had no room for this write in time; trying again may work."""


class NotCompactedError(Exception):
    """SQLite's file could not be rewritten; its tables are as they should be."""

    def __init__(self, why: str) -> None:
        super().__init__(
            "the tables are up to date, but the file of the database could not be "
            f"rewritten ({why}): that takes as much free room again as the file. Until "
            "then what was taken out of the tables can still be read in it. Make room "
            "and run once more: python -m server init"
        )


class LostRowsError(Exception):
    """After a change of tables some rows refer to nothing; nothing was changed."""


class Database:
    """Opens transactions on one database; knows which of the two kinds it is.

    One that `is_patient` lets a statement on PostgreSQL take as long as it needs.
    """

    def __init__(self, url: str, *, is_patient: bool = False) -> None:
        self.url = url
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        if self.is_sqlite:
            path = Path(make_url(url).database or "")
            self._gate: _WriteGate | _OpenGate = _WriteGate(path.with_suffix(".lock"))
            self.engine = _sqlite_engine(url, begin="BEGIN IMMEDIATE", query_only=False)
            self._read_engine = _sqlite_engine(url, begin="BEGIN", query_only=True)
        else:
            self._gate = _OpenGate()
            # Of the connection, since those that read have no transaction to set it in.
            limit = NO_TIMEOUT if is_patient else STATEMENT_TIMEOUT_MS
            self.engine = _postgresql_engine(url, limit)
            self._read_engine = _postgresql_engine(url, limit, read_only=True)
        self._writers = sessionmaker(self.engine, expire_on_commit=False)
        self._readers = sessionmaker(self._read_engine, expire_on_commit=False)
        still = self._read_engine
        if not self.is_sqlite:
            still = still.execution_options(isolation_level="REPEATABLE READ")
        self._still = sessionmaker(still, expire_on_commit=False)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Yield a session whose work is committed at the end, or not at all.

        Raises `DatabaseBusyError` where other writers held the database too long.
        """
        # The next writer waits for what is between the gate and the commit alone.
        with self._writers() as session, self._gate.passage(), session.begin():
            yield session

    @contextmanager
    def reshaping(self) -> Iterator[Connection]:
        """Yield a connection on which tables may be changed, all of it or nothing.

        SQLite changes a table by copying it, so what refers to it is looked at once
        it is there again.
        """
        with self._gate.passage(), self.engine.connect() as connection:
            if not self.is_sqlite:
                with connection.begin():
                    yield connection
                return
            driver: Any = connection.connection.driver_connection
            # Not through the engine, which would begin: in a transaction it is ignored.
            driver.execute("PRAGMA foreign_keys=OFF")
            try:
                with connection.begin():
                    yield connection
                    lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                    if lost:
                        raise LostRowsError(f"rows refer to nothing: {lost[:3]}")
            finally:
                driver.execute("PRAGMA foreign_keys=ON")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session that the database itself keeps from writing."""
        with self._readers() as session, session.begin():
            yield session

    @contextmanager
    def standing_still(self) -> Iterator[Session]:
        """Yield a session like `reading`, to which all is as of one moment.

        Who compares tables with each other needs that. SQLite gives it to every reader.
        """
        with self._still() as session, session.begin():
            yield session

    def compact(self) -> None:
        """Rewrite SQLite's file where a step has asked for it; PostgreSQL has VACUUM.

        What was taken out of tables stays in free pages and in the WAL until then.
        Raises `DatabaseBusyError` while others use it, and `NotCompactedError` where
        there is no room; the next call tries again.
        """
        if not self.is_sqlite:
            return
        # Not through the engine: with `temp_store=MEMORY` a copy would be in memory.
        path = make_url(self.url).database or ""
        with self._gate.passage(), closing(sqlite3.connect(path)) as driver:
            driver.isolation_level = None
            if not driver.execute("PRAGMA user_version").fetchone()[0]:
                return
            driver.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
            try:
                driver.execute("VACUUM")
                (is_busy, *_) = driver.execute(
                    "PRAGMA wal_checkpoint(TRUNCATE)"
                ).fetchone()
            except sqlite3.Error as error:
                if error.sqlite_errorcode & PRIMARY in IN_USE:
                    raise DatabaseBusyError from error
                raise NotCompactedError(str(error)) from error
            if is_busy:
                raise DatabaseBusyError
            driver.execute("PRAGMA user_version = 0")

    def dispose(self) -> None:
        """Close every connection, before a fork or at the end."""
        self.engine.dispose()
        self._read_engine.dispose()


def transaction() -> Any:
    """Return a write transaction on this application's database."""
    return current_database().transaction()


def reading() -> Any:
    """Return a read-only transaction on this application's database."""
    return current_database().reading()


def current_database() -> Database:
    """Return the database of the application at hand."""
    database: Database = current_app.extensions["database"]
    return database


class _OpenGate:
    """PostgreSQL queues writers itself."""

    @contextmanager
    def passage(self) -> Iterator[None]:
        yield


class _WriteGate:
    """Lets one writer through at a time: first among threads, then among processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Lock()
        self._file: int | None = None
        self._pid = 0

    @contextmanager
    def passage(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=WRITE_WAIT_S):
            raise DatabaseBusyError
        try:
            handle = self._handle()
            # Only one thread of a process ever waits here, and the kernel lets go of
            # a dead holder's lock; polling with a time limit would starve someone.
            fcntl.flock(handle, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(handle, fcntl.LOCK_UN)
        finally:
            self._turn.release()

    def _handle(self) -> int:
        # A forked child that kept its parent's handle would share the parent's lock.
        if self._file is None or self._pid != os.getpid():
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            self._pid = os.getpid()
        return self._file


# Every entry leaves five of these documents.
_compact = json.JSONEncoder(separators=(",", ":")).encode


def _sqlite_engine(url: str, *, begin: str, query_only: bool) -> Engine:
    engine = create_engine(
        url,
        json_serializer=_compact,
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        pool_timeout=WRITE_WAIT_S,
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # The driver's own BEGIN is deferred and late; the listener below says it.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            # With NORMAL a committed entry may vanish when the power fails.
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            # What is erased is overwritten, not left in a free page (029).
            "secure_delete=ON",
            f"query_only={'ON' if query_only else 'OFF'}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgresql_engine(
    url: str, statement_timeout: int, *, read_only: bool = False
) -> Engine:
    engine = create_engine(
        url,
        # A transaction around reads would add two round trips and change nothing:
        # each statement sees what is committed when it begins, with or without.
        isolation_level="AUTOCOMMIT" if read_only else "READ COMMITTED",
        json_serializer=_compact,
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        pool_timeout=WRITE_WAIT_S,
        connect_args={
            "connect_timeout": 5,
            "options": (
                f"-c statement_timeout={statement_timeout} "
                f"-c lock_timeout={LOCK_TIMEOUT_MS} "
                f"-c default_transaction_read_only={'on' if read_only else 'off'}"
            ),
        },
    )

    @event.listens_for(engine, "checkin")
    def _rested(_connection: Any, record: Any) -> None:
        record.info["since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ping(connection: Any, record: Any, _proxy: Any) -> None:
        # A busy connection proves itself; a ping each time costs a round trip.
        if time.monotonic() - record.info.get("since", 0) < PING_AFTER_S:
            return
        try:
            connection.execute("SELECT 1")
            connection.rollback()
        except Exception as error:
            # The pool tries another, and in the end a new one.
            raise DisconnectionError from error

    return engine
