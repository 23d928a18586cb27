"""A scanner with a whole browser opens a mail's links, and confirms nothing (G12)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page

from server.models import OptIn
from tests.factories import campaign_file
from tests.servers import Web
from tests.visits import EMAIL, House, take_card

MOST_PAGES = 60


@pytest.fixture
def database_kind() -> str:
    """A browser sees no difference between the two."""
    return "sqlite"


@pytest.fixture
def now() -> datetime:
    """The running service is on the real clock."""
    return datetime.now(UTC).replace(microsecond=0)


def test_it_follows_every_link_and_runs_every_script_and_confirms_nothing(
    page: Page,
    live: Web,
    publish: Callable[..., Any],
    client: FlaskClient,
    house: House,
) -> None:
    """DO-02, G12: from all links of a mail on; then one press is one confirmation."""
    publish(campaign_file("welcome-scratch"))
    take_card(client).enter(client, consents=["newsletter"])
    confirm = house.link("confirm")
    before = house.dump()
    centre = house.link("preferences")
    waiting = [confirm, house.link("unsubscribe"), centre]
    seen: set[str] = set()

    while waiting and len(seen) < MOST_PAGES:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        page.goto(live.url + path)
        page.mouse.move(200, 300)
        page.keyboard.press("Enter")
        page.reload()
        found = [a.get_attribute("href") or "" for a in page.locator("a").all()]
        there = [urlsplit(address) for address in found]
        ours = {"", urlsplit(live.url).netloc}
        waiting += [part.path for part in there if part.netloc in ours]

    assert {confirm, f"{centre}/erase", f"{centre}/address"} < seen
    assert house.dump() == before
    page.goto(live.url + confirm)
    page.wait_for_timeout(1_200)
    page.get_by_role("button", name="Yes").click()
    page.wait_for_url("**/done/confirmed/**")
    (optin,) = house.rows(OptIn)
    assert (optin.state, [fact.act for fact in house.facts(EMAIL)][-1]) == (
        "confirmed",
        "given",
    )
