"""The demo as a visitor meets it: a shop on one site, our service on another."""

import os
import sqlite3
import sys
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w
from click.testing import CliRunner

from server.__main__ import main
from server.services import contacts
from tests.people import vault_of
from tests.servers import LOOPBACK, ROOT, Program, free_port


@dataclass(frozen=True, slots=True)
class Address:
    """Where a demo listens. `localhost` and `127.0.0.1` are two sites to a browser."""

    service_port: int
    shop_port: int

    @classmethod
    def free(cls) -> "Address":
        """Return one that nobody uses."""
        return cls(free_port(), free_port())

    @property
    def service(self) -> str:
        return f"http://{LOOPBACK}:{self.service_port}"

    @property
    def shop(self) -> str:
        return f"http://localhost:{self.shop_port}"

    def environ(self, instance: Path) -> dict[str, str]:
        """Return the settings that make a demo listen there."""
        return {
            "PATH": os.environ["PATH"],
            "JAWOORD_INSTANCE": str(instance),
            "JAWOORD_BIND": f"{LOOPBACK}:{self.service_port}",
            "JAWOORD_DEMO_SHOP_URL": self.shop,
            # A test types faster than people do.
            "JAWOORD_LEAST_FILL_SECONDS": "0",
        }


class Demo:
    """A running `python -m server demo`, started and stopped as a person would."""

    def __init__(self, folder: Path) -> None:
        self.address = Address.free()
        self.instance = folder / "instance"
        self._folder = folder
        self._environ = self.address.environ(self.instance)
        self.program = Program(
            [sys.executable, "-m", "server", "demo"],
            log=folder / "demo.log",
            cwd=ROOT,
            env=self._environ,
        )
        self.program.wait_until(self.is_up)

    @property
    def service(self) -> str:
        return self.address.service

    def shop(self, path: str = "") -> str:
        """Return the address of a page of the demo shop."""
        return f"{self.address.shop}/demo/{path}"

    def is_up(self) -> bool:
        """Return whether it said that it is running."""
        return "Jawoord is running" in self.program.log.read_text()

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the demo's database, which is read only to us."""
        path = self.instance / "jawoord.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return database.execute(query, values).fetchall()

    def hashed(self, email: str) -> bytes:
        """Return by what the demo's shop knows an address."""
        ((shop_id,),) = self.rows("SELECT id FROM shop WHERE code = 'demo'")
        return contacts.hash_email(vault_of(self.instance), shop_id, email)

    def counts(self) -> dict[str, int]:
        """Return how many rows each table holds."""
        names = self.rows(
            "SELECT name FROM sqlite_master WHERE type = 'table' "
            "AND name NOT LIKE 'sqlite_%'"
        )
        return {
            name: self.rows(f'SELECT count(*) FROM "{name}"')[0][0]  # noqa: S608  # our own names
            for (name,) in names
        }

    def decisions(self, email: str) -> list[str]:
        """Return what the ledger holds of a person's yes and no, oldest first."""
        rows = self.rows(
            "SELECT e.act FROM consent_event e JOIN contact c "
            "ON c.id = e.contact_id "
            "WHERE c.email_hash = ? AND e.act IN ('given', 'withdrawn') ORDER BY e.id",
            self.hashed(email),
        )
        return [act for (act,) in rows]

    def load(self, kind: str, tables: dict[str, Any]) -> None:
        """Import a `shop` or a `campaign`, as its developer would."""
        path = self._folder / f"{tables['code']}.toml"
        path.write_text(tomli_w.dumps(tables))
        self.command(kind, "import", str(path))

    def command(self, *words: str) -> str:
        """Run a command as the demo's operator, and return what it said.

        In this process: starting Python for each of a hundred files takes minutes.
        """
        done = CliRunner(env=self._environ).invoke(main, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    def get(self, path: str) -> str:
        """Return a page of the service, without a browser."""
        with urllib.request.urlopen(self.service + path, timeout=10) as answer:
            return str(answer.read().decode())

    def stop(self) -> None:
        """Stop it as the operator would."""
        self.program.stop()
