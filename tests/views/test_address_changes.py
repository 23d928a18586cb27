"""What a move to another mail address takes along, and leaves behind: DS-01, DS-02.

The old mailbox may be somebody else's by now: it stops mails, and opens nothing.
"""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from server.models import (
    AddressChange,
    Contact,
    Evidence,
    OptIn,
    Outbox,
    RafflePlace,
    Suppression,
)
from server.services import contactable, privacy
from server.services.contactable import Wanted
from server.views.limiter import Limiter
from server.worker import Worker
from tests.claims import bring, consent, shop_named
from tests.raffles import Desk, raffle_file, take_part
from tests.tooling import tools_with
from tests.visits import EMAIL, sure_win, take_card

BOTH = ["newsletter", "personal_offers"]
NEW = "iris@new.example"
DAY = timedelta(days=1)


@pytest.fixture
def reader(publish, client, house):
    """Somebody who won and confirmed both consents; returns the link to their page."""
    publish(sure_win(days=365))
    take_card(client).enter(client, consents=BOTH, more={"first_name": "Iris"})
    house.press(client, house.link("confirm"))
    return house.link("preferences")


def move(client, house, link, to=NEW):
    """Move to another address; return the link to the page, as it was mailed there."""
    client.post(f"{link}/address", data={"email": to})
    pressed = house.press(client, house.link("rectify", to=to))
    assert pressed.location == "/done/address_changed/demo/en"
    return house.link("preferences", to=to)


def exported(house):
    wanted = Wanted(shop_named(house), "newsletter", "consent")
    found = contactable.lines(
        house.database.reading, wanted, vault=house.vault, clock=house.clock.now
    )
    return [line.email for line in found]


def reasons(house):
    return sorted(row.reason for row in house.rows(Suppression))


# --- old lists ---------------------------------------------------------------------


def test_who_moved_is_not_mailed_at_the_old_address_by_a_list(client, house, reader):
    """T30: one person, and one address to write to."""
    move(client, house, reader)

    assert bring(house, consent(EMAIL)) == ["moved"]
    assert exported(house) == [NEW]
    assert len(house.rows(Contact)) == 1


def test_erased_after_a_move_comes_back_by_no_old_list(client, house, reader):
    """T30: under neither address; and who asks by the old one finds the proof."""
    house.press(client, f"{move(client, house, reader)}/erase")

    assert bring(house, consent(EMAIL), consent(NEW)) == ["erased", "erased"]
    assert exported(house) == []
    tools = tools_with(house.vault)
    with house.database.reading() as session:
        refs = {
            privacy.erased_subject(session, shop_named(house), email, tools=tools)
            for email in (EMAIL, NEW)
        }
    assert refs == {house.rows(Contact)[0].subject_ref}


def test_objecting_after_a_move_holds_for_the_old_list(client, house, reader):
    """DS-02, GDPR 21(3)."""
    client.post(f"{move(client, house, reader)}/never")

    assert bring(house, consent(EMAIL), consent(NEW)) == ["never", "never"]
    assert exported(house) == []


def test_who_moves_back_is_known_there_again(client, house, reader):
    """A refusal goes along both ways, and once it is ended it is so everywhere."""
    client.post(f"{reader}/never")
    away = move(client, house, reader)
    client.post(f"{away}/ask-again", data={"shown": house.shown(client, away)})
    house.clock.advance(DAY)

    move(client, house, away, to=EMAIL)

    assert reasons(house) == ["moved"]
    assert house.person(EMAIL).may_be_asked(house.clock.now())
    assert bring(house, consent(NEW)) == ["moved"]


def test_what_is_sealed_elsewhere_is_no_new_address(client, house, reader, database):
    """T24: evidence, which the same key seals, opens in no other column."""
    client.post(f"{reader}/address", data={"email": NEW})
    with database.transaction() as session:
        proof = session.scalars(select(Evidence.sealed)).first()
        session.execute(update(AddressChange).values(sealed=proof))

    link = house.link("rectify", to=NEW)
    assert 'name="shown"' not in client.get(link).text


def test_an_address_that_was_given_up_may_begin_anew(client, house, reader):
    """It is a question that its owner brings about, as after an erasure."""
    move(client, house, reader)
    house.clock.advance(DAY)

    take_card(client).enter(client, consents=["newsletter"])

    assert [letter.to for letter in house.letters("confirm")] == [EMAIL]
    assert len(house.rows(Contact)) == 2


# --- the old mailbox ---------------------------------------------------------------


@pytest.mark.parametrize("place", ["preferences", "receipt", "prize"])
def test_the_old_mailbox_opens_nothing(client, house, reader, place):
    link = house.link(place)
    assert client.get(link).status_code == 200

    page = move(client, house, reader)

    assert client.get(link).status_code == 404
    assert client.get(page).status_code == 200
    for act in ("data", "erase", "never", "save", "address"):
        answer = client.post(f"{reader}/{act}")
        assert answer.status_code == 404
        assert NEW not in answer.text
    assert set(house.standing(NEW).values()) == {"given"}


def test_the_old_mailbox_still_stops_the_mails(client, house, reader):
    """WD-04: of whichever mail, for ever."""
    link = house.link("unsubscribe")
    move(client, house, reader)

    assert client.post(link).status_code == 303

    assert set(house.standing(NEW).values()) == {"withdrawn"}


def test_the_old_mailbox_does_not_confirm(publish, client, house):
    publish(sure_win(days=365))
    take_card(client).enter(client, consents=BOTH)
    link = house.link("confirm")
    move(client, house, house.link("preferences"))

    assert house.press(client, link).status_code == 404

    assert house.standing(NEW) == {}
    assert [row.state for row in house.rows(OptIn)] == ["superseded"]
    house.verify_ledger()


def test_closing_what_waits_ends_nothing_that_stands(publish, client, house):
    """What was said yes to moves along, also where more was asked since."""
    publish(sure_win(days=365, entries_per_address=3))
    take_card(client).enter(client, consents=["newsletter"])
    house.press(client, house.link("confirm"))
    house.clock.advance(DAY)
    take_card(client).enter(client, consents=BOTH)

    move(client, house, house.link("preferences"))

    assert house.standing(NEW) == {"newsletter": "given"}
    assert exported(house) == [NEW]


# --- what is still to be mailed ----------------------------------------------------


def test_no_mail_goes_to_the_old_address(publish, client, house, app, smtp):
    """What is owed goes to the new one: its links open there."""
    publish(sure_win(days=365))
    take_card(client).enter(client, consents=BOTH)
    move(client, house, house.link("preferences"))

    assert [letter.kind for letter in house.letters(to=EMAIL)] == ["moved"]
    assert client.get(house.link("prize", to=NEW)).status_code == 200
    worker = Worker(app)
    worker.deliver(now=house.clock.now)
    worker.close()
    assert [mail.message["Subject"] for mail in smtp.to(EMAIL)] == [
        "Your address at Noord & Zon was changed"
    ]
    assert len(smtp.to(NEW)) == 2


def test_a_mail_that_is_under_way_in_the_moment_of_a_move_is_dropped(
    client, house, reader, app, smtp
):
    """I6: what a worker gave back after the move says something that is not so."""
    waiting = house.letters("prize")[0].row.id
    sealed = house.rows(Outbox, id=waiting)[0].sealed
    move(client, house, reader)
    with house.database.transaction() as session:
        row = session.get_one(Outbox, waiting)
        row.state, row.sealed, row.settled_at = "waiting", sealed, None

    worker = Worker(app)
    worker.deliver(now=house.clock.now)
    worker.close()

    assert len(smtp.to(EMAIL)) == 1
    assert house.rows(Outbox, id=waiting)[0].state == "dropped"


def test_what_was_won_in_a_raffle_can_be_claimed_from_the_new_mailbox(
    publish, client, house
):
    """PZ-04: its days run, and the link in the old mail opens nothing any more."""
    publish(raffle_file(1, claim_days=9))
    take_part(client, "ann")
    Desk(house).finish()
    old = house.link("claim", to="ann@example.com")

    move(client, house, house.link("preferences", to="ann@example.com"))

    assert client.get(old).status_code == 404
    (letter,) = house.letters("won")
    assert letter.to == NEW
    link = house.link("claim", to=NEW)
    assert client.post(f"{link}/main").status_code == 303
    assert house.rows(RafflePlace)[0].state == "claimed"


# --- asking ------------------------------------------------------------------------


def test_one_link_does_not_mail_many_strangers(client, house, reader):
    """T16: no limit of a mailbox counts them together, so the person's does."""
    for number in range(60):
        answer = client.post(
            f"{reader}/address", data={"email": f"stranger{number}@example.org"}
        )
        assert answer.location == "/done/address_asked/demo/en"
    assert len(house.letters("rectify")) <= 5


def forget(app):
    """Let every limit of presses and networks begin anew."""
    fresh = Limiter(app.config["SETTINGS"], app.extensions["tools"].vault)
    app.extensions["limiter"] = fresh


def test_a_day_has_five_questions_however_often_limits_begin_anew(
    client, house, reader, app
):
    """T16: also from many networks, and after a restart."""
    for number in range(8):
        forget(app)
        client.post(f"{reader}/address", data={"email": f"s{number}@example.org"})
    assert len(house.letters("rectify")) == 5

    house.clock.advance(DAY)
    forget(app)
    client.post(f"{reader}/address", data={"email": "s9@example.org"})
    assert len(house.letters("rectify")) == 6


def test_a_question_that_was_taken_back_is_not_mailed(client, house, reader, app, smtp):
    """I6: only the address that was typed last is asked."""
    for name in ("first", "second"):
        client.post(f"{reader}/address", data={"email": f"{name}@example.org"})

    worker = Worker(app)
    worker.deliver(now=house.clock.now)
    worker.close()

    assert smtp.to("first@example.org") == []
    assert len(smtp.to("second@example.org")) == 1
