"""A recipient is changed, or given up on, while somebody says yes or no (DS-06, T30).

SQLite has one writer at a time, so what is shown here can go wrong on PostgreSQL alone.
"""

from datetime import timedelta

import pytest

from server.domain import retry
from server.domain.consent import Act
from server.models import Webhook
from server.services import consents, deliveries, webhooks, withdrawals
from server.services.consents import Request
from tests.waiting import halfway

# What is read first when somebody changes a recipient, and written when one is told.
RECIPIENT, DELIVERY = "webhook.public_id", "INTO delivery"


@pytest.fixture
def saying(house, tools):
    """Say something about several people in one transaction, as an import does."""

    def saying(act, *people):
        def work(session):
            for who in people:
                consents.record(
                    session,
                    who,
                    Request(None, b"", b"", "nl", "email", {}),
                    act,
                    {"newsletter": b""},
                    method="test",
                    facts={},
                    tools=tools,
                    now=house.clock.now(),
                )

        return work

    return saying


@pytest.fixture
def stopping(house, tools):
    """Take back all that somebody said yes to."""

    def stopping(who):
        return lambda session: withdrawals.end_all(
            session, who, facts={}, method="test", tools=tools, now=house.clock.now()
        )

    return stopping


def test_giving_up_and_saying_yes_do_not_wait_for_each_other(
    desk, say, person, saying, tools, house
):
    """One holds what waits and needs the recipient, the other the other way round."""
    key, _ = desk.add()
    who = say(Act.GIVEN, 1)
    say(Act.WITHDRAWN, 1)
    newcomer = person(2)
    with house.database.transaction() as session:
        session.get_one(Webhook, key).faults = 1
    house.clock.advance(retry.WEBHOOK_GIVE_UP_AFTER)

    def give_up(session):
        deliveries.give_up_old(session, tools=tools, now=house.clock.now())

    with (
        halfway(house.database, give_up, before=RECIPIENT),
        house.database.transaction() as session,
    ):
        saying(Act.GIVEN, newcomer, who)(session)

    assert len(house.letters("untold")) == 1


def test_ending_a_recipient_waits_for_what_is_being_queued_for_it(
    desk, say, stopping, house
):
    """T30: or an address would lie there for good, for nobody."""
    key, _ = desk.add()
    who = say(Act.GIVEN)

    with (
        halfway(house.database, stopping(who), before=DELIVERY),
        house.database.transaction() as session,
    ):
        webhooks.end(session, session.get_one(Webhook, key), now=house.clock.now())

    assert {(row.state, row.sealed) for row in desk.rows()} == {("dropped", None)}


@pytest.mark.parametrize("state", ["off", "active"])
def test_nothing_takes_back_the_end_of_a_recipient(desk, house, state):
    key, _ = desk.add()
    with house.database.transaction() as session:
        session.get_one(Webhook, key).state = state

    def turn(session):
        row = session.get_one(Webhook, key)
        if state == "off":
            webhooks.turn_on(session, row)
        else:
            webhooks.turn_off(session, row, why="test")

    with (
        halfway(house.database, turn, before="UPDATE webhook"),
        house.database.transaction() as session,
    ):
        webhooks.end(session, session.get_one(Webhook, key), now=house.clock.now())

    assert desk.recipient(key).state == "ended"


def test_what_a_worker_marks_while_its_recipient_ends_is_forgotten_soon_after(
    desk, say, tools, house
):
    """T30: neither waits for the other."""
    key, _ = desk.add()
    say(Act.WITHDRAWN)
    say(Act.GIVEN)
    now = house.clock.now()
    with house.database.transaction() as session:
        told = deliveries.claim_next(session, key, tools=tools, now=now)

    def fail(session):
        deliveries.failed(
            session, told, answer="", is_silent=True, tools=tools, now=now
        )

    with (
        halfway(house.database, fail, before=RECIPIENT),
        house.database.transaction() as session,
    ):
        webhooks.end(session, session.get_one(Webhook, key), now=now)
    with house.database.transaction() as session:
        deliveries.give_up_old(session, tools=tools, now=now + timedelta(minutes=1))

    assert {(row.state, row.sealed) for row in desk.rows()} == {("dropped", None)}
