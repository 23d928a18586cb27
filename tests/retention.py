"""A worker that does nothing but let go, at a time that tests choose."""

from dataclasses import dataclass
from typing import Any

from server.retaining import Done, Retaining
from server.services.acquaintances import AT_ONCE
from server.services.retention import Report
from tests.visits import House

__all__ = ["AT_ONCE", "Keeper"]


@dataclass(frozen=True)
class Keeper:
    """Looks at everybody of a house, and at what it holds afterwards."""

    house: House

    def look(self, *, is_writing: bool = False, shop_id: int | None = None) -> Done:
        """Look at everybody at the moment of the clock."""
        done = Done()
        parts = self.house.app.extensions
        retaining = Retaining(
            self.house.database, parts["directory"], parts["tools"], is_writing
        )
        for _ in retaining.rounds(done, clock=self.house.clock.now, shop_id=shop_id):
            pass
        return done

    def run(self) -> Done:
        """Let go of what is over at the moment of the clock."""
        return self.look(is_writing=True)

    def report(self) -> Report:
        """Return what a dry run finds at the one shop there is."""
        (report,) = self.look().reports.values()
        return report

    def over(self) -> dict[str, int]:
        """Return how many would be erased, by their last reason."""
        return {reason.value: n for reason, n in self.report().over.items()}

    def kept(self) -> dict[str, Any]:
        """Return how many are kept, by what keeps them."""
        return {
            reason.value: kept.people for reason, kept in self.report().kept.items()
        }
