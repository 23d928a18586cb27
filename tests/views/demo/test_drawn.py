"""The demo has a raffle that was drawn, by what draws everybody's (PZ-08, PZ-13)."""

from datetime import timedelta

import pytest

from server import bygone, showroom
from server.domain.raffle_record import verify
from server.models import Entry, Outbox, RafflePlace
from server.services import raffle_records

PAGE = "/demo/games/drawn-raffle"
SERVICE = "http://service.test"
RECORD = f"{SERVICE}/verify/{bygone.CODE}/raffle/main"


@pytest.fixture
def database_kind() -> str:
    """The demo comes with SQLite."""
    return "sqlite"


@pytest.fixture
def shown(settings, clock, house):
    """The demo as it is after its first start."""
    showroom.prepare(settings)
    return house


def test_its_page_shows_who_was_drawn_and_leads_to_the_record(shown, pages):
    page = pages.get(f"{PAGE}?lang=en")

    with shown.database.reading() as session:
        (record,) = raffle_records.of_campaign(session, bygone.CODE)
    drawn = page.root.one("div", class_="drawn")
    for label in record.drawn.places:
        assert label in drawn.text
    assert [link.attrs["href"] for link in drawn.all("a")] == [
        f"{RECORD}?lang=en",
        f"{RECORD}/draw.jsonl",
    ]


def test_what_it_leads_to_is_a_record_that_can_be_checked(shown, client):
    file = client.get(f"{RECORD.removeprefix(SERVICE)}/draw.jsonl")

    report = verify(file.data.splitlines(keepends=True))
    assert report.listed.labels == len(bygone.PEOPLE) - 1
    assert report.listed.excluded == {"duplicate": 1}
    assert len(report.drawn.places) == 5


def test_its_winners_have_a_mail_with_a_link_that_still_opens(shown, pages):
    letters = shown.letters("won")

    assert len(letters) == 3
    page = pages.get(shown.link("claim", to=letters[0].to))
    assert page.root.one("form")


def test_a_second_start_changes_nothing_of_it(shown, settings, clock):
    def rows():
        return [len(shown.rows(one)) for one in (Entry, RafflePlace, Outbox)]

    before = rows()
    clock.advance(timedelta(days=1))
    notes = showroom.prepare(settings)

    assert rows() == before
    assert notes == []


def test_without_a_draw_the_page_says_so(pages):
    assert "Start the demo again" in pages.get(f"{PAGE}?lang=en").text
