"""No no is lost with a backup that is older than it (T30; GDPR 7(3), 16, 18, 21)."""

import csv
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from server.domain import audience
from server.domain.campaign import parse_campaign
from server.models import AudienceMember, ConsentEvent, Contact, OptIn, Suppression
from server.services import restores, tombstones
from tests.backups import FileBackup, ServerBackup, file_of
from tests.claims import bring, consent
from tests.factories import prize_table
from tests.sharing import exported, sharing_tables
from tests.tellings import Desk
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
        assert client.post(f"{link}/{act}").status_code == 303

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


# --- what a backup does not know -----------------------------------------------------


def test_no_no_is_lost_with_a_backup(
    say_yes, backup, stop, hold, lose, apply, listed, house
):
    """T30: who stopped and who is on hold since are in no list afterwards."""
    say_yes(HUGO, GINA, CAS)
    backup.make()
    stop(HUGO)
    hold(GINA)
    file = lose()
    assert listed() == [HUGO, GINA, CAS]

    assert apply(file) == 2

    assert listed() == [CAS]
    assert house.standing(HUGO) == {"newsletter": "withdrawn"}
    assert house.standing(GINA) == {"newsletter": "given"}
    assert house.acts(GINA)[-1] == ("*", "restricted")
    assert {house.facts(each)[-1].method for each in (HUGO, GINA)} == {"restore"}
    house.verify_ledger()


def test_telling_it_twice_changes_nothing(
    say_yes, backup, stop, hold, move, lose, apply, house
):
    say_yes(HUGO, GINA, INES)
    backup.make()
    stop(HUGO)
    hold(GINA)
    move(INES, NEW)
    file = lose()
    apply(file)
    before = house.dump()

    assert apply(file) == 0

    assert house.dump() == before


def test_only_the_purpose_that_was_taken_back_ends(
    say_yes, backup, pages, lose, apply, house
):
    """GDPR 7(3): a no to one is no no to another."""
    say_yes(HUGO, to=("newsletter", "personal_offers"))
    backup.make()
    house.clock.advance(HOUR)
    page = pages.get(house.link("preferences", to=HUGO))
    pages.submit(page.form("/save"), status=303, want__newsletter=None)
    file = lose()

    assert apply(file) == 1

    assert house.standing(HUGO) == {
        "newsletter": "withdrawn",
        "personal_offers": "given",
    }


def test_recipients_hear_of_it(say_yes, backup, stop, lose, apply, house):
    """DS-06: as of any withdrawal."""
    desk = Desk(house)
    say_yes(HUGO)
    desk.add()
    backup.make()
    stop(HUGO)
    file = lose()
    assert desk.waiting() == []

    apply(file)

    (told,) = desk.waiting()
    assert (told["type"], told["data"]["email"]) == ("consent.withdrawn", HUGO)


def test_a_request_of_before_the_no_is_closed(
    say_yes, backup, client, stop, lose, apply, house
):
    """Its mail does not go, and a press in it gives nothing."""
    say_yes()
    take_card(client).enter(client, HUGO, consents=["newsletter"])
    asked = house.link("confirm", to=HUGO)
    backup.make()
    stop(HUGO)
    file = lose()

    apply(file)

    assert [row.state for row in house.rows(OptIn)] == ["superseded"]
    house.press(client, asked)
    assert house.standing(HUGO) == {"newsletter": "withdrawn"}
    house.verify_ledger()


def test_who_stopped_where_nothing_was_on_said_no(
    say_yes, backup, client, stop, lose, apply, house
):
    """PR-08: an older list does not come above it."""
    say_yes()
    take_card(client).enter(client, HUGO)
    backup.make()
    stop(HUGO)
    file = lose()

    assert apply(file) == 1

    assert house.acts(HUGO)[-1] == ("*", "refused")
    assert bring(house, consent(HUGO)) == ["decided"]


def test_an_older_list_stays_away_from_whom_the_backup_never_knew(
    say_yes, backup, stop, lose, apply, house
):
    say_yes()
    backup.make()
    say_yes(HUGO)
    stop(HUGO)
    file = lose()

    assert apply(file) == 1
    assert apply(file) == 0

    assert house.rows(Contact) == []
    assert bring(house, consent(HUGO)) == ["moved"]


def test_whom_an_older_list_brought_in_meanwhile_goes_again(
    say_yes, backup, stop, lose, apply, listed, house
):
    """PR-08: such a yes is as old as it says, not as its import."""
    say_yes()
    backup.make()
    say_yes(HUGO)
    stop(HUGO)
    file = lose()
    assert bring(house, consent(HUGO)) == ["stored"]

    apply(file)

    assert listed() == []
    house.verify_ledger()


# --- an address that was given up ----------------------------------------------------


def test_nothing_more_goes_to_an_address_that_was_given_up(
    say_yes, backup, client, move, lose, apply, listed, house
):
    """GDPR 16: nor does what is in the old mailbox open anything."""
    say_yes(INES, CAS)
    old = house.link("preferences", to=INES)
    backup.make()
    move(INES, NEW)
    file = lose()
    assert house.letters(to=INES)

    apply(file)

    assert listed() == [CAS]
    assert {each.row.state for each in house.letters(to=INES)} <= {"delivered"}
    assert client.get(old).status_code == 404
    assert bring(house, consent(INES)) == ["moved"]
    house.verify_ledger()


def test_who_took_their_address_back_keeps_it(
    say_yes, move, run, apply, listed, house, tmp_path
):
    """An older file is told to a newer database."""
    say_yes(INES)
    move(INES, NEW)
    file = tmp_path / "suppressions.jsonl"
    assert run("suppression", "export", "--to", file).exit_code == 0
    house.clock.advance(DAY)
    move(NEW, INES)

    assert apply(file) == 0

    assert listed() == [INES]


# --- not me, refused -----------------------------------------------------------------


def test_who_was_not_asking_is_left_alone(say_yes, backup, client, lose, apply, house):
    """Half a year, from when they said so."""
    say_yes()
    take_card(client).enter(client, JAN, consents=["newsletter"])
    asked = house.link("confirm", to=JAN)
    backup.make()
    house.clock.advance(HOUR)
    client.post(f"{asked}/not-me", data={"shown": house.shown(client, asked)})
    (before,) = house.rows(Suppression)
    assert before.reason == "not_me"
    file = lose()

    assert apply(file) == 1
    assert apply(file) == 0

    (after,) = house.rows(Suppression)
    assert (after.reason, after.until) == ("not_me", before.until)
    assert [row.state for row in house.rows(OptIn)] == ["superseded"]


def test_what_has_ended_by_itself_is_not_told(
    say_yes, backup, client, lose, apply, house
):
    say_yes()
    take_card(client).enter(client, JAN, consents=["newsletter"])
    asked = house.link("confirm", to=JAN)
    client.post(f"{asked}/not-me", data={"shown": house.shown(client, asked)})
    house.clock.advance(timedelta(days=181))

    backup.make()

    assert lose().read_bytes() == b""


# --- a later yes ---------------------------------------------------------------------


def test_a_later_yes_stays(say_yes, backup, stop, lose, apply, listed):
    """The file knows a no, and the restored database a yes after it."""
    say_yes(HUGO)
    backup.make()
    stop(HUGO)
    file = lose()
    stop(HUGO)
    say_yes(HUGO)

    assert apply(file) == 0

    assert listed() == [HUGO]


def test_a_later_yes_stays_at_an_address_that_was_given_up(
    say_yes, backup, stop, move, lose, apply, listed, house
):
    """Who confirms from it again has it again; what is older ends all the same."""
    say_yes(INES, to=("personal_offers",))
    backup.make()
    move(INES, NEW)
    file = lose()
    say_yes(INES)

    apply(file)

    assert listed() == [INES]
    assert listed("personal_offers") == []
    assert apply(file) == 0


def test_a_later_yes_stays_where_somebody_was_not_asking(
    say_yes, backup, client, lose, apply, listed, house
):
    say_yes()
    take_card(client).enter(client, JAN, consents=["newsletter"])
    asked = house.link("confirm", to=JAN)
    backup.make()
    house.clock.advance(HOUR)
    client.post(f"{asked}/not-me", data={"shown": house.shown(client, asked)})
    file = lose()
    house.press(client, asked)

    assert apply(file) == 0

    assert listed() == [JAN]


def test_a_hold_that_was_ended_since_stays_ended(
    say_yes, backup, hold, lose, apply, listed
):
    """GDPR 18(3)."""
    say_yes(GINA)
    backup.make()
    hold(GINA)
    file = lose()
    apply(file)
    hold(GINA, "use")

    assert apply(file) == 0

    assert listed() == [GINA]


# --- the file ------------------------------------------------------------------------


def test_the_file_names_nobody_and_says_no_yes(say_yes, backup, stop, hold, move, lose):
    """T24: hashes, purposes and moments alone."""
    say_yes(HUGO, GINA, INES, CAS)
    backup.make()
    stop(HUGO)
    hold(GINA)
    move(INES, NEW)

    text = lose().read_text()

    stones = [json.loads(line) for line in text.splitlines()]
    assert "@" not in text
    assert {key for stone in stones for key in stone} == {
        *("shop", "email_hash", "reason", "subject", "at", "purpose")
    }
    assert [stone["reason"] for stone in stones] == ["moved", "withdrawn", "restricted"]


def test_a_file_of_an_earlier_version_is_understood(
    say_yes, apply, listed, house, tmp_path
):
    """It has erasures and objections alone."""
    say_yes(HUGO)
    who = house.person(HUGO)
    house.clock.advance(HOUR)
    file = tmp_path / "suppressions.jsonl"
    stone = {
        "at": house.clock.now().isoformat(),
        "email_hash": who.email_hash.hex(),
        "reason": "never",
        "shop": "demo",
        "subject": who.subject_ref.hex(),
    }
    file.write_text(json.dumps(stone) + "\n")

    assert apply(file) == 1

    assert listed() == []
    assert house.acts(HUGO)[-1] == ("*", "objected")


BROKEN = [
    {"reason": "withdrawn"},
    {"reason": "not_me"},
    {"reason": "refused", "until": "2026-01-01T00:00:00"},
    {"reason": "given", "purpose": "newsletter"},
    {"reason": "named", "platform": "x", "kind": "email", "mark": "", "sealed": ""},
    {"reason": "named", "platform": "google", "kind": "email", "mark": "zz"},
]


@pytest.mark.parametrize("wrong", BROKEN, ids=lambda wrong: "-".join(wrong.values()))
def test_a_line_that_lacks_something_stops_it_all(
    wrong, say_yes, backup, stop, lose, run, house
):
    say_yes(HUGO)
    backup.make()
    stop(HUGO)
    file = lose()
    stone = json.loads(file.read_text()) | {"reason": "erased"}
    del stone["purpose"]
    file.write_text(file.read_text() + json.dumps(stone | wrong) + "\n")
    before = house.dump()

    told = run("suppression", "apply", "--from", file)

    assert told.exit_code == 2
    assert "line 2: this is no suppression" in told.output
    assert house.dump() == before


# --- known to a platform -------------------------------------------------------------


@pytest.fixture
def audience_of(run, tmp_path):
    def run_and_tell(*words):
        done = run(*words)
        return done.exit_code, done.output

    return lambda: [row[:2] for row in exported(run_and_tell, tmp_path)]


def hashed(mailbox):
    return audience.hashed("google", mailbox)


@pytest.fixture
def erase(client, house):
    def erase(mailbox):
        link = house.link("preferences", to=mailbox)
        house.clock.advance(HOUR)
        assert house.press(client, f"{link}/erase").status_code == 303

    return erase


def test_a_platform_is_told_to_remove_who_was_erased_meanwhile(
    say_yes, backup, audience_of, erase, lose, apply
):
    """AD-04: it was given a hash that the backup knows nothing of."""
    say_yes(HUGO, CAS, to=(UPLOAD, ADS))
    backup.make()
    assert audience_of() == [("add", hashed(HUGO)), ("add", hashed(CAS))]
    erase(HUGO)
    file = lose()
    assert hashed(HUGO) not in file.read_text()

    apply(file)

    assert audience_of() == [("remove", hashed(HUGO)), ("add", hashed(CAS))]
    assert audience_of() == [("add", hashed(CAS))]


def test_a_platform_is_told_to_remove_whom_the_backup_never_knew(
    say_yes, backup, audience_of, lose, apply, house
):
    """AD-04: their yes is lost, so nobody can show it any more."""
    say_yes()
    backup.make()
    say_yes(HUGO, to=(UPLOAD, ADS))
    assert audience_of() == [("add", hashed(HUGO))]
    file = lose()

    assert apply(file) == 1
    assert apply(file) == 0

    assert audience_of() == [("remove", hashed(HUGO))]
    assert house.rows(AudienceMember) == []
    assert house.rows(ConsentEvent) == []
    house.verify_ledger()


def test_a_platform_is_told_to_remove_who_was_named_again_since(
    say_yes, backup, audience_of, stop, lose, apply
):
    """AD-04: the backup says that they were removed, which is no longer so."""
    say_yes(HUGO, to=(UPLOAD, ADS))
    audience_of()
    stop(HUGO)
    audience_of()
    backup.make()
    say_yes(HUGO, to=(UPLOAD, ADS))
    assert audience_of() == [("add", hashed(HUGO))]
    file = lose()

    apply(file)

    assert audience_of() == [("remove", hashed(HUGO))]


def test_what_is_known_already_is_passed_over_at_once(
    say_yes, stop, audience_of, database, house
):
    """A file has all noes of years, and a backup lacks those of a day."""
    say_yes(HUGO, to=(UPLOAD, ADS))
    audience_of()
    stop(HUGO)
    with database.standing_still() as session:
        stones = list(tombstones.every(session, now=house.clock.now()))
    later = replace(stones[0], at=stones[0].at + HOUR)

    with database.reading() as session:
        unknown = restores.missing(session, [*stones, later])

    assert [stone.reason for stone in stones] == ["withdrawn", "withdrawn", "named"]
    assert unknown == [later]
