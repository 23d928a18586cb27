"""Which mailed links were opened, noted in a small file beside the database (DO-11).

A GET writes nothing that counts, and must not wait for whoever writes an entry; so it
leaves a mark here, and the worker of the same machine carries the marks over. They may
be lost with the machine. Nothing in them is about a person.
"""

import os
import sqlite3
import threading
from pathlib import Path

import structlog

NAME = "opened.db"
PATIENCE_S = 0.1

log = structlog.get_logger()


class Opened:
    """Marks links as opened, for every process that opens the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Lock()
        self._open: sqlite3.Connection | None = None
        self._pid = 0

    def mark(self, link_id: int) -> None:
        """Note that a link was opened; a mark that cannot be made is left out."""
        with self._turn:
            try:
                self._connected().execute(
                    "INSERT OR IGNORE INTO opened VALUES (?)", (link_id,)
                )
            except sqlite3.Error as error:
                self._open = None
                log.warning("opening not counted", error=type(error).__name__)

    def waiting(self, *, most: int) -> list[int]:
        """Return links that were opened and not carried over yet."""
        with self._turn:
            try:
                rows = self._connected().execute(
                    "SELECT link FROM opened LIMIT ?", (most,)
                )
                return [link for (link,) in rows.fetchall()]
            except sqlite3.Error:
                self._open = None
                return []

    def forget(self, links: list[int]) -> None:
        """Remove marks that were carried over."""
        with self._turn:
            try:
                self._connected().executemany(
                    "DELETE FROM opened WHERE link = ?", [(link,) for link in links]
                )
            except sqlite3.Error:
                # They come once more, and carrying them over again changes nothing.
                self._open = None

    def _connected(self) -> sqlite3.Connection:
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
            self._open.execute(
                "CREATE TABLE IF NOT EXISTS opened (link INTEGER PRIMARY KEY)"
            )
        return self._open
