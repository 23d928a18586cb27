"""Two things done to one person in the same moment: no order is lost, nobody waits for
ever (PR-06, T30).

SQLite has one writer at a time, so what is shown here can go wrong on PostgreSQL alone.
"""

import threading
import time
from contextlib import contextmanager

import pytest
from sqlalchemy import select

from server.domain.links import Salt
from server.domain.people_file import CONSENTS, Around, read
from server.models import OptIn
from server.services import (
    consent_imports,
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

BY = Circumstances(ip="203.0.113.7", user_agent="Browser")
# Long enough for the other side to get as far as it can.
A_WHILE_S = 0.5


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
def meanwhile(database):
    """Do something in another thread while a transaction of this one is open."""

    @contextmanager
    def meanwhile(work):
        errors = []

        def do():
            try:
                with database.transaction() as session:
                    work(session)
            except Exception as error:
                errors.append(error)

        other = threading.Thread(target=do)
        try:
            with database.transaction() as session:
                yield session, other
        finally:
            other.join()
        assert errors == []

    return meanwhile


@pytest.fixture
def confirming(tools, house):
    """Press the button of a request."""

    def confirming(found):
        return lambda session: optins.confirm(
            session, found, by=BY, tools=tools, now=house.clock.now()
        )

    return confirming


def test_confirming_while_an_import_writes(
    asked, request_of, confirming, meanwhile, tools, house
):
    """The stored standing is the fold, whoever came first."""
    around = Around("nl", no_texts, house.clock.now())
    row = csv_of(consent(EMAIL, date="2026-03-01")).splitlines(keepends=True)
    claims = list(read(row, CONSENTS, around, is_json=False))
    (batch,) = consent_imports.batches(claims, shop_id=asked.shop_id, vault=house.vault)

    with meanwhile(confirming(request_of())) as (session, other):
        contacts.lock(session, asked)
        other.start()
        time.sleep(A_WHILE_S)
        consent_imports.bring_in(session, batch, tools=tools, now=house.clock.now())

    house.verify_ledger()


def test_a_press_waits_for_who_holds_the_person(
    asked, request_of, confirming, meanwhile, house
):
    """DO-02: so that a yes and a no stand in the order in which they are written."""
    with meanwhile(confirming(request_of())) as (session, other):
        contacts.lock(session, asked)
        other.start()
        other.join(A_WHILE_S)
        assert other.is_alive()

    assert house.standing() == {"newsletter": "given"}


def test_confirming_while_switching_off(
    asked, confirming, meanwhile, find, tools, house, client
):
    """A no that came first is no longer the last word, one that came last is."""
    house.press(client, house.link("confirm"))
    now = house.clock.now()
    with house.database.transaction() as session:
        known = session.scalars(select(OptIn)).one()
        optin_id = optins.request(
            session,
            asked,
            {"newsletter": bytes.fromhex(known.wordings["newsletter"])},
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

    with meanwhile(confirming(find(ref))) as (session, other):
        contacts.lock(session, asked)
        other.start()
        time.sleep(A_WHILE_S)
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


def test_confirming_while_stopping_all(
    asked, request_of, confirming, meanwhile, tools, house
):
    with meanwhile(confirming(request_of())) as (session, other):
        contacts.lock(session, asked)
        other.start()
        time.sleep(A_WHILE_S)
        withdrawals.end_all(
            session,
            asked,
            facts={},
            method="unsubscribe-page",
            tools=tools,
            now=house.clock.now(),
        )

    house.verify_ledger()


def test_marking_a_mail_as_sent_while_its_person_is_erased(
    asked, meanwhile, tools, house
):
    now = house.clock.now()
    with house.database.transaction() as session:
        batch = outbox.claim_due(session, tools=tools, now=now)
    (mail,) = [claimed for claimed in batch if claimed.letter == "confirm"]

    def erase(session):
        privacy.erase(
            session, asked, locale="en", method="office", facts={}, tools=tools, now=now
        )

    with meanwhile(erase) as (session, other):
        assert outbox.delivered(session, mail, answer="250 OK", now=now)
        other.start()
        if not house.database.is_sqlite:
            time.sleep(A_WHILE_S)
        optins.mark_sent(
            session,
            mail.optin_id,
            asked,
            message_id=mail.message_id,
            facts={},
            tools=tools,
            now=now,
        )

    house.verify_ledger()
