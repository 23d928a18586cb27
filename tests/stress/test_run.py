"""`make run` in a clean clone, as somebody who just found us does it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.browser.shop import Address
from tests.servers import ROOT, Program

FIRST_S = 300.0
SECOND_S = 5.0
STOP_S = 10.0
AGAIN = 3
TICKET = re.compile(r'name="ticket" value="([^"]+)"')


@pytest.mark.stress
def test_a_clean_clone_runs_plays_stops_and_keeps_its_data(tmp_path: Path) -> None:
    """Start, one play over HTTP, Ctrl-C, and a second start that knows of it."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    address = Address.free()
    environ = address.environ(clone / "instance") | {
        "HOME": str(tmp_path),
        "PYTHON": sys.executable,
        **{name: os.environ[name] for name in KEPT if name in os.environ},
    }

    started = _start(clone, tmp_path / "first.log", environ, within=FIRST_S)
    page = _get(f"{address.shop}/demo/")
    assert f'src="{address.service}/embed.js"' in page
    _play(address)
    _interrupt(started)
    taken = []
    for number in range(AGAIN):
        began = time.monotonic()
        log = tmp_path / f"again-{number}.log"
        started = _start(clone, log, environ, within=FIRST_S)
        taken.append(time.monotonic() - began)
        _interrupt(started)

    # The best of them: what else this machine does is not our start.
    assert min(taken) < SECOND_S
    entries = subprocess.run(
        [clone / ".venv" / "bin" / "python", "-c", COUNT, clone / "instance"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert entries.stdout.strip() == "1"


# How this machine reaches its package index, and nothing else of ours.
KEPT = ("PIP_INDEX_URL", "PIP_CONFIG_FILE", "NPM_CONFIG_REGISTRY", "SSL_CERT_FILE")
COUNT = (
    "import sqlite3, sys; print(sqlite3.connect(sys.argv[1] + '/jawoord.db')"
    ".execute('SELECT count(*) FROM entry JOIN campaign ON campaign.id ="
    ' entry.campaign_id WHERE campaign.code = "lucky-scratch"\').fetchone()[0])'
)


def _start(
    clone: Path, log: Path, environ: dict[str, str], *, within: float
) -> Program:
    make = shutil.which("make")
    assert make
    program = Program([make, "run"], log=log, cwd=clone, env=environ)
    deadline = time.monotonic() + within
    while "Jawoord is running" not in log.read_text():
        assert program.process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    return program


def _interrupt(program: Program) -> None:
    """Press Ctrl-C: a terminal sends it to make and to all it started."""
    began = time.monotonic()
    os.killpg(program.process.pid, signal.SIGINT)
    program.process.wait(STOP_S)
    assert time.monotonic() - began < STOP_S
    assert "Traceback" not in program.log.read_text()


def _get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return str(answer.read().decode())


def _play(address: Address) -> None:
    place = f"{address.service}/w/lucky-inline"
    ticket = TICKET.search(_get(place))
    assert ticket
    form = {"ticket": ticket[1], "terms": "yes", "adult": "yes"}
    with urllib.request.urlopen(
        f"{place}/entries", urlencode(form).encode(), timeout=10
    ) as answer:
        assert 'class="result-label"' in answer.read().decode()
