"""The ledger on the command line: look at the keys, verify, export, verify the file."""

import json
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from server.domain.ledger import Notary
from server.sealing import Sealing
from tests.factories import campaign_file
from tests.ledgers import lines
from tests.visits import take_card


@pytest.fixture
def database_kind() -> str:
    """Commands know no database; `tests/services/test_ledger.py` runs on both."""
    return "sqlite"


@pytest.fixture
def sealed(publish, client, house, settings, clock):
    """Two people asked for the newsletter; the day is over and signed."""
    publish(campaign_file("welcome-scratch"))
    for name in ("ann", "ben"):
        mailbox = f"{name}@example.com"
        take_card(client).enter(client, mailbox, consents=["newsletter"])
    clock.advance(timedelta(days=1))
    sealing = Sealing(house.database, house.app.extensions["tools"])
    for _ in range(2):
        sealing.go_round(now=clock.now())
    return house


@pytest.fixture
def public(settings) -> str:
    (key,) = Notary(settings.ledger_keys).publics.values()
    return key.hex()


def test_an_auditor_verifies_the_database_and_the_file(run, sealed, public, tmp_path):
    file = tmp_path / "ledger.jsonl"

    verified = run("ledger", "verify")
    exported = run("ledger", "export", "--shop", "demo", "--to", file)
    by_itself = run("ledger", "verify", "--file", file)
    by_the_key = run("ledger", "verify", "--file", file, "--key", public)
    keys = run("ledger", "key")

    assert verified.exit_code == 0
    whole = "demo: nothing was changed\n  entries    2\n  signed     2, on 20"
    assert whole in verified.output
    assert exported.output.splitlines()[-1] == f"{file}: 2 entries of demo"
    assert (by_itself.exit_code, by_the_key.exit_code) == (0, 0)
    assert "named by the file" in by_itself.output
    assert "named by the file" not in by_the_key.output
    assert public in keys.output
    assert not list(tmp_path.glob("*.part"))


def test_a_checkpoint_that_was_kept_is_held_against_both(
    run, sealed, public, tmp_path, house
):
    """PR-05: as it came by mail, with what a mail program puts around it."""
    file, kept = tmp_path / "ledger.jsonl", tmp_path / "kept.txt"
    (letter,) = house.letters("checkpoint")
    kept.write_text(f"Beste winkel,\n> {letter.params['line']}\n\nGroet\n")
    run("ledger", "export", "--shop", "demo", "--to", file)

    for where in (["--file", file], ["--shop", "demo"]):
        whole = run("ledger", "verify", *where, "--kept", kept, "--key", public)
        assert whole.exit_code == 0
        assert whole.output.splitlines()[-1] == f"{kept}: 1 checkpoints agree"

    root = json.loads(letter.params["line"])["root"]
    kept.write_text(letter.params["line"].replace(root, "ab" * 32))
    for where in (["--file", file], ["--shop", "demo"]):
        broken = run("ledger", "verify", *where, "--kept", kept)
        assert broken.exit_code == 1
        assert "that was kept is of others" in broken.output


def test_no_address_of_a_person_is_in_the_file(run, sealed, tmp_path):
    file = tmp_path / "ledger.jsonl"
    run("ledger", "export", "--shop", "demo", "--to", file)

    assert b"example.com" not in file.read_bytes()


def test_one_changed_byte_ends_with_1_and_its_entry(run, sealed, settings):
    path = settings.database_url.partition(":///")[2]
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DROP TRIGGER consent_event_no_update")
        database.execute("DROP TRIGGER consent_event_sealed_once")
        database.execute("UPDATE consent_event SET method = 'from' WHERE seq = 2")

    verified = run("ledger", "verify", "--shop", "demo")

    assert verified.exit_code == 1
    assert verified.output.splitlines()[-1] == "demo: entry 2 was changed"


def test_a_wrong_file_ends_with_1_and_its_line(run, tmp_path):
    file = tmp_path / "ledger.jsonl"
    whole = lines()
    file.write_bytes(b"".join([*whole[:3], *whole[4:]]))

    verified = run("ledger", "verify", "--file", file)

    assert verified.exit_code == 1
    assert verified.stdout == (
        f"{file}: line 4: the checkpoint of 2026-03-04 is of other entries; "
        "one of 1 to 2 was changed\n"
    )


def test_a_key_that_is_not_ours_is_not_enough(run, sealed, tmp_path):
    file = tmp_path / "ledger.jsonl"
    run("ledger", "export", "--shop", "demo", "--to", file)
    strange = "ab" * 32

    for where in (["--file", file], []):
        verified = run("ledger", "verify", *where, "--key", strange)
        assert verified.exit_code == 1, verified.output


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("verify", "--shop", "nobody"), "there is no shop 'nobody'"),
        (("verify", "--file", "gone.jsonl"), "gone.jsonl cannot be read"),
        (("verify", "--file", "x", "--shop", "demo"), "a file is of one shop"),
        (("verify", "--kept", "x"), "checkpoints are of one shop"),
        (("verify", "--shop", "demo", "--kept", "x"), "x cannot be read"),
        (("verify", "--key", "beef"), "a public key is 32 bytes in hex"),
        (("export", "--shop", "nobody", "--to", "x"), "there is no shop 'nobody'"),
        (("export", "--shop", "demo", "--to", "/nowhere/x"), "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    run, sealed, words, line, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())

    refused = run("ledger", *words)

    assert refused.exit_code == 2
    assert sorted(tmp_path.iterdir()) == before
    assert line in refused.output
    assert len(refused.output.splitlines()) == 1
