"""Campaigns with a raffle, people who take part, and the rounds of a worker."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from server.domain.campaign import Campaign
from server.models import Contact, Entry, RafflePlace
from server.raffling import Raffling
from server.services import raffle_records
from tests.factories import campaign_file
from tests.people import email_of
from tests.visits import House, take_card

CODE, PAGE = "summer-raffle", "summer-raffle-page"
FIVE = ("ann", "ben", "cas", "dee", "eva")
# A month of taking part, a day until the draw.
UNTIL_DRAW = timedelta(days=31)


def raffle_table(*numbers: int, **changes: Any) -> dict[str, Any]:
    """Return a raffle of so many of each prize, as a campaign file says it."""
    return {
        "key": "main",
        "draws_after_hours": 24,
        "reserves": 1,
        "claim_days": 7,
        "prizes": [
            {
                "key": f"prize{number}",
                "number": many,
                "value_cents": 1000,
                "texts": dict.fromkeys(
                    ("nl", "en"),
                    {"label": f"Prize {number}", "claim": "We call you."},
                ),
            }
            for number, many in enumerate(numbers or (1, 1), 1)
        ],
    } | changes


def raffle_file(*numbers: int, **changes: Any) -> Campaign:
    """Return the demo's raffle with other prizes."""
    return campaign_file(CODE, raffles=[raffle_table(*numbers, **changes)])


def free_raffle(**changes: Any) -> Campaign:
    """Return a raffle in which one may take part as often as one likes."""
    options = {"entries_per_address": None, "raffles": [raffle_table(1)]}
    return campaign_file(CODE, **options | changes)


def take_part(client: FlaskClient, *people: str, code: str = PAGE) -> None:
    """Let each of them take part, by the name before the @."""
    for name in people:
        answer = take_card(client, code).enter(client, f"{name}@example.com")
        assert answer.status_code == 200, answer.text


def record(
    house: House, key: str = "main", code: str = CODE
) -> tuple[raffle_records.Record, list[bytes]]:
    """Return what is published of a raffle, and the lines of its file."""
    with house.database.reading() as session:
        found = raffle_records.find(session, code, key)
        assert found
        return found, list(raffle_records.lines(session, found))


def winners(house: House) -> list[str]:
    """Return the names of who was drawn, in order."""
    with house.database.reading() as session:
        drawn = session.scalars(
            select(Contact)
            .join(Entry, Entry.contact_id == Contact.id)
            .join(RafflePlace, RafflePlace.entry_id == Entry.id)
            .order_by(RafflePlace.number)
        )
        return [email_of(row, house.vault).partition("@")[0] for row in drawn]


@dataclass(frozen=True)
class Desk:
    """A worker that does nothing but raffles, at a time that tests choose."""

    house: House

    @property
    def raffling(self) -> Raffling:
        """Return a worker of its own."""
        parts = self.house.app.extensions
        return Raffling(self.house.database, parts["directory"], parts["tools"])

    def go_round(self, after: timedelta = timedelta()) -> int:
        """Let time pass, then do one round."""
        return self.raffling.go_round(now=self.house.clock.advance(after))

    def finish(self, after: timedelta = UNTIL_DRAW) -> None:
        """Let time pass, then do rounds until nothing is left to do."""
        self.house.clock.advance(after)
        while self.go_round():
            pass

    def places(self) -> list[str]:
        """Return the state of each who was drawn, in order."""
        return [place.state for place in self.house.rows(RafflePlace)]
