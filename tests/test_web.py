"""The server's processes: they end when they are told to, whenever that is."""

import os
import signal
import sys

import pytest

from tests.servers import LOOPBACK, ROOT, Program, free_port

# A process that takes its time between its birth and its first look at signals.
SLOW_BIRTH = """
import time
from server import log, web
from server.settings import load_settings

made = web._Server.load_config

def slow(self):
    made(self)
    self.cfg.set("post_fork", lambda arbiter, worker: time.sleep(2))

web._Server.load_config = slow
web.GRACEFUL_S = 3_600
log.configure()
web.run(load_settings())
"""


@pytest.mark.usefixtures("database")
def test_the_end_reaches_a_process_that_is_just_being_born(environ, tmp_path):
    """Without it, `serve` would wait for such a process as long as for a request."""
    program = Program(
        [sys.executable, "-c", SLOW_BIRTH],
        log=tmp_path / "serve.log",
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            **environ,
            "JAWOORD_BIND": f"{LOOPBACK}:{free_port()}",
        },
    )
    program.wait_until(lambda: "Booting worker" in program.log.read_text())

    assert program.stop(signal.SIGTERM) == 0
