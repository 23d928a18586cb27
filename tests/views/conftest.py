"""The demo's forms without a game, and somebody who said yes."""

import pytest

from tests.factories import campaign_file
from tests.forms import LINE
from tests.profiles import BOTH, FIELDS, TOLD
from tests.visits import EMAIL, sure_win, take_card


@pytest.fixture
def newsletter(publish):
    publish(campaign_file("footer-newsletter"))


@pytest.fixture
def waiting_list(publish):
    publish(campaign_file("black-friday"))


@pytest.fixture
def form(publish):
    """Publish the newsletter's form with other fields, or more changes."""

    def form(*fields, **changes):
        open_form = {"layout": "open"}
        changes = {"fields": list(fields), "form": open_form} | changes
        return publish(campaign_file("footer-newsletter", **changes))

    return form


@pytest.fixture
def signed_up(publish, client, house):
    """Somebody who won, said yes twice, and was mailed a link; returns the link."""
    publish(sure_win(days=365))
    assert (
        take_card(client)
        .enter(client, consents=["newsletter", "personal_offers"])
        .status_code
        == 200
    )
    return house.link("confirm")


@pytest.fixture
def told(form, client, house):
    """Let somebody tell it all under both purposes and confirm; return their page."""
    form(*FIELDS)

    def told(email=EMAIL, consents=BOTH, lang="en", **more):
        card = take_card(client, LINE, lang=lang)
        card.send(client, {"email": email} | TOLD | more, consents=consents)
        house.press(client, house.link("confirm", to=email))
        return house.link("preferences", to=email)

    return told
