"""Strangers' addresses typed in by a robot, and what becomes of it: AB-02.

The spike is made with real requests, delivered by the real worker over SMTP.
"""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from server.domain.suspicion import LEAST_SENT
from server.models import Campaign
from server.services import alarms
from tests.factories import campaign_file
from tests.visits import few_mugs, take_card

ALARM = "many requests, few confirmed: visitors are checked for an hour"


@pytest.fixture
def ask(publish, client, house, worker):
    """Let so many people ask for the newsletter, and so many of them confirm."""
    publish(few_mugs(0))

    def ask(people: int, *, confirmed: int = 0, delivered: bool = True) -> None:
        links = []
        for number in range(people):
            email = f"v{number}@example.com"
            answer = take_card(client).enter(client, email, consents=["newsletter"])
            assert answer.status_code == 200
            if number < confirmed:
                links.append(house.link("confirm", to=email))
        while delivered and worker.deliver():
            pass
        for link in links:
            house.press(client, link)

    return ask


def wait(house, worker, **time: int) -> list[str]:
    """Let time pass, and return the alarms that the worker sounds then."""
    house.clock.advance(timedelta(**time))
    with capture_logs() as logs:
        worker.watch(now=house.clock.now())
    return [line["event"] for line in logs if line["log_level"] == "warning"]


def enter(client, number: int):
    email = f"late{number}@example.com"
    return take_card(client).enter(client, email, consents=["newsletter"])


def test_a_spike_that_nobody_confirms_makes_the_campaign_stricter(
    ask, client, house, worker
):
    """AB-02: by itself, for everybody, with an alarm; and it ends by itself."""
    ask(LEAST_SENT)
    assert wait(house, worker, minutes=5) == []
    assert enter(client, 1).status_code == 200

    assert wait(house, worker, minutes=10) == [ALARM]

    house.clock.advance(timedelta(seconds=2))
    assert enter(client, 2).status_code == 422
    # Who says no to everything causes no question, and is asked none.
    without = take_card(client).enter(client, "no@example.com")
    assert without.status_code == 200
    # It is sounded once, and goes on for as long as it lasts.
    assert wait(house, worker, minutes=50) == []
    house.clock.advance(timedelta(seconds=2))
    assert enter(client, 3).status_code == 422
    assert wait(house, worker, minutes=61) == []
    assert enter(client, 4).status_code == 200


def test_a_crowd_that_confirms_is_welcome(ask, client, house, worker):
    ask(LEAST_SENT, confirmed=LEAST_SENT // 5)

    assert wait(house, worker, minutes=20) == []
    assert enter(client, 1).status_code == 200


def test_one_mail_less_is_no_spike(ask, house, worker):
    ask(LEAST_SENT - 1)

    assert wait(house, worker, minutes=20) == []


def test_mails_that_did_not_leave_yet_say_nothing(ask, house, worker):
    """A mail server that is down for an hour is no attack."""
    ask(LEAST_SENT, delivered=False)

    assert wait(house, worker, minutes=20) == []


def test_mails_that_have_just_left_say_nothing_yet(ask, house, worker):
    """After an outage they all leave at once, long after they were asked for."""
    ask(LEAST_SENT, delivered=False)
    house.clock.advance(timedelta(minutes=40))
    while worker.deliver():
        pass

    assert wait(house, worker, minutes=5) == []
    assert wait(house, worker, minutes=10) == [ALARM]


def test_another_campaign_stays_as_it_is(ask, publish, client, house, worker):
    ask(LEAST_SENT)
    other = campaign_file("footer-newsletter")
    publish(other)

    assert wait(house, worker, minutes=20) == [ALARM]

    guarded = {row.code: row.guarded_until for row in house.rows(Campaign)}
    assert guarded["welcome-scratch"]
    assert guarded[other.code] is None


def test_the_alarm_says_how_many(ask, house, worker):
    ask(LEAST_SENT, confirmed=2)
    house.clock.advance(timedelta(minutes=20))

    with house.database.reading() as session:
        (spike,) = alarms.spikes(session, now=house.clock.now())

    assert (spike.code, spike.sent, spike.confirmed, spike.is_known) == (
        *("welcome-scratch", LEAST_SENT, 2, False),
    )
