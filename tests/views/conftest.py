"""The demo's forms without a game, published."""

import pytest

from tests.factories import campaign_file


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
