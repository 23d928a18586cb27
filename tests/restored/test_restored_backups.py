"""No no is lost with a backup that is older than it (T30; GDPR 7(3), 16, 18, 21)."""

from datetime import timedelta

from server.models import Contact, OptIn, Suppression
from tests.claims import bring, consent
from tests.restored.conftest import CAS, DAY, GINA, HOUR, HUGO, INES, JAN, NEW
from tests.tellings import Desk
from tests.visits import take_card

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
