"""Whatever breaks, at the receiver or here, no event is lost (F2, F13, G7)."""

import os
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from server.domain.consent import Act
from server.models import Delivery, Webhook
from server.services import webhooks
from tests.receivers import LOOPBACKS, Mode
from tests.servers import ROOT, Program
from tests.stress.service import size
from tests.tellings import pass_days, states
from tests.waiting import until

FAULTS = ["down", "dns", "tls", *(set(Mode) - {Mode.OK, Mode.NOISE})]


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(8, id="8"),
        pytest.param(size("WEBHOOKS", 500), id="full", marks=pytest.mark.stress),
    ],
)
@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_no_fault_loses_an_event(fault, number, desk, say, house, receiver, in_time):
    """G7: each fault for a day, and then all arrive under the ids they had."""
    telling = desk.telling(seconds=0.2)
    try:
        key, secret = desk.add(receiver.url)
        broken = {
            "dns": "https://nobody.invalid/",
            "tls": f"https://127.0.0.1:{receiver.port}/",
        }
        if fault == "down":
            receiver.stop()
        elif fault in broken:
            readdress(house, key, broken[fault])
        else:
            receiver.mode = Mode(fault)
        for each in range(number):
            say(Act.GIVEN, each)
        until = house.clock.now() + timedelta(days=1)
        while house.clock.now() < until:
            telling.tell_all()
            house.clock.advance(timedelta(hours=2))

        tried = {heard.id for heard in receiver.heard}
        if fault == "down":
            receiver.start()
        readdress(house, key, receiver.url)
        receiver.mode = Mode.OK
        with house.database.transaction() as session:
            webhooks.turn_on(session, session.get_one(Webhook, key))
        pass_days(telling, house, desk, days=3)
    finally:
        telling.close()

    expected = {row.message_id for row in house.rows(Delivery)}
    assert len(expected) == number
    assert {heard.id for heard in receiver.acknowledged} == expected
    assert tried <= expected
    assert states(desk) == {"acknowledged": number}
    assert all(in_time(heard, secret) for heard in receiver.heard)


def readdress(house, key, url):
    with house.database.transaction() as session:
        session.get_one(Webhook, key).url = url


class TestKills:
    """F2: the worker is killed at any point, as a process and with kill -9."""

    EVENTS, KILLS = 30, 4

    @pytest.fixture
    def start(self, environ, database, tmp_path):
        """Start the worker as an operator does; its lease runs out in two seconds."""
        running = []

        def start(**more):
            program = Program(
                [sys.executable, "-m", "server", "worker"],
                log=tmp_path / f"worker-{len(running)}.log",
                cwd=ROOT,
                env={
                    **os.environ,
                    **environ,
                    "JAWOORD_WEBHOOK_NETWORKS": LOOPBACKS,
                    "JAWOORD_LEASE_SECONDS": "2",
                    **more,
                },
            )
            running.append(program)
            return program

        yield start
        for program in running:
            if program.process.poll() is None:
                program.kill()

    def test_nothing_is_lost_and_a_kill_costs_one_repetition(
        self, desk, say, house, receiver, start, smtp
    ):
        """F2, I5: on both databases, at most as many repetitions as kills."""
        desk.add(receiver.url)
        house.clock.moment = datetime.now(UTC)
        for number in range(self.EVENTS):
            say(Act.GIVEN, number)
        expected = {row.message_id for row in desk.rows()}
        receiver.pause_s = 0.05
        for kill in range(1, self.KILLS + 1):
            program = start()
            until(lambda n=kill: len(receiver.heard) >= 5 * n, within_s=60)
            program.kill()
        start()
        until(lambda: states(desk) == {"acknowledged": self.EVENTS}, within_s=60)

        counts = Counter(heard.id for heard in receiver.heard)
        assert set(counts) == expected
        assert sum(counts.values()) - self.EVENTS <= self.KILLS

    def test_told_to_stop_it_waits_for_no_receiver_and_blames_none(
        self, desk, say, house, receiver, start, smtp
    ):
        """SIGTERM: what was under way goes back as if it had not been tried."""
        key, _ = desk.add(receiver.url)
        house.clock.moment = datetime.now(UTC)
        receiver.mode = Mode.SLOW
        say(Act.GIVEN)
        program = start(JAWOORD_LEASE_SECONDS="60")
        until(lambda: receiver.heard, within_s=60)

        began = time.monotonic()
        code = program.stop()

        assert code == 0
        assert time.monotonic() - began < 10
        (row,) = desk.rows()
        assert (row.state, row.attempts) == ("waiting", 0)
        assert desk.recipient(key).faults == 0
