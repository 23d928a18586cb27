"""Rights that are used in the moment in which a new address is confirmed.

A page reads whom its link is about, and writes in a transaction of its own: in between
its person may have moved. T30, DS-02, DS-06.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from server.domain.consent import Act
from server.domain.links import Salt
from server.models import (
    AddressChange,
    ConsentEvent,
    Contact,
    Entry,
    Outbox,
    Suppression,
)
from server.services import (
    address_changes,
    contacts,
    links,
    own_rights,
    preferences,
    privacy,
    profile,
    withdrawals,
)
from server.services.consents import Circumstances
from server.services.contacts import Reason
from server.services.preferences import Choice
from tests.claims import bring, consent
from tests.people import add_attribute, contact_of
from tests.tellings import Desk
from tests.visits import EMAIL, sure_win, take_card
from tests.waiting import until_blocked

BOTH = ["newsletter", "personal_offers"]
NEW = "iris.new@example.com"
BY = Circumstances(ip="203.0.113.7", user_agent="Browser")
HOW = {"use": privacy.Use("nl", "test", {})}


@pytest.fixture
def desk(house):
    return Desk(house)


@pytest.fixture
def directory(app):
    return app.extensions["directory"]


@pytest.fixture
def page(publish, client, house, desk):
    """Somebody who confirmed both consents; returns the link to their page."""
    publish(sure_win(days=365))
    desk.add()
    take_card(client).enter(client, consents=BOTH)
    house.press(client, house.link("confirm"))
    return house.link("preferences")


@pytest.fixture
def look_up(app, house):
    """Return what a link leads to, as a page reads it before it writes."""

    def look_up(salt, link):
        token = link.rpartition("/")[2]
        ref = app.extensions["signer"].read_link(salt, token, now=house.clock.now())
        with house.database.reading() as session:
            return links.find(
                session, ref, directory=app.extensions["directory"], vault=house.vault
            )

    return look_up


@pytest.fixture
def moved(page, look_up, client, house):
    """What the page's link led to, right before its person moved."""
    found = look_up(Salt.PREFERENCES, page)
    client.post(f"{page}/address", data={"email": NEW})
    house.press(client, house.link("rectify", to=NEW))
    return found


@pytest.fixture
def do(house, tools):
    def do(work, of, **more):
        with house.database.transaction() as session:
            return work(session, of, tools=tools, now=house.clock.now(), **more)

    return do


@pytest.fixture
def press(app, house, page, look_up, client, tools):
    """POST to the page while its person's new address is being confirmed."""

    def press(path, data=None):
        client.post(f"{page}/address", data={"email": NEW})
        found = look_up(Salt.RECTIFY, house.link("rectify", to=NEW))
        with (
            ThreadPoolExecutor(1) as pool,
            house.database.transaction() as session,
        ):
            who = contacts.lock(session, found.who)
            pressing = pool.submit(
                lambda: app.test_client().post(f"{page}{path}", data=data)
            )
            until_blocked(house.database, pressing.done)
            assert address_changes.confirm(
                session,
                found,
                by=BY,
                directory=app.extensions["directory"],
                tools=tools,
                now=house.clock.now(),
            )
        assert who.email == EMAIL
        return pressing.result()

    return press


def suppressed(house, reason):
    return {row.email_hash for row in house.rows(Suppression, reason=reason.value)}


def names(told):
    return {told["data"]["email"], *told["data"].get("earlier_emails", ())}


# --- what is used reaches the address of today ---------------------------------------


def test_locking_returns_the_person_of_now(moved, house):
    with house.database.transaction() as session:
        locked = contacts.lock(session, moved.who)
        known = contacts.lock_known(session, moved.who)

    assert (moved.who.email, locked.email) == (EMAIL, NEW)
    assert locked == known == house.person(NEW)


def test_locking_returns_nobody_who_was_forgotten(moved, do, house):
    do(privacy.erase, moved.who, **HOW)

    with house.database.transaction() as session:
        assert contacts.lock_known(session, moved.who) is None
        assert contacts.lock(session, moved.who) == moved.who


def test_an_erasure_keeps_lists_away_from_the_address_of_today(moved, do, house):
    """T30: of the moment before it moved somebody, too."""
    before, after = moved.who.email_hash, house.person(NEW).email_hash

    assert do(privacy.erase, moved.who, **HOW)

    assert suppressed(house, Reason.ERASED) == {before, after}
    assert bring(house, consent(NEW), consent(EMAIL)) == ["erased", "erased"]


def test_recipients_hear_of_an_erasure_by_the_address_of_today(moved, do, desk):
    """DS-06."""
    do(privacy.erase, moved.who, **HOW)

    (told,) = desk.waiting(event="contact.erased")
    assert told["data"]["email"] == NEW


def test_an_objection_holds_for_the_address_of_today(moved, do, house):
    """GDPR 21(3), DS-02."""
    do(privacy.object_to_marketing, moved.who, **HOW)

    assert not house.person(NEW).may_be_asked(house.clock.now())


def test_a_restriction_names_the_address_of_today(moved, do, desk):
    """DS-06."""
    do(privacy.restrict, moved.who, is_restricted=True, **HOW)

    (told,) = desk.waiting(event="contact.restricted")
    assert told["data"]["email"] == NEW


@pytest.mark.parametrize("right", [withdrawals.end_all, withdrawals.withdraw])
def test_a_withdrawal_names_the_address_of_today(right, moved, do, desk):
    """DS-06: a recipient that goes by the address has to know whose yes ended."""
    purposes = {"purposes": BOTH} if right is withdrawals.withdraw else {}

    assert do(right, moved.who, **purposes, facts={}, method="test")

    told = desk.waiting(event="consent.withdrawn")
    assert len(told) == 2
    assert all(each["data"]["email"] == NEW for each in told)


def test_a_refusal_by_the_page_holds_for_the_address_of_today(moved, do, house):
    """GDPR 21(3)."""
    assert do(own_rights.refuse, moved, by=BY)

    assert not house.person(NEW).may_be_asked(house.clock.now())


# --- the mailbox that was given up opens nothing more --------------------------------


def test_the_given_up_mailbox_reads_nothing_in_that_moment(moved, do, house):
    assert do(own_rights.take_along, moved, by=BY) == {}
    assert house.rows(ConsentEvent, act=Act.ACCESSED.value) == []


@pytest.mark.parametrize("value", ["Rosa", None])
def test_the_given_up_mailbox_corrects_nothing(
    page, look_up, client, do, house, directory, value
):
    """GDPR 16: what was on the page is still so, but it is no longer theirs to say."""
    with house.database.transaction() as session:
        (entry,) = session.scalars(select(Entry))
        contact = contact_of(session, EMAIL, house.vault)
        told = {"key": "first_name", "value": "Iris", "at": house.clock.now()}
        add_attribute(session, entry, contact, house.vault, **told)
    found = look_up(Salt.PREFERENCES, page)
    with house.database.reading() as session:
        (shown,) = profile.kept(session, found.who, directory=directory)
    client.post(f"{page}/address", data={"email": NEW})
    house.press(client, house.link("rectify", to=NEW))

    assert not do(own_rights.correct, found, shown=shown, value=value, by=BY)

    assert house.attributes()["first_name"][1] == "Iris"
    assert house.rows(ConsentEvent, act=Act.CORRECTED.value) == []


def test_the_given_up_mailbox_moves_nobody_on(moved, do, house):
    email = "third@example.com"

    with house.database.transaction() as session:
        asked = address_changes.ask(
            session,
            moved,
            email,
            tools=house.app.extensions["tools"],
            now=house.clock.now(),
        )

    assert not asked
    assert house.rows(AddressChange) == []


def test_the_given_up_mailbox_ends_no_objection(moved, do, house):
    do(privacy.object_to_marketing, house.person(NEW), **HOW)

    assert not do(own_rights.allow, moved, by=BY)

    assert suppressed(house, Reason.NEVER) >= {house.person(NEW).email_hash}


def test_the_given_up_mailbox_stops_and_starts_nothing(moved, do, house, app):
    """WD-04: what it switches off is off; a yes has to come from the mailbox of now."""
    do(withdrawals.withdraw, moved.who, purposes=["newsletter"], facts={}, method="x")
    with house.database.reading() as session:
        offered = preferences.offers(
            session,
            moved,
            directory=app.extensions["directory"],
            now=house.clock.now(),
        )
    yes = offered["newsletter"].wording.sha256.hex()

    saved = do(
        preferences.save,
        moved,
        choices=[Choice("newsletter", yes), Choice("personal_offers", "")],
        offered=offered,
        shown={},
        by=BY,
    )

    assert (saved.on, saved.off) == ([], ["personal_offers"])
    assert set(house.standing(NEW).values()) == {"withdrawn"}


# --- both at once --------------------------------------------------------------------


# SQLite has one writer at a time, so there nobody can wait for a row and meet there.
meeting = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)


@meeting
def test_pressed_erase_while_moving_keeps_every_list_away(
    press, client, page, house, desk
):
    """T30."""
    shown = house.shown(client, f"{page}/erase")

    answer = press("/erase", {"shown": shown})

    assert answer.location.startswith("/done/erased/")
    assert bring(house, consent(NEW), consent(EMAIL)) == ["erased", "erased"]
    (told,) = desk.waiting(event="contact.erased")
    assert names(told) >= {NEW, EMAIL}


@meeting
def test_pressed_never_while_moving_holds_for_the_new_address(press, house):
    """GDPR 21(3), DS-02."""
    assert press("/never").status_code == 303

    assert not house.person(NEW).may_be_asked(house.clock.now())
    house.verify_ledger()


@meeting
def test_unsubscribed_while_moving_names_the_new_address(press, house, desk, page):
    """DS-06."""
    answer = press("/all-off")

    assert answer.status_code in {200, 303}
    told = desk.waiting(event="consent.withdrawn")
    assert told
    assert all(each["data"]["email"] == NEW for each in told)


@meeting
def test_a_confirmation_while_moving_confirms_nothing(
    publish, client, house, look_up, tools, app
):
    """A move closes what waits, so no confirmation meets a person who moved."""
    publish(sure_win(days=365))
    take_card(client).enter(client, consents=BOTH)
    link, page = house.link("confirm"), house.link("preferences")
    client.post(f"{page}/address", data={"email": NEW})
    found = look_up(Salt.RECTIFY, house.link("rectify", to=NEW))

    with (
        ThreadPoolExecutor(1) as pool,
        house.database.transaction() as session,
    ):
        contacts.lock(session, found.who)
        pressing = pool.submit(lambda: house.press(app.test_client(), link))
        until_blocked(house.database, pressing.done)
        assert address_changes.confirm(
            session,
            found,
            by=BY,
            directory=app.extensions["directory"],
            tools=tools,
            now=house.clock.now(),
        )

    assert pressing.result().status_code == 410
    assert house.standing(NEW) == {}
    assert len(house.rows(Contact)) == 1
    assert house.rows(Outbox, letter="receipt") == []
