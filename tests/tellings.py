"""Recipients of a shop, and what waits for them, opened with the house's own key."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from server.adapters.poster import Poster
from server.models import Delivery, Webhook
from server.services import shops, webhooks
from server.telling import Telling
from tests.receivers import LOOPBACKS
from tests.visits import House


@dataclass(frozen=True, slots=True)
class Desk:
    """The recipients of the demo shop, and a voice that may reach the loopback."""

    house: House

    def add(
        self, url: str = "https://crm.example/hook", name: str = "CRM", **options: Any
    ) -> tuple[int, str]:
        """Add a recipient; return its row and its secret."""
        house = self.house
        with house.database.transaction() as session:
            shop_id = shops.id_of(session, "demo")
            assert shop_id is not None
            added = webhooks.add(
                session,
                shop_id,
                name=name,
                url=url,
                tools=house.app.extensions["tools"],
                now=house.clock.now(),
                **options,
            )
            row = webhooks.find(session, added.public_id)
            assert row is not None
            return row.id, added.secret

    def rows(self, **values: Any) -> list[Delivery]:
        return self.house.rows(Delivery, **values)

    def recipient(self, webhook_id: int) -> Webhook:
        (row,) = self.house.rows(Webhook, id=webhook_id)
        return row

    def said(self, row: Delivery) -> dict[str, Any]:
        """Return what a delivery says; nothing once that is forgotten."""
        if row.sealed is None:
            return {}
        opened = self.house.vault.open(row.sealed, about=row.message_id.encode())
        told: dict[str, Any] = json.loads(opened)
        return told

    def waiting(self, **values: Any) -> list[dict[str, Any]]:
        """Return what waits, in the order in which it was queued."""
        return [self.said(row) for row in self.rows(state="waiting", **values)]

    def events(self, **values: Any) -> list[tuple[str, str]]:
        """Return event and state of every delivery."""
        return [(row.event, row.state) for row in self.rows(**values)]

    def telling(self, *, seconds: float = 5.0, **options: Any) -> Telling:
        """Return what the worker tells with; close it."""
        house = self.house
        poster = Poster(networks=[LOOPBACKS], seconds=seconds)
        tools = house.app.extensions["tools"]
        return Telling(house.database, tools, poster, **options)


def states(desk: Desk) -> Counter[str]:
    """Return how many deliveries are in each state."""
    return Counter(row.state for row in desk.rows())


def pass_days(telling: Telling, house: House, desk: Desk, *, days: int = 5) -> None:
    """Go from one due moment to the next, until nothing waits or days have passed."""
    end = house.clock.now() + timedelta(days=days)
    while house.clock.now() < end and states(desk)["waiting"]:
        telling.tell_all()
        due = [row.due_at for row in desk.rows(state="waiting")]
        rests = [row.paused_until for row in house.rows(Webhook) if row.paused_until]
        moment = max([min(due), *rests]) if due else end
        house.clock.advance(
            max(moment - house.clock.now(), timedelta()) + timedelta(milliseconds=1)
        )
