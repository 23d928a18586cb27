"""The step that seals fields: forward and back, on both databases, with every kind."""

import os
import resource
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import select, text

from server import db
from server.db import Database, DatabaseBusyError
from server.domain.seals import NONCE_BYTES, Vault
from server.migrations import KeysError, migrate, steps_on
from server.models import Attribute, AudienceMember, Contact, Entry
from server.services import audiences
from tests.conftest import load_database_url
from tests.factories import make
from tests.people import (
    add_attribute,
    answers_of,
    email_of,
    give_email,
    source_of,
    tell,
)
from tests.servers import ROOT
from tests.tooling import tools_with

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
KEYS = (OLD, NEW)
BEFORE = "0009"
SMALL_BYTES = 64 * 1024
TOLD = {"first_name": "Canary-Zoë"}
SOURCE = {"order": "canary-order-7"}


@pytest.fixture
def bare(bare_database_url: str):
    """A database without any table."""
    opened = Database(load_database_url(bare_database_url))
    yield opened
    opened.dispose()


@pytest.fixture
def filled(bare, now):
    """A database of before the step: known, unclaimed, erased, and nothing told."""
    migrate(bare)
    vault = Vault(KEYS)
    with bare.transaction() as session:
        # Under the older data key as well: a rotation may have been since.
        for number, keys in enumerate((KEYS, (OLD,))):
            ref, key = os.urandom(16), os.urandom(32)
            sealed = Vault(keys).seal(key, nonce=os.urandom(NONCE_BYTES), about=ref)
            who = make(session, Contact, subject_ref=ref, sealed_key=sealed, now=now)
            give_email(who, f"canary-{number}@example.com", vault)
            entry = make(session, Entry, contact=who, state="claimed", now=now)
            tell(session, entry, vault, answers=TOLD, source=SOURCE)
            fact = {"key": "likes", "value": "canary|sun,sea", "at": now}
            add_attribute(session, entry, who, vault, **fact)
            named = audiences.sealed("meta", f"{number:064}", tools=tools_with(vault))
            make(
                session, AudienceMember, contact=who, platform="meta", now=now, **named
            )
        unclaimed = make(session, Entry, now=now)
        tell(session, unclaimed, vault, answers={"place": "sea"}, source=SOURCE)
        make(session, Contact, now=now)
        make(session, Entry, now=now)
    back(bare)
    return bare


def back(database: Database, keys: tuple[bytes, ...] = KEYS) -> None:
    with database.reshaping() as connection:
        command.downgrade(steps_on(connection, data_keys=keys), BEFORE)


def readable(database: Database) -> list[list[tuple[object, ...]]]:
    """Return what the tables say in clear, before the step."""
    with database.reading() as session:
        return [
            [tuple(row) for row in session.execute(text(query))]
            for query in (
                "SELECT email FROM contact ORDER BY id",
                "SELECT CAST(answers AS text), CAST(source AS text) FROM entry "
                "ORDER BY id",
                "SELECT key, value FROM attribute ORDER BY contact_id",
                "SELECT hashed FROM audience_member ORDER BY id",
            )
        ]


def test_a_step_back_opens_everything(filled):
    people, entries, facts, hashes = readable(filled)

    assert [email for (email,) in people] == [
        *("canary-0@example.com", "canary-1@example.com"),
        "",
    ]
    assert facts == [("likes", "canary|sun,sea")] * 2
    assert hashes == [(f"{0:064}",), (f"{1:064}",)]
    assert [(bool(told), bool(source)) for told, source in entries] == [
        *((True, True), (True, True), (True, True)),
        (False, False),
    ]


def test_the_step_seals_every_row_and_opens_it_again(filled):
    """T24: and what was readable is the same after a step back."""
    before, vault = readable(filled), Vault(KEYS)

    migrate(filled, data_keys=KEYS)

    with filled.reading() as session:
        people = session.scalars(select(Contact).order_by(Contact.id)).all()
        assert [email_of(row, vault) for row in people] == [
            *("canary-0@example.com", "canary-1@example.com"),
            "",
        ]
        entries = session.scalars(select(Entry).order_by(Entry.id)).all()
        told = [answers_of(session, row, vault) for row in entries[:3]]
        assert told == [TOLD, TOLD, {"place": "sea"}]
        assert [source_of(session, row, vault) for row in entries[:3]] == [SOURCE] * 3
        assert (entries[3].sealed_answers, entries[3].sealed_source) == (None, None)
        assert len(session.scalars(select(Attribute)).all()) == 2
    back(filled)
    assert readable(filled) == before


def test_rows_in_many_ranges_are_all_sealed(filled, monkeypatch):
    step = import_module("server.migrations.versions.0010_sealed_fields")
    before = readable(filled)
    monkeypatch.setattr(step, "AT_ONCE", 1)

    migrate(filled, data_keys=KEYS)
    back(filled)

    assert readable(filled) == before


def test_a_key_that_is_missing_stops_the_step_and_changes_nothing(filled):
    before = readable(filled)

    with pytest.raises(KeysError, match="what is of 1 people cannot be opened"):
        migrate(filled, data_keys=(NEW,))
    with pytest.raises(KeysError):
        migrate(filled)

    assert readable(filled) == before
    migrate(filled, data_keys=KEYS)


def test_an_address_without_any_key_stops_it_as_well(filled):
    with filled.transaction() as session:
        session.execute(
            text("UPDATE contact SET sealed_key = :none WHERE email LIKE '%0@%'"),
            {"none": b""},
        )

    with pytest.raises(KeysError, match="what is of 1 people"):
        migrate(filled, data_keys=KEYS)


def test_it_says_how_far_it_is(filled):
    seen: list[object] = []

    @contextmanager
    def bar(length, label):
        seen.append((label, length))
        yield seen.append

    migrate(filled, data_keys=KEYS, bar=bar)

    assert seen == [
        *(("sealing addresses", 3), 3, ("sealing entries", 4), 4),
        *(("sealing attributes", 2), 2, ("sealing audiences", 2), 2),
    ]


class TestTheFile:
    """SQLite keeps what was taken out in free pages and in its WAL."""

    @pytest.fixture
    def bare_database_url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/bare.db"

    def test_nothing_readable_is_left_in_it(self, filled, tmp_path):
        """T24."""
        assert found(tmp_path)

        migrate(filled, data_keys=KEYS)

        assert found(tmp_path) == []

    def test_who_was_interrupted_before_that_does_it_the_next_time(
        self, filled, tmp_path
    ):
        with filled.reshaping() as connection:
            command.upgrade(steps_on(connection, data_keys=KEYS), "head")
        assert found(tmp_path)

        migrate(filled, data_keys=KEYS)

        assert found(tmp_path) == []
        with sqlite3.connect(tmp_path / "bare.db") as driver:
            assert driver.execute("PRAGMA user_version").fetchone() == (0,)

    @pytest.fixture
    def unfinished(self, bare, tmp_path):
        """A database whose file is still to be rewritten; return its address."""
        migrate(bare)
        with sqlite3.connect(tmp_path / "bare.db") as driver:
            driver.execute("PRAGMA user_version = 1")
        return bare

    def test_who_has_no_room_for_that_is_told_so(self, unfinished, tmp_path):
        """A full disk is not a busy database: waiting would not help."""
        unfinished.dispose()

        said = subprocess.run(
            [sys.executable, "-m", "server", "init"],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "JAWOORD_INSTANCE": str(tmp_path),
                "JAWOORD_DATABASE_URL": unfinished.url,
            },
            preexec_fn=files_end_early,
            capture_output=True,
            text=True,
            timeout=60,
        )

        assert said.returncode == 2
        assert "the file of the database could not be rewritten" in said.stderr
        assert "busy" not in said.stderr
        unfinished.compact()
        with sqlite3.connect(tmp_path / "bare.db") as driver:
            assert driver.execute("PRAGMA user_version").fetchone() == (0,)

    def test_a_file_that_somebody_else_writes_is_busy(
        self, unfinished, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(db, "BUSY_TIMEOUT_MS", 50)
        other = sqlite3.connect(tmp_path / "bare.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(DatabaseBusyError):
            unfinished.compact()

        other.close()


def files_end_early() -> None:
    """Let no file of this process grow beyond what a session of SQLite needs."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_BYTES, SMALL_BYTES))


def found(folder: Path) -> list[str]:
    """Return the files of a database in which the canary can be read."""
    return [
        path.name for path in folder.glob("bare.db*") if b"canary" in path.read_bytes()
    ]


def test_an_entry_of_who_was_erased_keeps_nothing(filled):
    """Whatever an older version left behind: no key is there to seal it with."""
    with filled.transaction() as session:
        session.execute(
            text(
                "UPDATE contact SET email = '', sealed_key = :none "
                "WHERE email LIKE '%0@%'"
            ),
            {"none": b""},
        )

    migrate(filled, data_keys=KEYS)

    with filled.reading() as session:
        first = session.scalars(select(Entry).order_by(Entry.id)).first()
        assert (first.sealed_answers, first.sealed_source) == (None, None)
