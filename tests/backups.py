"""A backup of a test's database, and its way back: the earlier rows, nothing else."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import sql

from server.db import Database
from tests.servers import OWNER, Postgres

KEPT, SERVED = "jawoord_backup", "jawoord"


@dataclass(frozen=True)
class FileBackup:
    """A copy of the file, as of SQLite."""

    database: Database
    served: Path
    kept: Path

    def make(self) -> None:
        """Keep what is there now."""
        self.database.dispose()
        copy(self.served, self.kept)

    def restore(self) -> None:
        """Lose everything since."""
        self.database.dispose()
        copy(self.kept, self.served)


@dataclass(frozen=True)
class ServerBackup:
    """A database made from another one as its template, on PostgreSQL."""

    database: Database
    cluster: Postgres

    def make(self) -> None:
        """Keep what is there now."""
        self._fill(KEPT, SERVED)

    def restore(self) -> None:
        """Lose everything since."""
        self._fill(SERVED, KEPT)

    def _fill(self, name: str, template: str) -> None:
        self.database.dispose()
        words: dict[str, Any] = {
            "name": sql.Identifier(name),
            "template": sql.Identifier(template),
            "owner": sql.Identifier(OWNER),
        }
        drop = sql.SQL("DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        make = sql.SQL("CREATE DATABASE {name} TEMPLATE {template} OWNER {owner}")
        with self.cluster.admin() as connection:
            connection.execute(drop.format(**words))
            connection.execute(make.format(**words))


Backup = FileBackup | ServerBackup


def file_of(url: str) -> Path:
    """Return the file of a database on SQLite."""
    return Path(url.partition(":///")[2])


def copy(source: Path, target: Path) -> None:
    """Put a database in the place of another one."""
    for end in ("-wal", "-shm"):
        target.with_name(target.name + end).unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(source, target)
