"""What is kept of somebody changes only if it is what was shown: GDPR 16, T24."""

import pytest

from server.domain.consent import Act
from server.domain.links import Salt
from server.models import Attribute, ConsentEvent, RightsRequest
from server.services import links, own_rights, profile, withdrawals
from server.services.consents import Circumstances
from tests.factories import campaign_file
from tests.forms import LINE, asked
from tests.tellings import Desk
from tests.visits import EMAIL, take_card

BY = Circumstances(ip="203.0.113.7", user_agent="Browser")


@pytest.fixture
def found(app, publish, client, house):
    """Where the link to somebody's page leads, who told their postcode."""
    fields = [asked("postcode", "postcode", purpose="newsletter")]
    publish(campaign_file("footer-newsletter", fields=fields, form={"layout": "open"}))
    Desk(house).add()
    card = take_card(client, LINE)
    told = {"email": EMAIL, "postcode": "1234 AB"}
    card.send(client, told, consents=["newsletter"])
    house.press(client, house.link("confirm"))
    token = house.link("preferences").rpartition("/")[2]
    ref = app.extensions["signer"].read_link(
        Salt.PREFERENCES, token, now=house.clock.now()
    )
    with house.database.reading() as session:
        directory = app.extensions["directory"]
        return links.find(session, ref, directory=directory, vault=house.vault)


@pytest.fixture
def shown(app, house, found):
    """What a page has just read, in a look of its own."""
    with house.database.reading() as session:
        (kept,) = profile.kept(
            session, found.who, directory=app.extensions["directory"]
        )
    return kept


@pytest.fixture
def correct(app, house, found):
    def correct(shown, value):
        with house.database.transaction() as session:
            return own_rights.correct(
                session,
                found,
                shown,
                value,
                by=BY,
                tools=app.extensions["tools"],
                now=house.clock.now(),
            )

    return correct


def facts(house):
    return len(house.rows(ConsentEvent)), len(house.rows(RightsRequest))


def test_what_was_shown_is_changed_once(house, correct, shown):
    """The second press of the same moment finds another value."""
    assert correct(shown, "4321 ZZ")
    before = facts(house)

    assert not correct(shown, "9999 ZZ")
    assert not correct(shown, None)

    assert house.attributes()["postcode"][1] == "4321 ZZ"
    assert facts(house) == before


def test_what_was_removed_in_this_moment_does_not_come_back(house, correct, shown):
    assert correct(shown, None)
    before = facts(house)

    assert not correct(shown, "9999 ZZ")

    assert house.rows(Attribute) == []
    assert facts(house) == before


def test_what_lost_its_yes_in_this_moment_does_not_come_back(
    app, house, found, correct, shown
):
    with house.database.transaction() as session:
        withdrawals.withdraw(
            session,
            found.who,
            ["newsletter"],
            facts={},
            method="test",
            tools=app.extensions["tools"],
            now=house.clock.now(),
        )
    before = facts(house)

    assert not correct(shown, "9999 ZZ")

    assert house.rows(Attribute) == []
    assert facts(house) == before


def test_recipients_hear_of_addresses_and_never_had_an_answer(house, correct, shown):
    """GDPR 19: whom nothing was given is not told that it changed."""
    before = len(Desk(house).waiting())

    assert correct(shown, "4321 ZZ")

    assert len(Desk(house).waiting()) == before
    assert house.acts()[-1] == ("*", Act.CORRECTED.value)
