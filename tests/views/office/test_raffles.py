"""A campaign's raffles in the office: who takes part, who was drawn, the balance."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from server.domain import raffle as rules
from server.models import Entry, RaffleExclusion, RafflePlace, RaffleStep
from server.raffling import Raffling
from tests.factories import publish
from tests.pages import Pages
from tests.raffles import PAGE, UNTIL_DRAW, raffle_file, take_part

ADDRESS = "/office/demo/campaigns/summer-raffle/raffles"


@pytest.fixture
def database_kind() -> str:
    """Pages know no database; `tests/services/test_raffles.py` runs on both."""
    return "sqlite"


@pytest.fixture
def labels(client, house, vault) -> list[str]:
    """The labels of three who take part in a raffle."""
    with house.database.transaction() as session:
        publish(session, raffle_file(1, reserves=1), vault=vault, now=house.now)
    take_part(client, "ann", "ben", "cas", code=PAGE)
    with house.database.reading() as session:
        entries = session.query(Entry).order_by(Entry.id).all()
        return [rules.label(entry.ticket) for entry in entries][-3:]


def go_on(house, clock, after: timedelta) -> None:
    parts = house.app.extensions
    raffling = Raffling(house.database, parts["directory"], parts["tools"])
    clock.advance(after)
    while raffling.go_round(now=clock.now()):
        pass


def english(pages: Pages) -> Pages:
    pages.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return pages


def rows(house, model):
    with house.database.reading() as session:
        return session.query(model).all()


def test_an_owner_leaves_somebody_out_before_the_list_is_closed(owner, house, labels):
    page = english(owner).get(ADDRESS)

    done = owner.submit(
        page.form("exclude"), label=labels[0], why="an employee", status=303
    )
    after = owner.get(ADDRESS)

    assert done.response.location == ADDRESS
    assert "Not closed yet" in page.text
    assert f"{labels[0]}" in after.text
    assert "an employee" in after.text
    (out,) = rows(house, RaffleExclusion)
    assert out.by == f"member:{house.owner}"
    assert house.audits() == ["raffle.exclude"]


def test_what_became_of_the_prizes_is_told_once_they_are_drawn(
    owner, house, clock, labels
):
    before = english(owner).get(ADDRESS).text
    go_on(house, clock, UNTIL_DRAW)
    after = english(Pages(house.client(house.owner, now=clock.now()))).get(ADDRESS)

    assert "Wait for an answer" not in before
    assert "Wait for an answer 1" in after.text


def test_what_is_missing_or_wrong_is_said(owner, house, labels):
    form = english(owner).get(ADDRESS).form("exclude")

    bare = owner.submit(form, label="", why="", status=422)
    wrong = owner.submit(form, label="e_none", why="typed wrong", status=422)

    assert "Give the number and the reason." in bare.text
    assert "Nobody takes part with this number." in wrong.text
    assert rows(house, RaffleExclusion) == []
    assert house.audits() == []


def test_a_reason_is_kept_as_one_line(owner, house, labels):
    form = english(owner).get(ADDRESS).form("exclude")

    owner.submit(form, label=labels[0], why="an\0employee\r\n", status=303)

    (out,) = rows(house, RaffleExclusion)
    assert out.note == "an employee"


def test_the_drawn_are_there_with_what_happened_to_each(owner, house, clock, labels):
    """PZ-13: each try to reach a winner is there, with who tried."""
    go_on(house, clock, UNTIL_DRAW)
    # Whoever was signed in a month ago is not any more.
    pages = english(Pages(house.client(house.owner, now=clock.now())))
    page = pages.get(ADDRESS)
    pages.submit(page.form("contacted"), note="called, no answer", status=303)

    after = pages.get(ADDRESS)
    go_on(house, clock, timedelta(days=8))
    later = english(Pages(house.client(house.viewer, now=clock.now()))).get(ADDRESS)

    assert "Waits for the winner" in page.text
    with house.database.reading() as session:
        [until] = session.scalars(
            select(RafflePlace.claim_by).where(RafflePlace.number == 1)
        )
    day = (until - timedelta(days=1)).strftime("%-d %b %Y")
    # The same day as in the winner's mail.
    assert f"until and including {day}" in page.text
    current = page.root.all("nav")[0].one("a", aria_current="true")
    assert current.text == "Campaigns"
    assert "called, no answer" in after.text
    assert "Owner Name" in after.text
    assert [step.step for step in rows(house, RaffleStep)][:2] == [
        *("offered", "contacted"),
    ]
    assert "Not claimed in time" in later.text
    assert not later.root.all("details")
    assert [place.state for place in rows(house, RafflePlace)] == ["lapsed", "offered"]


def test_a_campaign_without_one_says_so(viewer):
    page = english(viewer).get("/office/demo/campaigns/welcome-scratch/raffles")

    assert "No raffle" in page.text


def test_a_campaign_with_one_leads_there(viewer, labels):
    page = english(viewer).get("/office/demo/campaigns/summer-raffle")

    assert f'href="{ADDRESS}"' in page.html
