"""Two things done to one person in the same moment: no order is lost, nobody waits for
ever (PR-06, T30).

SQLite has one writer at a time, so what is shown here can go wrong on PostgreSQL alone.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from server.domain.links import Salt
from server.domain.people_file import CONSENTS, Around, read
from server.models import OptIn
from server.services import (
    consent_imports,
    consents,
    contacts,
    links,
    optins,
    outbox,
    privacy,
    withdrawals,
)
from server.services.consents import Circumstances
from tests.claims import consent, csv_of, no_texts
from tests.visits import EMAIL, sure_win, take_card
from tests.waiting import halfway, until_blocked

# What is written last when a fact decides what stands.
STANDING = "INTO standing"
BY = Circumstances(ip="203.0.113.7", user_agent="Browser")


@pytest.fixture
def tools(app):
    return app.extensions["tools"]


@pytest.fixture
def asked(publish, client, house):
    """Somebody who said yes, and was not confirmed yet."""
    publish(sure_win(days=365))
    take_card(client).enter(client, consents=["newsletter"])
    return house.person()


@pytest.fixture
def find(app, house):
    """Return what a link leads to, as of now."""

    def find(ref):
        with house.database.reading() as session:
            return links.find(
                session, ref, directory=app.extensions["directory"], vault=house.vault
            )

    return find


@pytest.fixture
def request_of(app, house, find):
    """Return what the newest confirmation link leads to."""

    def request_of():
        token = house.link("confirm").rpartition("/")[2]
        signer = app.extensions["signer"]
        return find(signer.read_link(Salt.CONFIRM, token, now=house.clock.now()))

    return request_of


@pytest.fixture
def confirming(tools, house):
    """Press the button of a request."""

    def confirming(found):
        return lambda session: optins.confirm(
            session, found, by=BY, tools=tools, now=house.clock.now()
        )

    return confirming


def test_confirming_while_an_import_writes(asked, request_of, confirming, tools, house):
    """The stored standing is the fold, whoever came first."""
    around = Around("nl", no_texts, house.clock.now())
    row = csv_of(consent(EMAIL, date="2026-03-01")).splitlines(keepends=True)
    claims = list(read(row, CONSENTS, around, is_json=False))
    (batch,) = consent_imports.batches(claims, shop_id=asked.shop_id, vault=house.vault)

    with (
        halfway(house.database, confirming(request_of()), before=STANDING),
        house.database.transaction() as session,
    ):
        consent_imports.bring_in(session, batch, tools=tools, now=house.clock.now())

    house.verify_ledger()


def test_a_press_waits_for_who_holds_the_person(asked, request_of, confirming, house):
    """DO-02: so that a yes and a no stand in the order in which they are written."""
    press, found = confirming(request_of()), house.database

    def confirm():
        with found.transaction() as session:
            press(session)

    with ThreadPoolExecutor(1) as pool, found.transaction() as session:
        contacts.lock(session, asked)
        pressing = pool.submit(confirm)
        until_blocked(found, pressing.done)
        assert not pressing.done()
    pressing.result()

    assert house.standing() == {"newsletter": "given"}


def test_confirming_while_switching_off(asked, confirming, find, tools, house, client):
    """A no that came first is no longer the last word, one that came last is."""
    house.press(client, house.link("confirm"))
    now = house.clock.now()
    with house.database.transaction() as session:
        known = session.scalars(select(OptIn)).one()
        optin_id = optins.request(
            session,
            asked,
            consents.asked_in(session, asked, known.id),
            entry_id=known.entry_id,
            notice_hash=b"",
            form_hash=b"",
            locale="en",
            channel="email",
            context={"page": ""},
            facts={},
            tools=tools,
            now=now,
        )
        ref = links.make(
            session,
            contact_id=asked.id,
            entry_id=known.entry_id,
            optin_id=optin_id,
            tools=tools,
            now=now,
        )

    with (
        halfway(house.database, confirming(find(ref)), before=STANDING),
        house.database.transaction() as session,
    ):
        withdrawals.withdraw(
            session,
            asked,
            ["newsletter"],
            facts={},
            method="pref_centre",
            tools=tools,
            now=now,
        )

    house.verify_ledger()
    assert house.standing() == {"newsletter": house.acts()[-1][1]}


def test_confirming_while_stopping_all(asked, request_of, confirming, tools, house):
    """The stop is the last word, also where nobody holds the person: see below."""
    with (
        halfway(house.database, confirming(request_of()), before=STANDING),
        house.database.transaction() as session,
    ):
        withdrawals.end_all(
            session,
            asked,
            facts={},
            method="unsubscribe-page",
            tools=tools,
            now=house.clock.now(),
        )

    house.verify_ledger()
    assert house.standing() == {"newsletter": "withdrawn"}


def test_closing_a_request_waits_for_the_press_on_it(
    asked, request_of, confirming, tools, house
):
    """DO-06: the row of the request is what both change, and it is changed once."""
    with (
        halfway(house.database, confirming(request_of()), before=STANDING),
        house.database.transaction() as session,
    ):
        optins.abandon(
            session,
            asked,
            facts={},
            method="unsubscribe-page",
            tools=tools,
            now=house.clock.now(),
        )

    assert [row.state for row in house.rows(OptIn)] == ["confirmed"]
    assert house.acts()[-1] == ("newsletter", "given")
    house.verify_ledger()


def test_marking_a_mail_as_sent_while_its_person_is_erased(asked, tools, house):
    now = house.clock.now()
    with house.database.transaction() as session:
        batch = outbox.claim_due(session, tools=tools, now=now)
    (mail,) = [claimed for claimed in batch if claimed.letter == "confirm"]

    def erase():
        with house.database.transaction() as session:
            privacy.erase(
                session,
                asked,
                use=privacy.Use("en", "office", {}),
                tools=tools,
                now=now,
            )

    with ThreadPoolExecutor(1) as pool, house.database.transaction() as session:
        assert outbox.delivered(session, mail, answer="250 OK", now=now)
        erasing = pool.submit(erase)
        until_blocked(house.database, erasing.done)
        optins.mark_sent(
            session,
            mail.optin_id,
            asked,
            message_id=mail.message_id,
            facts={},
            tools=tools,
            now=now,
        )

    erasing.result()
    house.verify_ledger()
