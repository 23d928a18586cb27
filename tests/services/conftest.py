"""People of a campaign in which nothing is won, and what lets go of them."""

import pytest

from server.services import privacy
from tests.factories import campaign_file
from tests.retention import Keeper
from tests.visits import EMAIL, NOTHING, take_card


@pytest.fixture
def keeper(house) -> Keeper:
    return Keeper(house)


@pytest.fixture
def tools(app):
    return app.extensions["tools"]


@pytest.fixture
def play(publish, client):
    """Let somebody take part who wins nothing, in a campaign of ten days."""
    lost = [NOTHING | {"weight": 1}]
    publish(campaign_file("welcome-scratch", days=10, prizes=lost, fallback="nothing"))

    def play(email=EMAIL, **options):
        assert take_card(client).enter(client, email, **options).status_code == 200

    return play


@pytest.fixture
def say_yes(play, client, house):
    """Let somebody say yes to the newsletter, and confirm it."""

    def say_yes(email=EMAIL):
        play(email, consents=["newsletter"])
        house.press(client, house.link("confirm", to=email))

    return say_yes


@pytest.fixture
def erase(house, tools):
    def erase(email=EMAIL):
        with house.database.transaction() as session:
            return privacy.erase(
                session,
                house.person(email),
                use=privacy.Use("nl", "office", {"ip": "203.0.113.9"}),
                tools=tools,
                now=house.clock.now(),
            )

    return erase
