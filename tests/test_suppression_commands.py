"""After an older backup was restored nobody comes back with it (T30, DS-02)."""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from server.models import ConsentEvent, Suppression
from server.services import contacts, privacy
from tests.people import contact_of
from tests.visits import sure_win, take_card

ANN, BEN, CAS = "ann@example.com", "ben@example.com", "cas@example.com"
USE = privacy.Use("nl", "test", {})


@pytest.fixture
def database_kind() -> str:
    """A backup of SQLite is a copy of its file."""
    return "sqlite"


@pytest.fixture
def use(house, app):
    """Let somebody use a right."""

    def use(right, mailbox):
        tools = app.extensions["tools"]
        with house.database.transaction() as session:
            row = contact_of(session, mailbox, house.vault)
            who = contacts.person(session, row.id, vault=house.vault)
            right(session, who, use=USE, tools=tools, now=house.clock.now())

    return use


@pytest.fixture
def restored(publish, client, house, use, run, settings, tmp_path):
    """A backup from before Ann was erased and Ben objected; their tombstones."""
    publish(sure_win(days=365))
    for mailbox in (ANN, BEN, CAS):
        take_card(client).enter(client, mailbox, consents=["newsletter"])
        house.press(client, house.link("confirm", to=mailbox))
    file = tmp_path / "suppressions.jsonl"
    path = Path(settings.database_url.partition(":///")[2])
    house.database.dispose()
    backup = tmp_path / "backup.db"
    _copy(path, backup)
    use(privacy.erase, ANN)
    use(privacy.object_to_marketing, BEN)
    assert run("suppression", "export", "--to", file).exit_code == 0
    house.database.dispose()
    _copy(backup, path)
    assert len(list(filter(None, house.emails()))) == 3
    return file


def _copy(source: Path, target: Path) -> None:
    for end in ("-wal", "-shm"):
        target.with_name(target.name + end).unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(source, target)


def test_who_was_erased_or_objected_is_so_again(restored, run, house):
    told = run("suppression", "apply", "--from", restored)

    assert (told.exit_code, told.output) == (
        0,
        f"{restored}: 2 suppressions, 2 of them were missing\n",
    )
    assert set(house.emails()) == {"", BEN, CAS}
    assert house.standing(BEN) == {"newsletter": "withdrawn"}
    assert house.standing(CAS) == {"newsletter": "given"}
    assert ANN not in str(house.dump())
    house.verify_ledger()


def test_once_more_changes_nothing(restored, run, house):
    run("suppression", "apply", "--from", restored)
    before = house.dump()

    told = run("suppression", "apply", "--from", restored)

    assert told.output.endswith("2 suppressions, 0 of them were missing\n")
    assert house.dump() == before


def test_who_came_back_by_themselves_stays(restored, run, house, client, clock):
    run("suppression", "apply", "--from", restored)
    clock.advance(timedelta(days=2))
    take_card(client).enter(client, ANN, consents=["newsletter"])

    run("suppression", "apply", "--from", restored)

    assert ANN in set(house.emails())


def test_who_ended_their_objection_since_may_be_asked(restored, run, house, use, clock):
    """An older file says no more than the database what somebody wants today."""
    run("suppression", "apply", "--from", restored)
    clock.advance(timedelta(days=2))
    use(privacy.end_objection, BEN)

    run("suppression", "apply", "--from", restored)

    assert [row.reason for row in house.rows(Suppression)] == ["erased"]


def test_the_file_names_nobody(restored):
    text = restored.read_text()

    assert "@" not in text
    assert {json.loads(line)["reason"] for line in text.splitlines()} == {
        "erased",
        "never",
    }


@pytest.mark.parametrize(
    "line", ["", "{}", "[]", '{"shop":"demo"}', "\x00", '{"at":"2026-01-01"}']
)
def test_half_a_file_does_nothing(restored, run, house, line):
    restored.write_text(restored.read_text() + line + "\n")
    before = house.dump()

    told = run("suppression", "apply", "--from", restored)

    assert told.exit_code == 2
    assert "line 3: this is no suppression" in told.output
    assert house.dump() == before


def test_what_the_backup_never_knew_is_kept_away_too(restored, run, house, database):
    """Their contact is not in it at all, and an import must not make one."""
    stone = json.loads(restored.read_text().splitlines()[0]) | {"email_hash": "ab" * 32}
    restored.write_text(json.dumps(stone) + "\n")

    run("suppression", "apply", "--from", restored)

    assert "ab" * 32 in {row.email_hash.hex() for row in house.rows(Suppression)}
    assert len(house.rows(ConsentEvent)) == 6
