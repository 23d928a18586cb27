"""One round of all raffles: pass on what lapsed, close lists, draw (PZ-04, PZ-08).

Each step is a transaction of its own that only one worker wins; long work is done
before it, beside any lock. A worker that is killed leaves nothing half done.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog

from server.db import Database
from server.services import raffle_places, raffles
from server.services.campaigns import Directory
from server.services.raffles import Known
from server.services.tools import Tools

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Raffling:
    """Does the rounds on one database."""

    database: Database
    directory: Directory
    tools: Tools

    def go_round(self, *, now: datetime) -> int:
        """Do what is due, and return how many steps were taken."""
        with self.database.transaction() as session:
            steps = raffle_places.lapse_due(
                session, directory=self.directory, tools=self.tools, now=now
            )
        with self.database.reading() as session:
            due = raffles.due(session, now=now)
        for one in due:
            take = self._close if one.state == "waiting" else self._draw
            if take(one, now):
                steps += 1
                log.info("raffle", campaign=one.code, key=one.key, was=one.state)
        return steps

    def _close(self, due: Known, now: datetime) -> bool:
        with self.database.reading() as session:
            gathered = raffles.gather(
                session, due, directory=self.directory, vault=self.tools.vault
            )
        with self.database.transaction() as session:
            return raffles.close(session, gathered, now=now)

    def _draw(self, due: Known, now: datetime) -> bool:
        with self.database.reading() as session:
            reckoned = raffles.reckon(
                session, due, directory=self.directory, vault=self.tools.vault
            )
        if reckoned is None:
            return False
        with self.database.transaction() as session:
            return raffles.draw(
                session,
                reckoned,
                directory=self.directory,
                tools=self.tools,
                now=now,
            )
