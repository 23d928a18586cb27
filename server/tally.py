"""Hits counted in a small file, so that all processes of one machine count together.

It lies beside the database and not in it: a count must not wait for whoever writes an
entry, and may be lost with the machine, so none of it is flushed to the disk (AB-01).
"""

import os
import sqlite3
import threading
import time
from pathlib import Path

import structlog
from limits import RateLimitItem

log = structlog.get_logger()

NAME = "limits.db"
PATIENCE_S = 0.5
LEFT_ALONE_S = 5.0
_TABLE = """
CREATE TABLE IF NOT EXISTS hit (key TEXT NOT NULL, until REAL NOT NULL);
CREATE INDEX IF NOT EXISTS hit_key ON hit (key, until);
CREATE INDEX IF NOT EXISTS hit_until ON hit (until);
"""


class Tally:
    """Counts hits within a moving window, for every process that opens the file.

    Its methods raise `TallyError` while the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Lock()
        self._open: sqlite3.Connection | None = None
        self._pid = 0
        self._alone_until = 0.0

    def hit(self, item: RateLimitItem, /, *identifiers: str) -> bool:
        """Note a hit, unless the window is full."""
        key, now = item.key_for(*identifiers), time.time()
        with self._turn:
            try:
                return self._note(key, item.amount, now, now + item.get_expiry())
            except sqlite3.Error as error:
                raise self._broken(error) from error

    def has_room(self, item: RateLimitItem, /, *identifiers: str) -> bool:
        """Return whether the window has room for one more hit."""
        key, now = item.key_for(*identifiers), time.time()
        with self._turn:
            try:
                return not _is_full(self._connected(), key, item.amount, now)
            except sqlite3.Error as error:
                raise self._broken(error) from error

    def _note(self, key: str, most: int, now: float, until: float) -> bool:
        connection = self._connected()
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute("DELETE FROM hit WHERE until <= ?", (now,))
            is_full = _is_full(connection, key, most, now)
            if not is_full:
                connection.execute("INSERT INTO hit VALUES (?, ?)", (key, until))
        finally:
            connection.execute("COMMIT")
        return not is_full

    def _connected(self) -> sqlite3.Connection:
        if time.monotonic() < self._alone_until:
            raise sqlite3.OperationalError("left alone for a while")
        # A forked child that kept its parent's connection would break its locks.
        if self._open is None or self._pid != os.getpid():
            self._open = sqlite3.connect(
                self._path,
                timeout=PATIENCE_S,
                isolation_level=None,
                check_same_thread=False,
            )
            self._pid = os.getpid()
            self._open.execute("PRAGMA journal_mode = WAL")
            self._open.execute("PRAGMA synchronous = OFF")
            self._open.executescript(_TABLE)
        return self._open

    def _broken(self, error: sqlite3.Error) -> "TallyError":
        if time.monotonic() >= self._alone_until:
            self._open, self._alone_until = None, time.monotonic() + LEFT_ALONE_S
            log.error("limits unreachable", error=type(error).__name__)
        return TallyError()


class TallyError(Exception):
    """The file of counts cannot be used at this moment."""


def _is_full(connection: sqlite3.Connection, key: str, most: int, now: float) -> bool:
    """Return whether there are so many hits that still count."""
    found = connection.execute(
        "SELECT 1 FROM hit WHERE key = ? AND until > ? LIMIT 1 OFFSET ?",
        (key, now, most - 1),
    )
    return found.fetchone() is not None
