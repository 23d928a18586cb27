"""One round of the consent ledger: seal what is new, and close each day (PR-05).

Each step is a transaction of its own that only one worker wins; what it needs is read
and hashed before it, beside any lock.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time

import structlog

from server.db import Database
from server.services import ledger, notices
from server.services.tools import Tools

# A fact of the last second before midnight is stored a little later.
GRACE = time(0, 5)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sealing:
    """Does the rounds on one database."""

    database: Database
    tools: Tools

    def go_round(self, *, now: datetime) -> int:
        """Seal what waits, or a part, and sign what is due; return how many entries."""
        with self.database.reading() as session:
            batches = ledger.gather(session)
        sealed = 0
        for batch in batches:
            with self.database.transaction() as session:
                sealed += ledger.seal(session, batch)
        if not batches and now.astimezone(UTC).time() >= GRACE:
            self._close_day(now)
        return sealed

    def _close_day(self, now: datetime) -> None:
        with self.database.reading() as session:
            due = ledger.reckon(session, notary=self.tools.notary, now=now)
        for shop_id, signed in due:
            with self.database.transaction() as session:
                is_first = ledger.keep(session, shop_id, signed, now=now)
                if is_first:
                    notices.put_checkpoint(
                        session, shop_id, signed, tools=self.tools, now=now
                    )
            if is_first:
                log.info(
                    "checkpoint",
                    shop=shop_id,
                    day=signed.checkpoint.day.isoformat(),
                    size=signed.checkpoint.size,
                )
