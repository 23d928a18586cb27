"""After an older backup was restored nobody comes back with it (T30, DS-02)."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from server.models import ConsentEvent, Contact, Standing, Suppression
from server.services import contacts, privacy
from server.services.questions import Questions
from tests.backups import copy, file_of
from tests.claims import bring, consent
from tests.people import contact_of
from tests.visits import sure_win, take_card

ANN, BEN, CAS = "ann@example.com", "ben@example.com", "cas@example.com"
NEW = "ann.new@example.com"
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
def restored(publish, client, house, use, run, settings, tmp_path, app):
    """A backup from before Ann was erased and Ben objected; their tombstones."""
    publish(sure_win(days=365))
    for mailbox in (ANN, BEN, CAS):
        take_card(client).enter(client, mailbox, consents=["newsletter"])
        house.press(client, house.link("confirm", to=mailbox))
    file = tmp_path / "suppressions.jsonl"
    path = file_of(settings.database_url)
    house.database.dispose()
    backup = tmp_path / "backup.db"
    copy(path, backup)
    use(privacy.erase, ANN)
    use(privacy.object_to_marketing, BEN)
    assert run("suppression", "export", "--to", file).exit_code == 0
    house.database.dispose()
    copy(backup, path)
    # Whoever restores starts all processes anew, and they know no question yet.
    tools = app.extensions["tools"]
    app.extensions["tools"] = replace(tools, questions=Questions())
    assert len(list(filter(None, house.emails()))) == 3
    return file


def test_who_was_erased_or_objected_is_so_again(restored, run, house):
    told = run("suppression", "apply", "--from", restored)

    assert (told.exit_code, told.output) == (
        0,
        f"{restored}: 3 lines, 2 of them were missing\n",
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

    assert told.output.endswith("3 lines, 0 of them were missing\n")
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
        "withdrawn",
    }


@pytest.mark.parametrize(
    "line", ["", "{}", "[]", '{"shop":"demo"}', "\x00", '{"at":"2026-01-01"}']
)
def test_half_a_file_does_nothing(restored, run, house, line):
    restored.write_text(restored.read_text() + line + "\n")
    before = house.dump()

    told = run("suppression", "apply", "--from", restored)

    assert told.exit_code == 2
    assert "line 4: this is no suppression" in told.output
    assert house.dump() == before


def test_what_the_backup_never_knew_is_kept_away_too(restored, run, house, database):
    """Their contact is not in it at all, and an import must not make one."""
    stone = json.loads(restored.read_text().splitlines()[0])
    stone |= {"email_hash": "ab" * 32, "subject": "cd" * 16}
    restored.write_text(json.dumps(stone) + "\n")

    run("suppression", "apply", "--from", restored)

    assert "ab" * 32 in {row.email_hash.hex() for row in house.rows(Suppression)}
    assert len(house.rows(ConsentEvent)) == 6


# --- who had moved -------------------------------------------------------------------


@pytest.fixture
def moved_since(publish, client, house, use, run, settings, tmp_path):
    """Let Ann move after a backup, and use a right; restore it; return the file."""

    def moved_since(right):
        publish(sure_win(days=365))
        take_card(client).enter(client, ANN, consents=["newsletter"])
        house.press(client, house.link("confirm", to=ANN))
        path = file_of(settings.database_url)
        house.database.dispose()
        copy(path, tmp_path / "backup.db")
        client.post(f"{house.link('preferences', to=ANN)}/address", data={"email": NEW})
        house.press(client, house.link("rectify", to=NEW))
        use(right, NEW)
        file = tmp_path / "suppressions.jsonl"
        assert run("suppression", "export", "--to", file).exit_code == 0
        house.database.dispose()
        copy(tmp_path / "backup.db", path)
        assert house.emails() == [ANN]
        return file

    return moved_since


def test_who_objected_after_a_move_is_told_to_the_backup(moved_since, run, house):
    """T30, DS-02: the backup knows nothing but the address they had before."""
    file = moved_since(privacy.object_to_marketing)

    said = run("suppression", "apply", "--from", file)

    assert said.exit_code == 0
    assert set(house.standing(ANN).values()) == {"withdrawn"}
    assert not house.person(ANN).may_be_asked(house.clock.now())
    assert bring(house, consent(ANN), consent(NEW)) == ["never", "never"]
    assert len(house.rows(ConsentEvent, act="objected")) == 1
    assert (
        "0 of them were missing" in run("suppression", "apply", "--from", file).output
    )


def test_who_was_erased_after_a_move_is_so_in_the_backup(moved_since, run, house):
    """T30."""
    file = moved_since(privacy.erase)

    run("suppression", "apply", "--from", file)

    assert list(filter(None, house.emails())) == []
    assert bring(house, consent(ANN), consent(NEW)) == ["erased", "erased"]
    assert len(house.rows(ConsentEvent, act="erased")) == 1


@pytest.mark.parametrize("right", [privacy.erase, privacy.object_to_marketing])
def test_the_ledger_number_alone_finds_who_had_moved(right, moved_since, run, house):
    """T30: also by the stone of the address that the backup does not know."""
    file = moved_since(right)
    stones = [json.loads(line) for line in file.read_text().splitlines()]
    before = house.person(ANN).email_hash.hex()
    (new,) = (
        stone
        for stone in stones
        if stone["email_hash"] != before and stone["reason"] in {"erased", "never"}
    )
    file.write_text(json.dumps(new) + "\n")

    run("suppression", "apply", "--from", file)

    who = house.rows(Contact)[0]
    assert {row.act for row in house.rows(Standing, contact_id=who.id)} == {"withdrawn"}


def test_who_has_the_address_now_is_not_taken_for_who_had_it(moved_since, run, house):
    """T30: the ledger's number tells them apart."""
    file = moved_since(privacy.erase)
    assert bring(house, consent(NEW)) == ["stored"]

    run("suppression", "apply", "--from", file)

    assert list(filter(None, house.emails())) == [NEW]


def test_a_lost_key_keeps_nobody_in_the_backup(moved_since, run, house):
    file = moved_since(privacy.erase)
    with house.database.transaction() as session:
        for row in session.scalars(select(Contact)):
            row.sealed_key = b"gone" + row.sealed_key[4:]

    assert run("suppression", "apply", "--from", file).exit_code == 0

    assert all(row.erased_at for row in house.rows(Contact))
