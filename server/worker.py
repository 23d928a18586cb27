"""The loop beside the web server: deliver mails, close what is over, count.

Each mail is marked at once after it was sent, so a killed worker costs at most the
one mail that was under way; that one goes out again under the same Message-ID
(SAFETY.md F2). One that slept past its lease marks nothing any more (F22).
"""

import hashlib
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import FrameType
from typing import TypeVar

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from server import clock, create_app
from server.adapters.mailer import (
    DeliveryError,
    Mailer,
    RefusedError,
    Server,
    UnreachableError,
)
from server.adapters.poster import SECONDS, Poster
from server.db import Database, DatabaseBusyError
from server.domain.optin import OPEN
from server.migrations import check_current
from server.opened import Opened
from server.raffling import Raffling
from server.retaining import Daily, Retaining
from server.sealing import Sealing
from server.services import (
    address_changes,
    alarms,
    funnel,
    invitations,
    lapses,
    links,
    notices,
    optins,
    outbox,
    prize_letters,
    raffle_places,
    receipt_letters,
    stats,
    unclaimed,
)
from server.services.campaigns import Directory
from server.services.links import Found
from server.services.notices import Notice
from server.services.outbox import Claimed
from server.services.tools import Tools
from server.settings import Settings
from server.telling import Telling
from server.tooling import check_keys
from server.writing import Parcel, Writer, link_of

T = TypeVar("T")

IDLE_S = 0.2
# Within a batch, what was read this long ago still counts as so.
FRESH_S = 1.0
HOUSEKEEPING_S = 3.0
HEARTBEAT_S = 60.0
MOST_OPENED = 500
# A chore takes at most this share of the time, however much there is to look at.
CHORE_SHARE = 0.05
LONGEST_PAUSE_S = 30.0
# After SIGTERM a mail server that does not answer is waited for this long.
GOODBYE_S = 4.0
DATABASE_ERRORS = (SQLAlchemyError, DatabaseBusyError)

log = structlog.get_logger()


@dataclass
class Tally:
    """What was done since the last heartbeat."""

    sent: int = 0
    failed: int = 0
    refused: int = 0
    dropped: int = 0
    expired: int = 0
    lapsed: int = 0
    over: int = 0
    invited: int = 0
    raffled: int = 0
    sealed: int = 0


class Chore:
    """Something to look at now and then: how long ago it was, and how long it took."""

    def __init__(self) -> None:
        self._at = time.monotonic()
        self._pause = HOUSEKEEPING_S

    def is_due(self) -> bool:
        """Return whether its pause is over."""
        return time.monotonic() - self._at >= self._pause

    def do(self, work: Callable[[], bool | None]) -> None:
        """Do it. Work that says there is more goes on right after the next mails."""
        self._at = time.monotonic()
        is_more = work()
        took = time.monotonic() - self._at
        self._pause = 0.0 if is_more else max(HOUSEKEEPING_S, took / CHORE_SHARE)


class Worker:
    """Does the work of one process until it is told to stop."""

    def __init__(self, app: Flask) -> None:
        settings: Settings = app.config["SETTINGS"]
        self._app = app
        self._database: Database = app.extensions["database"]
        self._tools: Tools = app.extensions["tools"]
        self._directory: Directory = app.extensions["directory"]
        self._writer = Writer(app)
        self._raffling = Raffling(self._database, self._directory, self._tools)
        self._sealing = Sealing(self._database, self._tools)
        self._retaining = Daily(
            Retaining(
                self._database,
                self._directory,
                self._tools,
                is_writing=settings.retention == "on",
            )
        )
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._mailer = Mailer(
            Server.from_url(settings.smtp_url),
            greeting=settings.host,
            seconds=settings.lease_seconds / 2,
        )
        self._telling = Telling(
            self._database,
            self._tools,
            Poster(
                networks=settings.webhook_networks,
                seconds=min(SECONDS, settings.lease_seconds / 2),
            ),
            lease=self._lease,
        )
        self._opened: Opened = app.extensions["opened"]
        self._stopping = threading.Event()
        self._pause_s = 0.0
        self.tally = Tally()

    def stop(self) -> None:
        """End after the mail that is under way."""
        self._stopping.set()
        self._telling.stop()
        goodbye = threading.Timer(GOODBYE_S, self._mailer.cut)
        goodbye.daemon = True
        goodbye.start()

    def run(self) -> None:
        """Work until `stop` is called; no error of the database ends it."""
        log.info("worker started")
        self._telling.start()
        kept_house = heartbeat = time.monotonic()
        counting, inviting, watching = Chore(), Chore(), Chore()
        raffling, sealing, retaining = Chore(), Chore(), Chore()
        giving_up = Chore()
        while not self._stopping.is_set():
            try:
                did = self.deliver()
                if time.monotonic() - kept_house >= HOUSEKEEPING_S:
                    self.keep_house(now=clock.now())
                    kept_house = time.monotonic()
                if counting.is_due():
                    counting.do(lambda: self.count(now=clock.now()))
                if inviting.is_due():
                    inviting.do(lambda: self.invite(now=clock.now()))
                if watching.is_due():
                    watching.do(lambda: self.watch(now=clock.now()))
                if raffling.is_due():
                    raffling.do(lambda: self.raffle(now=clock.now()))
                if sealing.is_due():
                    sealing.do(lambda: self.seal(now=clock.now()))
                if retaining.is_due():
                    retaining.do(lambda: self.retain(now=clock.now()))
                if giving_up.is_due():
                    giving_up.do(lambda: self._telling.give_up(now=clock.now()))
            except DATABASE_ERRORS as error:
                log.error("database trouble", error=type(error).__name__)
                self._stopping.wait(1.0)
                continue
            if time.monotonic() - heartbeat >= HEARTBEAT_S:
                heartbeat = time.monotonic()
                self._report()
            if self._pause_s or not did:
                self._stopping.wait(self._pause_s or IDLE_S)
        self._mailer.close()
        self._telling.close()
        self._report()
        log.info("worker stopped")

    def deliver(self, *, now: Callable[[], datetime] | None = None) -> int:
        """Send one batch of mails that are due, and return how many were claimed."""
        now = now or clock.now
        started = time.monotonic()
        with self._database.transaction() as session:
            batch = outbox.claim_due(
                session, tools=self._tools, now=now(), lease=self._lease
            )
        waiting, looked = list(batch), 0.0
        found: dict[int, Found | Notice | None] = {}
        try:
            while waiting and not self._is_over(started):
                if time.monotonic() - looked > FRESH_S:
                    found, looked = self._look_up(waiting), time.monotonic()
                mail = waiting.pop(0)
                self._handle(mail, found[mail.id], now)
                self._pause_s = 0.0
        except UnreachableError as error:
            # One dead server must not cost each of the others a try.
            self._pause_s = min(2 * self._pause_s or 1.0, LONGEST_PAUSE_S)
            log.warning("mail server unreachable", answer=error.answer)
        finally:
            self._give_back(waiting)
        return len(batch)

    def keep_house(self, *, now: datetime) -> None:
        """Close requests and give back prizes whose time is over."""
        with self._database.transaction() as session:
            self.tally.expired += optins.expire_due(session, tools=self._tools, now=now)
        with self._database.transaction() as session:
            self.tally.lapsed += unclaimed.lapse_due(session, now=now)
        with self._database.transaction() as session:
            self.tally.over += lapses.lapse_due(
                session, directory=self._directory, random=self._tools.random, now=now
            )

    def invite(self, *, now: datetime) -> bool:
        """Queue a batch of early-access letters; True if there may be more at once."""
        with self._database.reading() as session:
            calls = invitations.waiting(session, directory=self._directory, now=now)
        if not calls:
            return False
        with self._database.transaction() as session:
            invited = invitations.invite(session, calls, tools=self._tools, now=now)
        self.tally.invited += invited
        return invited > 0

    def raffle(self, *, now: datetime) -> bool:
        """Take the steps of raffles that are due; True if there may be more at once."""
        steps = self._raffling.go_round(now=now)
        self.tally.raffled += steps
        return steps > 0

    def seal(self, *, now: datetime) -> bool:
        """Seal what is new in the ledger; True if there may be more at once (PR-05)."""
        sealed = self._sealing.go_round(now=now)
        self.tally.sealed += sealed
        return sealed > 0

    def retain(self, *, now: datetime) -> bool:
        """Let go of some of what is over today; True if there is more (DS-04)."""
        return self._retaining.go_round(now=now)

    def count(self, *, now: datetime) -> None:
        """Bring the campaigns' daily figures up to date."""
        if seen := self._opened.waiting(most=MOST_OPENED):
            with self._database.transaction() as session:
                funnel.note_opened(session, seen, now=now)
            self._opened.forget(seen)
        with self._database.reading() as session:
            figures = stats.count(session, now=now)
            buckets = funnel.count(session, now=now)
        if figures or buckets:
            with self._database.transaction() as session:
                stats.keep(session, figures)
                funnel.keep(session, buckets)

    def watch(self, *, now: datetime) -> None:
        """Look for spikes of requests, and sound the alarm for a new one (AB-02)."""
        with self._database.reading() as session:
            found = alarms.spikes(session, now=now)
        for spike in found:
            with self._database.transaction() as session:
                alarms.guard(session, spike, now=now)
            if not spike.is_known:
                log.warning(
                    "many requests, few confirmed: visitors are checked for an hour",
                    campaign=spike.code,
                    sent=spike.sent,
                    confirmed=spike.confirmed,
                )

    def close(self) -> None:
        """Hang up."""
        self._mailer.close()
        self._telling.close()

    def tell(self, *, now: Callable[[], datetime] | None = None) -> int:
        """Tell recipients all that is due, and return how many tries it took."""
        return self._telling.tell_all(now=now)

    def _is_over(self, started: float) -> bool:
        """Return whether to send no more of a batch: a mail must end in its lease."""
        late = time.monotonic() - started > self._lease.total_seconds() / 2
        return late or self._stopping.is_set()

    def _look_up(self, waiting: list[Claimed]) -> dict[int, Found | Notice | None]:
        """Return what each mail's link leads to as of this moment."""
        told = [mail for mail in waiting if mail.is_notice]
        mails = [mail for mail in waiting if not mail.is_notice]
        with self._database.reading() as session:
            found = links.find_all(
                session,
                map(link_of, mails),
                directory=self._directory,
                vault=self._tools.vault,
            )
            prizes = [
                found[link_of(mail)].entry_id
                for mail in mails
                if mail.letter == prize_letters.LETTER and link_of(mail) in found
            ]
            gone = prize_letters.taken_back(session, prizes) if prizes else set()
            people = {
                mail.id: self._if_wanted(session, mail, found.get(link_of(mail)), gone)
                for mail in mails
            }
            return people | notices.addressed(session, told, directory=self._directory)

    def _if_wanted(
        self, session: Session, mail: Claimed, found: Found | None, gone: set[int]
    ) -> Found | None:
        """Leave out who withdrew after an invitation was queued (I6, WD-03).

        And whose prize was taken back, claimed or passed on before its letter went, or
        who took back the question to a new address.
        """
        if found is not None and mail.letter == raffle_places.LETTER:
            held = raffle_places.offered_to(session, [found.entry_id])
            return found if (found.entry_id, mail.params["raffle"]) in held else None
        if found is not None and mail.letter == prize_letters.LETTER:
            return None if found.entry_id in gone else found
        if found is not None and mail.letter == receipt_letters.LETTER:
            return found if receipt_letters.is_true(session, found) else None
        if found is not None and mail.letter == address_changes.ASK:
            return found if address_changes.is_asked(session, found) else None
        if found is None or mail.letter != invitations.LETTER:
            return found
        is_wanted = invitations.is_wanted(session, found, mail.params["purpose"])
        return found if is_wanted else None

    def _handle(
        self,
        mail: Claimed,
        found: Found | Notice | None,
        now: Callable[[], datetime],
    ) -> None:
        """Send one mail and mark what came of it.

        Raises `UnreachableError` once that is marked, too.
        """
        try:
            if isinstance(found, Found) and found.who.is_lost:
                self._mark(self._lost, mail, now)
                return
            if (
                found is None
                or not _has_reason(mail, found, now())
                or not self._has_room(mail, found, now())
            ):
                self._mark(self._dropped, mail, now)
                return
            parcel = self._writer.write(mail, found)
            answer = self._mailer.send(parcel.body, sender=parcel.sender, to=parcel.to)
        except RefusedError as error:
            self._mark(self._refused, mail, now, answer=error.answer)
        except DeliveryError as error:
            self._mark(self._failed, mail, now, answer=error.answer)
            if isinstance(error, UnreachableError):
                raise
        except DATABASE_ERRORS:
            raise
        except Exception as error:
            # A letter that cannot be written must not stop all the others.
            log.exception("letter not written", outbox_id=mail.id, letter=mail.letter)
            why = f"not written: {type(error).__name__}"
            self._mark(self._failed, mail, now, answer=why)
        else:
            self._mark(self._delivered, mail, now, parcel=parcel, answer=answer)

    def _has_room(self, mail: Claimed, found: Found | Notice, now: datetime) -> bool:
        """Return whether the mailbox has room for a receipt, the least of all mails.

        It is counted when it is first tried: so it never takes the place of another,
        and the press that caused it has not had to wait for the counting.
        """
        if isinstance(found, Notice):
            return True
        if mail.letter != receipt_letters.LETTER or mail.attempts:
            return True
        with self._database.transaction() as session:
            return receipt_letters.is_allowed(
                session, found, tools=self._tools, now=now
            )

    def _mark(
        self,
        marking: Callable[..., None],
        mail: Claimed,
        now: Callable[[], datetime],
        **details: object,
    ) -> None:
        """Write down what became of a mail, as long as its lease lasts.

        A database that restarts just now would otherwise cost a second mail.
        """
        deadline = time.monotonic() + self._lease.total_seconds() / 4
        while True:
            try:
                with self._database.transaction() as session:
                    marking(session, mail, now=now(), **details)
                return
            except DATABASE_ERRORS:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.25)

    def _delivered(
        self,
        session: Session,
        mail: Claimed,
        *,
        parcel: Parcel,
        answer: str,
        now: datetime,
    ) -> None:
        if not outbox.delivered(session, mail, answer=answer, now=now):
            log.warning("claim lost", outbox_id=mail.id)
            return
        if isinstance(parcel.found, Found):
            self._follow_up(session, mail, parcel, parcel.found, answer, now)
        self.tally.sent += 1

    def _follow_up(
        self,
        session: Session,
        mail: Claimed,
        parcel: Parcel,
        found: Found,
        answer: str,
        now: datetime,
    ) -> None:
        """Note with what a mail was about that it is on its way."""
        if mail.letter == prize_letters.LETTER:
            prize_letters.mark_mailed(session, found.entry_id, now=now)
        if mail.letter == raffle_places.LETTER:
            key = mail.params["raffle"]
            raffle_places.note_mailed(session, found.entry_id, key, now=now)
        if mail.letter == "confirm" and mail.optin_id is not None:
            facts = {
                "message_id": mail.message_id,
                "body_sha256": hashlib.sha256(parcel.body).hexdigest(),
                "smtp_answer": answer,
                "to_host": parcel.to.rpartition("@")[2],
            }
            optins.mark_sent(
                session,
                mail.optin_id,
                found.who,
                message_id=mail.message_id,
                facts=facts,
                tools=self._tools,
                now=now,
            )

    def _refused(
        self, session: Session, mail: Claimed, *, answer: str, now: datetime
    ) -> None:
        if not outbox.refused(session, mail, answer=answer, now=now):
            return
        if mail.letter == "confirm" and mail.optin_id is not None:
            optins.mark_undeliverable(
                session, mail.optin_id, tools=self._tools, now=now
            )
        raffle_places.note_unreached(session, mail, "the address is refused", now=now)
        self.tally.refused += 1

    def _failed(
        self, session: Session, mail: Claimed, *, answer: str, now: datetime
    ) -> None:
        state = outbox.failed(session, mail, answer=answer, now=now)
        if state == "dead":
            raffle_places.note_unreached(session, mail, "no try succeeded", now=now)
        self.tally.failed += state is not None

    def _dropped(self, session: Session, mail: Claimed, *, now: datetime) -> None:
        if outbox.drop(session, mail, why="its reason is gone", now=now):
            self.tally.dropped += 1

    def _lost(self, session: Session, mail: Claimed, *, now: datetime) -> None:
        if not outbox.give_up(session, mail, why="its reader's key is lost", now=now):
            return
        raffle_places.note_unreached(session, mail, "their key is lost", now=now)
        self.tally.failed += 1

    def _give_back(self, mails: list[Claimed]) -> None:
        if not mails:
            return
        try:
            with self._database.transaction() as session:
                for mail in mails:
                    outbox.release(session, mail)
        except DATABASE_ERRORS as error:
            # Their lease will run out and bring them back all the same.
            log.warning("mails not released", error=type(error).__name__)

    def _report(self) -> None:
        tally, self.tally = self.tally, Tally()
        log.info(
            "worker heartbeat",
            sent=tally.sent,
            failed=tally.failed,
            refused=tally.refused,
            dropped=tally.dropped,
            expired=tally.expired,
            lapsed=tally.lapsed,
            over=tally.over,
            invited=tally.invited,
            raffled=tally.raffled,
            sealed=tally.sealed,
        )


def _has_reason(mail: Claimed, found: Found | Notice, now: datetime) -> bool:
    """Return whether a mail still says something true when it arrives (I6)."""
    if isinstance(found, Found) and found.is_outdated:
        return False
    if mail.letter in {invitations.LETTER, address_changes.ASK}:
        return now < datetime.fromisoformat(mail.params["until"])
    if mail.letter != "confirm" or isinstance(found, Notice):
        return True
    optin = found.optin
    return optin is not None and optin.state in OPEN and optin.expires_at > now


def run(settings: Settings) -> None:
    """Work in this process until SIGTERM or SIGINT."""
    app = create_app(settings)
    worker = Worker(app)
    check_current(app.extensions["database"])
    check_keys(app.extensions["database"], app.extensions["tools"].vault)

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        worker.stop()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    worker.run()
