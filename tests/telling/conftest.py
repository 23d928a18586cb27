"""A shop with recipients, and people who say yes and no."""

from datetime import UTC, datetime

import pytest

from server.services import consents, contacts, privacy, shops
from server.services.consents import Request
from tests.receivers import listening
from tests.tellings import Desk
from tests.visits import sure_win

USE = privacy.Use("nl", "test", {})


@pytest.fixture
def desk(house, publish):
    publish(sure_win(days=365))
    return Desk(house)


@pytest.fixture
def tools(app):
    return app.extensions["tools"]


@pytest.fixture
def receiver():
    with listening() as made:
        yield made


@pytest.fixture
def telling(desk):
    made = desk.telling(seconds=1)
    yield made
    made.close()


@pytest.fixture
def person(house, tools):
    """Return somebody, whom this makes if need be."""

    def person(number=1):
        with house.database.transaction() as session:
            shop_id = shops.id_of(session, "demo")
            return contacts.recognise(
                session,
                shop_id=shop_id,
                email=f"person{number}@example.com",
                locale="nl",
                vault=tools.vault,
                now=house.clock.now(),
                random=tools.random,
            )

    return person


@pytest.fixture
def say(house, tools, person):
    """Let somebody say yes or take it back: `say(Act.GIVEN, 1)`."""

    def say(act, number=1, purpose="newsletter"):
        who = person(number)
        with house.database.transaction() as session:
            consents.record(
                session,
                who,
                Request(None, b"", b"", "nl", "email", {}),
                act,
                {purpose: b""},
                method="test",
                facts={},
                tools=tools,
                now=house.clock.now(),
            )
        return who

    return say


@pytest.fixture
def erase(house, tools):
    def erase(who):
        with house.database.transaction() as session:
            now = house.clock.now()
            privacy.erase(session, who, use=USE, tools=tools, now=now)

    return erase


@pytest.fixture
def in_time(monkeypatch, house):
    """Let the reference library look at a signature at the moment it came in."""

    class Then(datetime):
        moment = None

        @classmethod
        def now(cls, tz=None):
            return cls.moment or house.clock.now()

    monkeypatch.setattr("standardwebhooks.webhooks.datetime", Then)

    def checked(heard, secret):
        Then.moment = datetime.fromtimestamp(
            int(heard.headers["webhook-timestamp"]), UTC
        )
        return heard.checked(secret)

    return checked
