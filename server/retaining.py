"""Let go of what nobody needs: look at everybody each day, a few at a time (DS-04).

A day's work is spread over many rounds, so that no mail waits long behind it. Each look
reads alone; each deed is a small transaction of its own that looks once more. A worker
that is killed begins again at the first, where nothing is left to be done.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import structlog
from sqlalchemy.orm import Session

from server.db import Database
from server.services import leftovers, retention
from server.services.campaigns import Directory
from server.services.leftovers import Kind
from server.services.retention import Plan, Report
from server.services.tools import Tools

log = structlog.get_logger()

# Does something about these people, and returns how often.
Deed = Callable[[Session, Sequence[int]], int]


@dataclass
class Done:
    """What a look found at each shop, and what was done about it."""

    reports: dict[int, Report] = field(default_factory=dict)
    erased: int = 0
    lapsed: int = 0
    # Of each kind; what would be removed, where nothing is to be written.
    leftovers: dict[str, int] = field(default_factory=dict)

    def count(self, plan: Plan) -> None:
        """Add some people to what was found."""
        for person in plan.people:
            self.reports.setdefault(person.shop_id, Report()).add(person.verdict)

    def figures(self) -> dict[str, int]:
        """Return what it came to, in numbers."""
        reports = self.reports.values()
        return {
            "people": sum(report.people for report in reports),
            "over": sum(report.over.total() for report in reports),
            "erased": self.erased,
            "lapsing": sum(report.lapsing.total() for report in reports),
            "lapsed": self.lapsed,
            "stale": sum(report.stale.total() for report in reports),
            "leftovers": sum(self.leftovers.values()),
        }


@dataclass(frozen=True, slots=True)
class Retaining:
    """Looks at everybody on one database; without `is_writing` it only looks."""

    database: Database
    directory: Directory
    tools: Tools
    is_writing: bool

    def rounds(
        self,
        done: Done,
        *,
        clock: Callable[[], datetime],
        shop_id: int | None = None,
    ) -> Iterator[int]:
        """Do one round after the other; yield how many people each looked at.

        What is about nobody belongs to no shop, so it is left where one is named.
        """
        after: int | None = 0
        while after is not None:
            now = clock()
            with self.database.reading() as session:
                plan = retention.plan(
                    session, after, shop_id=shop_id, directory=self.directory, now=now
                )
            done.count(plan)
            if self.is_writing:
                for ended in self._each(plan.lapsing, self._lapse(now)):
                    done.lapsed += ended
                    yield 0
                for erased in self._each(plan.over, self._erase(now)):
                    done.erased += erased
                    yield 0
            after = plan.last
            yield len(plan.people)
        for kind in leftovers.KINDS if shop_id is None else ():
            yield from self._clear(kind, done, clock)

    def _each(self, ids: Sequence[int], deed: Deed) -> Iterator[int]:
        for start in range(0, len(ids), retention.AT_ONCE):
            with self.database.transaction() as session:
                done = deed(session, ids[start : start + retention.AT_ONCE])
            yield done

    def _erase(self, now: datetime) -> Deed:
        return lambda session, ids: retention.erase(
            session, ids, directory=self.directory, tools=self.tools, now=now
        )

    def _lapse(self, now: datetime) -> Deed:
        return lambda session, ids: retention.lapse(
            session, ids, directory=self.directory, tools=self.tools, now=now
        )

    def _clear(
        self, kind: Kind, done: Done, clock: Callable[[], datetime]
    ) -> Iterator[int]:
        now = clock()
        if not self.is_writing:
            with self.database.reading() as session:
                done.leftovers[kind.name] = leftovers.number(session, kind, now=now)
            return
        done.leftovers[kind.name] = 0
        is_more = True
        while is_more:
            with self.database.transaction() as session:
                removed = leftovers.remove(session, kind, now=now)
            done.leftovers[kind.name] += removed
            is_more = removed > 0
            yield 0


class Daily:
    """Begins anew on each day, and takes one round whenever it is asked."""

    def __init__(self, retaining: Retaining) -> None:
        self._retaining = retaining
        self._finished: date | None = None
        self._rounds: Iterator[int] | None = None
        self._done = Done()
        self._now = datetime.min.replace(tzinfo=UTC)

    def go_round(self, *, now: datetime) -> bool:
        """Take a round of the day's look; True if there is more to do."""
        self._now = now
        if self._rounds is None:
            if self._finished == now.astimezone(UTC).date():
                return False
            self._done = Done()
            self._rounds = self._retaining.rounds(self._done, clock=lambda: self._now)
        # Taken out meanwhile: one that breaks is not gone on with, but begun anew.
        rounds, self._rounds = self._rounds, None
        if next(rounds, None) is not None:
            self._rounds = rounds
            return True
        self._finished = now.astimezone(UTC).date()
        log.info(
            "retention",
            is_writing=self._retaining.is_writing,
            **self._done.figures(),
        )
        return False
