"""People who say yes and no, a backup that is lost, and what it is told."""

import csv
from datetime import timedelta

import pytest

from server.domain.campaign import parse_campaign
from tests.backups import FileBackup, ServerBackup, file_of
from tests.factories import prize_table
from tests.sharing import sharing_tables
from tests.visits import take_card

HUGO, GINA, CAS = "hugo@example.com", "gina@example.com", "cas@example.com"
INES, NEW = "ines@example.com", "ines.new@example.com"
JAN = "jan@example.com"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
UPLOAD, ADS = "google_upload", "google_personalise"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def backup(database_kind, database, settings, tmp_path, request):
    """What keeps the database as it is, and brings that back."""
    if database_kind == "sqlite":
        served = file_of(settings.database_url)
        return FileBackup(database, served, tmp_path / "backup.db")
    return ServerBackup(database, request.getfixturevalue("postgres"))


@pytest.fixture
def say_yes(publish, client, house):
    """Publish, and let people say yes by the form and the mail."""
    mug = prize_table(stock=None, code="MUG10")
    publish(parse_campaign(sharing_tables(prizes=[mug], fallback="mug")))

    def say_yes(*mailboxes, to=("newsletter",)):
        for mailbox in mailboxes:
            # A mailbox gets only so many mails a day.
            house.clock.advance(DAY)
            take_card(client).enter(client, mailbox, consents=to)
            house.press(client, house.link("confirm", to=mailbox))

    return say_yes


@pytest.fixture
def stop(client, house):
    """Press the one button that a mail program shows (RFC 8058)."""

    def stop(mailbox):
        link = house.link("unsubscribe", to=mailbox)
        house.clock.advance(HOUR)
        assert client.post(link, data=ONE_CLICK).status_code == 200

    return stop


@pytest.fixture
def hold(client, house):
    def hold(mailbox, act="hold"):
        link = house.link("preferences", to=mailbox)
        house.clock.advance(HOUR)
        told = {"shown": house.shown(client, link)}
        assert client.post(f"{link}/{act}", data=told).status_code == 303

    return hold


@pytest.fixture
def move(client, house):
    def move(mailbox, new):
        link = house.link("preferences", to=mailbox)
        house.clock.advance(HOUR)
        client.post(f"{link}/address", data={"email": new})
        house.press(client, house.link("rectify", to=new))

    return move


@pytest.fixture
def lose(backup, run, tmp_path, house):
    """Write what is told since, and restore the backup; return the file."""

    def lose():
        file = tmp_path / "suppressions.jsonl"
        told = run("suppression", "export", "--to", file, "--force")
        assert told.exit_code == 0, told.output
        backup.restore()
        house.clock.advance(HOUR)
        assert run("init").exit_code == 0
        return file

    return lose


@pytest.fixture
def apply(run):
    """Tell the database of a file; return how many lines it did not know."""

    def apply(file):
        told = run("suppression", "apply", "--from", file)
        assert told.exit_code == 0, told.output
        return int(told.output.rpartition("lines, ")[2].split()[0])

    return apply


@pytest.fixture
def listed(run, tmp_path):
    """Return whom an export of a purpose names."""

    def listed(purpose="newsletter"):
        file = tmp_path / "people.csv"
        told = run(
            *("consents", "export", "--shop", "demo", "--purpose", purpose),
            *("--format", "csv", "-o", file, "--force"),
        )
        assert told.exit_code == 0, told.output
        rows = csv.DictReader(file.read_text("utf-8-sig").splitlines())
        return [row["address"] for row in rows]

    return listed
