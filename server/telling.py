"""Tell recipients what they have to know, each in a thread of its own (DS-06, F13).

A thread stays with one recipient for a few seconds at most and then lets another have
its turn. Those who made us wait last time never have all threads, so that none of them
holds up somebody who answers; and mails do not wait for any of this.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from server import clock
from server.adapters.poster import Answer, Poster, PostError
from server.db import Database, DatabaseBusyError
from server.domain import webhook
from server.services import deliveries, delivery_lists
from server.services.deliveries import Claimed
from server.services.tools import Tools

IDLE_S = 0.5
# For so long a thread goes on with one recipient while others wait.
TURN_S = 3.0
# Whoever took longer than this for one event counts as slow.
SLOW_S = 2.0
AT_ONCE, MOST_SLOW = 24, 16
# After SIGTERM a recipient that does not answer is waited for this long.
GOODBYE_S = 4.0
DATABASE_ERRORS = (SQLAlchemyError, DatabaseBusyError)
GONE = 410

Now = Callable[[], datetime]
log = structlog.get_logger()


class Telling:
    """Tells the recipients on one database until it is told to stop."""

    def __init__(
        self,
        database: Database,
        tools: Tools,
        poster: Poster,
        *,
        lease: timedelta = deliveries.LEASE,
    ) -> None:
        self._database = database
        self._tools = tools
        self._poster = poster
        self._lease = lease
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="telling")
        self._busy: dict[int, Future[int]] = {}
        self._slow: set[int] = set()
        self._stopping = threading.Event()
        self._rounds = threading.Thread(target=self._run, daemon=True, name="telling")
        self._alarmed_at: datetime | None = None

    def start(self) -> None:
        """Begin to tell, beside the mails."""
        self._rounds.start()

    def stop(self) -> None:
        """End after the events that are under way, or without them."""
        self._stopping.set()
        goodbye = threading.Timer(GOODBYE_S, self._poster.cut)
        goodbye.daemon = True
        goodbye.start()

    def close(self) -> None:
        """Wait for those."""
        self._stopping.set()
        if self._rounds.is_alive():
            self._rounds.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def tell_all(self, *, now: Now | None = None) -> int:
        """Tell everybody what is due, until nothing is; return how many tries it took.

        It is what `run` does over and over, for whoever wants to wait for it.
        """
        tries = 0
        while True:
            self._begin(now or clock.now)
            wait(self._busy.values())
            tried = sum(each.result() for each in self._busy.values())
            if not tried:
                return tries
            tries += tried

    def give_up(self, *, now: datetime) -> bool:
        """Give up what is too old, and sound the alarm for what piles up."""
        with self._database.transaction() as session:
            number = deliveries.give_up_old(session, tools=self._tools, now=now)
        if (
            self._alarmed_at is None
            or now - self._alarmed_at >= delivery_lists.PILED_UP
        ):
            self._alarm(now)
        return number > 0

    def _alarm(self, now: datetime) -> None:
        with self._database.reading() as session:
            piles = delivery_lists.piles(
                session, waiting_since=now - delivery_lists.PILED_UP
            )
        for pile in piles:
            self._alarmed_at = now
            oldest_seconds = int((now - pile.since).total_seconds())
            log.warning(
                "a recipient has not been told",
                webhook=pile.public_id,
                waiting=pile.number,
                oldest_seconds=oldest_seconds,
            )

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._begin(clock.now)
            except DATABASE_ERRORS as error:
                log.error("database trouble", error=type(error).__name__)
            except Exception:
                # A thread that ends would do so unseen, and nobody be told any more.
                log.exception("recipients not looked at")
            self._stopping.wait(IDLE_S)

    def _begin(self, now: Now) -> None:
        """Give each recipient with something due a thread, as far as there are any."""
        self._busy = {key: each for key, each in self._busy.items() if not each.done()}
        with self._database.reading() as session:
            waiting = deliveries.due(session, now=now())
        slow = len(self._slow & self._busy.keys())
        # Who answers goes first.
        for webhook_id in sorted(waiting, key=self._slow.__contains__):
            is_slow = webhook_id in self._slow
            if webhook_id in self._busy or (is_slow and slow >= MOST_SLOW):
                continue
            if len(self._busy) >= AT_ONCE:
                return
            slow += is_slow
            turn = self._pool.submit(self._turn, webhook_id, now)
            turn.add_done_callback(_report)
            self._busy[webhook_id] = turn

    def _turn(self, webhook_id: int, now: Now) -> int:
        """Tell one recipient what is due, for a while; return how many tries that was.

        What became of one event is marked in the transaction that takes the next.
        """
        started, tries = time.monotonic(), 0
        try:
            told = self._settle(webhook_id, None, now)
            while told is not None:
                begun = time.monotonic()
                outcome = self._try(told, now())
                tries += 1
                self._note_pace(webhook_id, time.monotonic() - begun)
                is_over = time.monotonic() - started > TURN_S or self._stopping.is_set()
                told = self._settle(webhook_id, (told, outcome), now, is_last=is_over)
        except DATABASE_ERRORS as error:
            # The lease runs out, and it is told once more under the same id.
            log.error("database trouble", error=type(error).__name__)
        return tries

    def _note_pace(self, webhook_id: int, seconds: float) -> None:
        (self._slow.add if seconds > SLOW_S else self._slow.discard)(webhook_id)

    def _try(self, told: Claimed, now: datetime) -> Answer | str:
        """Post one event; return the answer, or why there is none."""
        try:
            headers = webhook.headers(told.message_id, told.body, told.secrets, now=now)
            return self._poster.post(told.url, told.body, headers)
        except PostError as error:
            return error.why
        except Exception:
            # One that nobody thought of must not stop the others.
            log.exception("event not posted", key=told.event.value)
            return "not posted"

    def _settle(
        self,
        webhook_id: int,
        before: tuple[Claimed, Answer | str] | None,
        now: Now,
        *,
        is_last: bool = False,
    ) -> Claimed | None:
        deadline = time.monotonic() + self._lease.total_seconds() / 4
        while True:
            try:
                with self._database.transaction() as session:
                    may_go_on = before is None or self._mark(session, *before, now())
                    if is_last or not may_go_on:
                        return None
                    return deliveries.claim_next(
                        session,
                        webhook_id,
                        tools=self._tools,
                        now=now(),
                        lease=self._lease,
                    )
            except DATABASE_ERRORS:
                # A database that restarts just now would cost a second telling.
                if time.monotonic() > deadline or self._stopping.wait(0.25):
                    raise

    def _mark(
        self, session: Session, told: Claimed, outcome: Answer | str, now: datetime
    ) -> bool:
        """Mark what became of an event; return whether to go on with the recipient."""
        if isinstance(outcome, str) and self._stopping.is_set():
            # We hung up ourselves; nobody is to blame for that.
            deliveries.release(session, told, now=now)
            return False
        if isinstance(outcome, str):
            deliveries.failed(
                session,
                told,
                answer=outcome,
                is_silent=True,
                tools=self._tools,
                now=now,
            )
            return False
        status = str(outcome.status)
        if outcome.status // 100 == 2:
            deliveries.acknowledged(session, told, answer=status, now=now)
            return True
        if outcome.status == GONE:
            deliveries.gone(session, told, tools=self._tools, now=now)
            return False
        deliveries.failed(
            session,
            told,
            answer=status,
            wish=outcome.wish,
            tools=self._tools,
            now=now,
        )
        return outcome.wish is None


def _report(turn: Future[int]) -> None:
    """Let the log tell of what nobody thought of; a pool keeps errors to itself."""
    if not turn.cancelled() and (error := turn.exception()) is not None:
        log.error("recipient not told", exc_info=error)
