"""Hits counted in a small file, so that all processes of one machine count together.

It lies beside the database and not in it: a count must not wait for whoever writes an
entry, and may be lost with the machine, so none of it is flushed to the disk (AB-01).
"""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from limits import RateLimitItem

log = structlog.get_logger()

NAME = "limits.db"
PATIENCE_S = 0.5
LEFT_ALONE_S = 5.0
# What is over counts for nothing; it only takes room until it is swept away.
SWEPT_EVERY_S = 30.0
# Hits of one key are numbered, so that the one that has to be over before another fits
# is found at once, however many fit.
_TABLE = """
DROP TABLE IF EXISTS hit;
CREATE TABLE IF NOT EXISTS noted (
    key TEXT NOT NULL, number INTEGER NOT NULL, until REAL NOT NULL,
    PRIMARY KEY (key, number)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """One more of what a limit counts under a key; or only a look whether it fits.

    `scope` is what the log calls it.
    """

    item: RateLimitItem
    key: str
    scope: str = ""
    is_noted: bool = True

    @property
    def full_key(self) -> str:
        """Return the key with the limit in it: each limit counts for itself."""
        return self.item.key_for(self.key)


# What is counted one after the other, up to the first hit that is one too many.
Chain = Sequence[Hit]


class Tally:
    """Counts hits within a moving window, for every process that opens the file.

    It raises `TallyError` while the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Lock()
        self._open: sqlite3.Connection | None = None
        self._pid = 0
        self._alone_until = 0.0
        self._swept_at = 0.0

    def count(self, *chains: Chain) -> list[Hit | None]:
        """Note hits as `count_chains` does.

        All chains are one transaction, so a visitor waits for other processes once. Who
        only looks waits for nobody.
        """
        is_look = not any(hit.is_noted for chain in chains for hit in chain)
        now = time.time()
        with self._turn:
            try:
                connection = self._connected()
                if is_look:
                    return _note_all(connection, chains, now)
                return self._note(connection, chains, now)
            except (sqlite3.Error, OSError) as error:
                raise self._broken(error) from error

    def _note(
        self, connection: sqlite3.Connection, chains: Sequence[Chain], now: float
    ) -> list[Hit | None]:
        connection.execute("BEGIN IMMEDIATE")
        try:
            if abs(now - self._swept_at) >= SWEPT_EVERY_S:
                connection.execute("DELETE FROM noted WHERE until <= ?", (now,))
                self._swept_at = now
            return _note_all(connection, chains, now)
        finally:
            connection.execute("COMMIT")

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
            _prepare(self._open, self._path)
        return self._open

    def _broken(self, error: Exception) -> "TallyError":
        if time.monotonic() >= self._alone_until:
            self._open, self._alone_until = None, time.monotonic() + LEFT_ALONE_S
            log.error("limits unreachable", error=type(error).__name__)
        return TallyError()


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the file ready, one process after the other.

    For a change of the journal SQLite waits for nobody by itself.
    """
    turn = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(_TABLE)
    finally:
        os.close(turn)


class TallyError(Exception):
    """The file of counts cannot be used at this moment."""


def count_chains(
    chains: Iterable[Chain], fits: Callable[[Hit], bool]
) -> list[Hit | None]:
    """Note the hits of each chain, and return for each which was one too many.

    That one is not noted, nor are those behind it, nor is any chain after it: those are
    missing in what is returned.
    """
    refused: list[Hit | None] = []
    for chain in chains:
        refused.append(next((hit for hit in chain if not fits(hit)), None))
        if refused[-1] is not None:
            break
    return refused


def _note_all(
    connection: sqlite3.Connection, chains: Sequence[Chain], now: float
) -> list[Hit | None]:
    return count_chains(chains, lambda hit: _fits(connection, hit, now))


def _fits(connection: sqlite3.Connection, hit: Hit, now: float) -> bool:
    """Note one hit, if it is to be noted; False if the window is full."""
    key, most = hit.full_key, hit.item.amount
    newest, until = connection.execute(_LOOK, {"key": key, "back": most - 1}).fetchone()
    if until is not None and until > now:
        return False
    if hit.is_noted:
        over = now + hit.item.get_expiry()
        connection.execute(
            "INSERT INTO noted VALUES (?, ?, ?)", (key, newest + 1, over)
        )
    return True


# The newest number of a key, and until when the hit counts that fills the window.
_LOOK = """
SELECT newest, (SELECT until FROM noted WHERE key = :key AND number = newest - :back)
FROM (SELECT coalesce(max(number), 0) AS newest FROM noted WHERE key = :key)
"""
