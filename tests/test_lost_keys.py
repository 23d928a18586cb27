"""People whose key opens no more: they hold up nobody else, and can still stop.

T24 seals everybody under keys of their own, of which one may be lost; WD-04, T30.
"""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from server.models import Contact, Evidence, Outbox, RaffleStep, Standing, Suppression
from server.services import contactable, contacts, privacy
from server.services.contactable import Wanted
from server.worker import Worker
from tests.claims import bring, consent, shop_named
from tests.factories import campaign_file
from tests.people import contact_of
from tests.raffles import Desk, free_raffle, record, take_part
from tests.tellings import Desk as Recipients
from tests.visits import EMAIL, sure_win, take_card

BOTH = ["newsletter", "personal_offers"]
OTHER = "ben@example.com"
LOST = "the key of a person does not open"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def fans(publish, client, house):
    """Two people who won and confirmed both consents."""
    publish(sure_win(days=365))
    for email in (EMAIL, OTHER):
        take_card(client).enter(client, email, consents=BOTH)
        house.press(client, house.link("confirm", to=email))


@pytest.fixture
def worker(app, smtp):
    made = Worker(app)
    yield made
    made.close()


@pytest.fixture
def tools(app):
    return app.extensions["tools"]


def lose_key(house, email=EMAIL):
    """Let a person's key be under none of the data keys; return whose it is."""
    with house.database.transaction() as session:
        row = contact_of(session, email, house.vault)
        row.sealed_key = b"gone" + row.sealed_key[4:]
        return contacts.whoever(session, row.id, vault=house.vault)


def put_back(house, who, sealed_key):
    mine = update(Contact).where(Contact.id == who.id)
    with house.database.transaction() as session:
        session.execute(mine.values(sealed_key=sealed_key))


def stands(house, who):
    return {row.act for row in house.rows(Standing, contact_id=who.id)}


def warned(logs):
    return {line["contact"] for line in logs if line["event"] == LOST}


# --- the worker ----------------------------------------------------------------------


def test_the_mails_of_one_lost_person_are_dead_and_all_others_go(fans, house, worker):
    who = lose_key(house)

    with capture_logs() as logs:
        worker.deliver(now=house.clock.now)

    mine = {row.state for row in house.rows(Outbox, contact_id=who.id)}
    others = {row.state for row in house.rows(Outbox) if row.contact_id != who.id}
    assert mine == {"dead"}
    assert "delivered" in others
    assert warned(logs) == {who.id}


def test_a_dead_mail_goes_once_its_key_is_back(fans, house, worker, run):
    before = house.rows(Contact)[0].sealed_key
    who = lose_key(house)
    worker.deliver(now=house.clock.now)

    put_back(house, who, before)
    for row in house.rows(Outbox, state="dead"):
        run("outbox", "retry", row.id)
    worker.deliver(now=house.clock.now)

    assert house.rows(Outbox, contact_id=who.id, state="dead") == []
    assert {row.state for row in house.rows(Outbox, contact_id=who.id)} <= {
        *("delivered", "dropped"),
    }


def test_one_lost_person_does_not_end_the_worker(fans, house, worker):
    lose_key(house)
    died = []

    def work():
        try:
            worker.run()
        except Exception as error:
            died.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while house.rows(Outbox, state="waiting") and thread.is_alive():
        pass
    worker.stop()
    thread.join()

    assert died == []


# --- whoever works on many -----------------------------------------------------------


def test_an_export_leaves_one_out_and_says_so(fans, house, run):
    who = lose_key(house)
    wanted = Wanted(shop_named(house), "newsletter", "consent")

    with capture_logs() as logs:
        found = contactable.lines(
            house.database.reading, wanted, vault=house.vault, clock=house.clock.now
        )
        assert [line.email for line in found] == [OTHER]
    told = run("consents", "export", "--shop", "demo", "--purpose", "newsletter")

    assert warned(logs) == {who.id}
    assert told.exit_code == 0
    assert "1 left out: their key does not open" in told.output


def test_an_import_stores_the_others(fans, house):
    lose_key(house)

    assert bring(house, consent(EMAIL, purpose="news"), consent("z@example.com")) == [
        "lost",
        "stored",
    ]


def test_a_raffle_is_drawn_with_all_entries_it_promised(publish, client, house):
    """PZ-08: who cannot be read took part, and who cannot be written to misses out."""
    publish(free_raffle())
    take_part(client, "ann", "ben", "cas")
    for name in ("ann", "ben", "cas"):
        lose_key(house, f"{name}@example.com")

    Desk(house).finish()

    found, _ = record(house)
    assert found.listed.labels == 3
    (unreached,) = house.rows(RaffleStep, step="undeliverable")
    assert unreached.note == "their key is lost"


def test_early_access_goes_to_the_others(publish, client, house, worker):
    publish(campaign_file("black-friday"))
    for email in (EMAIL, OTHER):
        card = take_card(client, "black-friday-page")
        card.send(client, {"email": email}, consents=["early_access"])
        house.press(client, house.link("confirm", to=email))
    lose_key(house)
    house.clock.advance(timedelta(days=21, minutes=1))

    worker.invite(now=house.clock.now())

    assert [letter.to for letter in house.letters("early")] == [OTHER]


# --- the person ----------------------------------------------------------------------


@pytest.mark.parametrize(("form", "status"), [(ONE_CLICK, 200), ({}, 303)])
def test_who_is_lost_still_unsubscribes(fans, client, house, form, status):
    """WD-04, RFC 8058."""
    link = house.link("unsubscribe")
    email_hash = house.person().email_hash
    who = lose_key(house)

    assert client.get(link).status_code == 200
    assert client.post(link, data=form).status_code == status

    assert stands(house, who) == {"withdrawn"}
    assert house.rows(Contact, id=who.id)[0].email_hash == email_hash
    house.verify_ledger()


def test_recipients_hear_that_who_is_lost_stopped(fans, client, house):
    """DS-06: by the id under which they know the person."""
    desk = Recipients(house)
    desk.add()
    link = house.link("unsubscribe")
    who = lose_key(house)

    client.post(link)

    (public_id,) = {row.public_id for row in house.rows(Contact, id=who.id)}
    told = desk.waiting(event="consent.withdrawn")
    assert {each["data"]["contact"] for each in told} == {public_id}
    # Nowhere any more, as docs/webhooks.md says.
    assert {each["data"]["email"] for each in told} == {""}
    assert not any("earlier_emails" in each["data"] for each in told)


@pytest.mark.parametrize("place", ["preferences", "receipt", "prize"])
def test_no_other_page_of_who_is_lost_opens(fans, client, house, place):
    link = house.link(place)
    lose_key(house)

    assert client.get(link).status_code == 404


def test_who_is_lost_begins_anew_by_taking_part(fans, client, house):
    """T30: what nobody can prove any more ends, and another contact begins."""
    old = lose_key(house)
    house.clock.advance(timedelta(days=2))

    answer = take_card(client).enter(client, EMAIL, consents=["newsletter"])
    house.press(client, house.link("confirm"))

    assert answer.status_code == 200
    assert house.person().id != old.id
    assert house.standing() == {"newsletter": "given"}
    assert stands(house, old) == {"withdrawn"}
    assert house.rows(Evidence, contact_id=old.id) == []
    house.verify_ledger()


def test_an_objection_outlives_the_lost_key(fans, client, house, tools):
    """GDPR 21(3): it goes by the address."""
    with house.database.transaction() as session:
        privacy.object_to_marketing(
            session,
            house.person(),
            use=privacy.Use("nl", "test", {}),
            tools=tools,
            now=house.clock.now(),
        )
    lose_key(house)
    house.clock.advance(timedelta(days=2))

    assert take_card(client).enter(client, consents=BOTH).status_code == 200

    assert house.letters("confirm", to=EMAIL) == []
    assert not house.person().may_be_asked(house.clock.now())


def test_who_took_back_a_yes_and_begins_anew_comes_by_no_list(fans, client, house):
    """T30."""
    client.post(house.link("unsubscribe"))
    lose_key(house)
    take_card(client).enter(client)

    assert bring(house, consent(EMAIL)) == ["erased"]


def test_who_was_given_up_by_hand_may_begin_anew(fans, client, house):
    """As the manual says for an update from before these fields were sealed."""
    who = house.person()
    gone = {"sealed_email": b"", "sealed_key": b"", "erased_at": house.clock.now()}
    with house.database.transaction() as session:
        session.execute(update(Contact).where(Contact.id == who.id).values(gone))

    assert take_card(client).enter(client).status_code == 200
    assert house.person().id != who.id


def test_the_letter_with_a_link_goes_to_nobody_who_is_lost(fans, client, house):
    lose_key(house)

    answer = client.post("/preferences", data={"shop": "demo", "email": EMAIL})

    assert answer.status_code == 303
    assert house.letters("preferences", to=EMAIL) == []


# --- for good ------------------------------------------------------------------------


def test_the_lost_are_given_up_together(fans, house, run):
    who = lose_key(house)

    asked = run("keys", "give-up")
    assert asked.exit_code == 2
    assert [row for row in house.rows(Contact) if row.erased_at] == []
    done = run("keys", "give-up", "--yes")

    assert "1 people were given up" in done.output
    assert {row.id for row in house.rows(Contact) if row.erased_at} == {who.id}
    assert stands(house, who) == {"withdrawn"}
    assert house.rows(Suppression) == []
    house.verify_ledger()
