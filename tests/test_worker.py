"""The worker delivers over a real socket, and loses nothing when things break."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import select

from server.domain import optin as rules
from server.models import Attempt, CampaignDay, ConsentEvent, OptIn, Outbox, Suppression
from server.services import optins, outbox
from server.worker import Worker
from tests.letters import end_leases, publish, queue
from tests.mail import Mode
from tests.servers import ROOT, Program
from tests.waiting import until

ADA, BOB = "ada@home.test", "bob@home.test"


@pytest.fixture
def tools(app):
    return app.extensions["tools"]


@pytest.fixture
def shop(database, tools, now):
    with database.transaction() as session:
        publish(session, tools=tools, now=now)


@pytest.fixture
def worker(app, smtp, shop):
    made = Worker(app)
    yield made
    made.close()


@pytest.fixture
def put(database, tools, clock, shop):
    """Queue a letter now; return what `queue` returns."""

    def put(letter="confirm", **changes):
        with database.transaction() as session:
            return queue(session, letter, tools=tools, now=clock.now(), **changes)

    return put


@pytest.fixture
def rows(database):
    """Return the outbox, oldest first."""

    def rows():
        with database.reading() as session:
            return list(session.scalars(select(Outbox).order_by(Outbox.id)))

    return rows


def states(rows):
    return [row.state for row in rows()]


class TestDelivery:
    def test_a_confirmation_arrives_with_its_proof(
        self, worker, smtp, put, rows, database
    ):
        optin_id = put("confirm", to=ADA)

        worker.deliver()

        (mail,) = smtp.taken
        assert mail.recipients == (ADA,)
        assert mail.sender == "hallo@noordenzon.example"
        assert mail.message["Message-ID"] == rows()[0].message_id
        assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert states(rows) == ["delivered"]
        assert rows()[0].sealed is None, "the link exists in the mailbox alone (DO-15)"
        with database.reading() as session:
            optin = session.get_one(OptIn, optin_id)
            acts = session.scalars(select(ConsentEvent.act)).all()
        assert (optin.state, optin.message_id) == ("sent", rows()[0].message_id)
        assert list(acts) == ["requested", "doi_sent"]

    @pytest.mark.parametrize("letter", ["prize", "manage"])
    def test_other_letters_arrive_and_prove_nothing(
        self, worker, smtp, put, database, letter
    ):
        put(letter)

        worker.deliver()

        assert len(smtp.taken) == 1
        with database.reading() as session:
            assert session.scalars(select(ConsentEvent)).all() == []

    def test_each_mail_has_one_recipient_and_no_other_header_names_any(
        self, worker, smtp, put
    ):
        """AB-06: what was typed cannot add a recipient or a header."""
        put("prize", first_name="Ada\r\nBcc: eve@home.test")

        worker.deliver()

        (mail,) = smtp.taken
        assert mail.recipients == (ADA,)
        assert mail.message["Bcc"] is None
        assert b"eve@" not in mail.raw

    def test_a_confirmation_without_a_reason_is_not_sent(
        self, worker, smtp, put, rows, database, tools, now
    ):
        optin_id = put("confirm")
        with database.transaction() as session:
            optins.mark_undeliverable(session, optin_id, tools=tools, now=now)

        worker.deliver()

        assert smtp.taken == []
        assert states(rows) == ["dropped"]

    def test_a_confirmation_that_came_too_late_is_not_sent(
        self, worker, smtp, put, rows, clock
    ):
        put("confirm")
        clock.advance(rules.LIFE)

        worker.deliver()

        assert smtp.taken == []
        assert states(rows) == ["dropped"]

    def test_a_letter_that_cannot_be_written_stops_no_other(
        self, worker, smtp, put, rows
    ):
        put("unknown")
        put("prize", to=BOB)

        worker.deliver()

        assert [mail.recipients for mail in smtp.taken] == [(BOB,)]
        assert states(rows) == ["waiting", "delivered"]

    def test_a_mail_that_no_key_opens_stops_no_other(
        self, worker, smtp, put, rows, database
    ):
        put("prize")
        put("prize", to=BOB)
        with database.transaction() as session:
            session.get_one(Outbox, rows()[0].id).sealed = b"garbled" * 9

        worker.deliver()

        assert states(rows) == ["dead", "delivered"]


class TestTrouble:
    @pytest.mark.parametrize("mode", [Mode.LATER, Mode.DROP])
    def test_it_is_tried_again_by_schedule_under_the_same_name(
        self, worker, smtp, put, rows, clock, mode
    ):
        """SAFETY.md F10."""
        put("confirm")
        smtp.mode = mode
        worker.deliver()
        (row,) = rows()
        assert (row.state, row.attempts) == ("waiting", 1)
        assert row.due_at == clock.now() + timedelta(minutes=1)

        worker.deliver()
        assert smtp.tries == 1, "not before its time"
        smtp.mode = Mode.OK
        clock.advance(timedelta(minutes=1))
        worker.deliver()

        assert states(rows) == ["delivered"]
        assert smtp.taken[-1].message["Message-ID"] == row.message_id
        assert smtp.taken[0].message["Message-ID"] == row.message_id

    def test_a_server_that_is_away_costs_one_mail_a_try(self, worker, smtp, put, rows):
        for number in range(5):
            put("prize", to=f"p{number}@home.test")
        smtp.stop()

        worker.deliver()

        assert [row.attempts for row in rows()] == [1, 0, 0, 0, 0]
        assert set(states(rows)) == {"waiting"}

    def test_an_hour_without_mail_server_loses_nothing(
        self, worker, smtp, put, rows, clock
    ):
        for number in range(30):
            put("prize", to=f"p{number}@home.test")
        smtp.stop()
        for _ in range(60):
            worker.deliver()
            clock.advance(timedelta(minutes=1))
        smtp.start()

        for _ in range(30):
            worker.deliver()
            clock.advance(timedelta(minutes=10))

        assert set(states(rows)) == {"delivered"}
        names = [mail.message["Message-ID"] for mail in smtp.taken]
        assert len(names) == len(set(names)) == 30

    def test_after_three_days_it_is_a_dead_letter(
        self, worker, smtp, put, rows, clock, database, now
    ):
        put("prize")
        smtp.mode = Mode.LATER
        for _ in range(80):
            worker.deliver()
            clock.advance(timedelta(hours=1))

        (row,) = rows()
        assert row.state == "dead"
        assert row.sealed is not None, "so that it can be tried again"
        smtp.mode = Mode.OK
        with database.transaction() as session:
            assert outbox.revive(session, row.id, shop_id=None, now=clock.now())
        worker.deliver()
        assert states(rows) == ["delivered"]

    def test_a_refused_person_is_not_tried_again_and_others_flow_on(
        self, worker, smtp, put, rows, database
    ):
        """SAFETY.md F11."""
        optin_id = put("confirm", to=ADA)
        put("confirm", to=BOB)
        smtp.by_recipient[ADA] = Mode.NEVER

        worker.deliver()

        assert states(rows) == ["dead", "delivered"]
        with database.reading() as session:
            assert session.get_one(OptIn, optin_id).state == "undeliverable"
            answers = session.scalars(select(Attempt.answer).order_by(Attempt.id)).all()
            assert session.scalars(select(Suppression.reason)).all() == ["refused"]
        assert answers[0].startswith("550")
        assert not any("@" in answer for answer in answers)

    def test_a_stop_gives_the_rest_of_the_batch_back(self, worker, smtp, put, rows):
        for number in range(3):
            put("prize", to=f"p{number}@home.test")
        send = worker._mailer.send

        def send_and_stop(*args, **kwargs):
            worker._stopping.set()
            return send(*args, **kwargs)

        worker._mailer.send = send_and_stop
        worker.deliver()

        assert states(rows) == ["delivered", "waiting", "waiting"]
        assert [row.attempts for row in rows()] == [1, 0, 0]


class TestTwoWorkers:
    def test_one_that_slept_past_its_lease_marks_nothing(
        self, app, worker, smtp, put, rows, clock, database
    ):
        """SAFETY.md F22: at most one more mail, and never a second mark."""
        put("confirm")
        late = Worker(app)
        send = late._mailer.send

        def send_after_the_lease(*args, **kwargs):
            clock.advance(outbox.LEASE)
            worker.deliver()
            return send(*args, **kwargs)

        late._mailer.send = send_after_the_lease
        late.deliver()
        late.close()

        (row,) = rows()
        assert (row.state, row.attempts) == ("delivered", 1)
        assert {mail.message["Message-ID"] for mail in smtp.taken} == {row.message_id}
        with database.reading() as session:
            assert len(session.scalars(select(Attempt)).all()) == 1
            acts = session.scalars(select(ConsentEvent.act)).all()
        assert list(acts).count("doi_sent") == 1

    def test_they_share_the_work_without_sending_twice(self, app, worker, smtp, put):
        for number in range(50):
            put("prize", to=f"p{number}@home.test")
        other = Worker(app)

        while worker.deliver() + other.deliver():
            pass
        other.close()

        assert len(smtp.taken) == len({mail.recipients for mail in smtp.taken}) == 50


class TestHousekeeping:
    def test_requests_that_nobody_confirmed_are_closed(
        self, worker, put, clock, database
    ):
        optin_id = put("confirm")
        clock.advance(rules.LIFE)

        worker.keep_house(now=clock.now())

        with database.reading() as session:
            assert session.get_one(OptIn, optin_id).state == "expired"

    def test_figures_are_counted_by_day_and_stay_what_they_are(
        self, worker, put, clock, database
    ):
        put("confirm")
        put("prize", to=BOB)
        clock.advance(timedelta(days=3))
        put("prize", to="cas@home.test")

        for _ in range(2):
            worker.count(now=clock.now())

        with database.reading() as session:
            days = session.scalars(select(CampaignDay).order_by(CampaignDay.day)).all()
        assert [(d.plays, d.entries, d.asked, d.confirmed) for d in days] == [
            (2, 2, 1, 0),
            (1, 1, 0, 0),
        ]
        assert days[1].day - days[0].day == timedelta(days=3)


class TestTheProcess:
    @pytest.fixture
    def start(self, environ, tmp_path, shop):
        """Start the worker as a process of its own, on the real clock."""
        started = []

        def start():
            program = Program(
                [sys.executable, "-m", "server", "worker"],
                log=tmp_path / "worker.log",
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], **environ},
            )
            started.append(program)
            return program

        yield start
        for program in started:
            if program.process.poll() is None:
                program.kill()

    PATIENCE_S = 120.0

    def test_it_stops_when_told_and_says_nothing_personal(self, start, smtp, put, rows):
        put("prize")
        program = start()
        until(lambda: states(rows) == ["delivered"], within_s=self.PATIENCE_S)

        began = time.monotonic()
        code = program.stop(signal.SIGTERM)

        assert code == 0
        assert time.monotonic() - began < 5
        said = program.log.read_text()
        assert '"sent": 1' in said
        for personal in ("ada", "Ada", "home.test", "ZON10", "/confirm/"):
            assert personal not in said

    def test_killed_between_sending_and_marking_it_sends_once_more(
        self, start, smtp, put, rows, database
    ):
        """SAFETY.md F2: a second mail under the same name, and none is lost."""
        put("prize")
        program = None

        async def kill_after_taking(server, session, envelope):
            answer = await original(server, session, envelope)
            if program is not None and len(smtp.taken) == 1:
                program.process.send_signal(signal.SIGKILL)
                program.process.wait()
            return answer

        original = smtp.handle_DATA
        smtp.handle_DATA = kill_after_taking
        program = start()
        with suppress(subprocess.TimeoutExpired):
            program.process.wait(self.PATIENCE_S)
        assert program.process.returncode == -signal.SIGKILL
        assert states(rows) == ["leased"]

        end_leases(database)
        start()
        until(lambda: states(rows) == ["delivered"], within_s=self.PATIENCE_S)

        names = [mail.message["Message-ID"] for mail in smtp.taken]
        assert names == [rows()[0].message_id] * 2
