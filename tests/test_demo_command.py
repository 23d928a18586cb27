"""The demo: its processes start, answer and end together, and say where they are."""

import os
import signal
import subprocess
import urllib.request

import pytest

from server.settings import MAIL_SERVER
from tests.commands import COMMAND
from tests.servers import LOOPBACK, ROOT, Program, free_port


@pytest.fixture
def demo(tmp_path):
    """Start the demo on free ports; SQLite, as it comes."""
    port, shop_port = free_port(), free_port()
    started = []

    def start():
        program = Program(
            [*COMMAND, "demo"],
            log=tmp_path / "demo.log",
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONUNBUFFERED": "1",
                "JAWOORD_INSTANCE": str(tmp_path / "instance"),
                "JAWOORD_BIND": f"{LOOPBACK}:{port}",
                "JAWOORD_DEMO_SHOP_URL": f"http://localhost:{shop_port}",
            },
        )
        started.append(program)
        program.wait_until(lambda: "Ctrl-C" in program.log.read_text())
        return program

    start.shop = f"http://localhost:{shop_port}/demo/"
    start.health = f"http://{LOOPBACK}:{port}/healthz"
    start.folder = tmp_path / "instance"
    yield start
    for program in started:
        program.stop(signal.SIGINT)


def test_it_starts_answers_and_stops_clean_and_keeps_its_data(demo):
    codes = []
    for _ in range(2):
        program = demo()
        for address in (demo.shop, demo.health):
            with urllib.request.urlopen(address, timeout=5) as answer:
                assert answer.status == 200
        codes.append(program.stop(signal.SIGINT))
        with pytest.raises(OSError):
            urllib.request.urlopen(demo.health, timeout=2)
        program.log.write_text("")

    assert codes == [0, 0]


def test_a_process_that_dies_ends_it_with_one_line(demo):
    program = demo()
    children = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(program.process.pid)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    (worker,) = [line for line in children if line.endswith("server worker")]

    os.kill(int(worker.split()[0]), signal.SIGKILL)

    assert program.process.wait(20) == 2
    assert "the demo's worker ended by itself" in program.log.read_text()


def test_the_doctor_beside_it_finds_its_mail_server_until_it_stops(demo, start):
    """Who follows the README tries this in a second terminal."""
    program = demo()

    beside = start("doctor")
    program.stop(signal.SIGINT)
    after = start("doctor")

    assert (beside.exit_code, beside.stderr) == (0, ""), beside.stdout
    assert "ok    mail server" in beside.stdout
    assert not (demo.folder / MAIL_SERVER).exists()
    assert "see JAWOORD_SMTP_URL" in after.stdout


def test_it_is_told_where_everything_is(demo):
    said = demo().log.read_text()

    for word in (demo.shop, "/demo/inbox", "/office", "owner@noordenzon.example"):
        assert word in said
