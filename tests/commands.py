"""A command as an operator runs it, and how it ended."""

import os
import subprocess
import sys
from dataclasses import dataclass

from sqlalchemy import func, select

from tests.factories import CAMPAIGNS
from tests.servers import LOOPBACK, ROOT, free_port

SHOP = CAMPAIGNS / "demo-shop.toml"
LUCKY = CAMPAIGNS / "lucky-scratch.toml"
COMMAND = [sys.executable, "-m", "server"]


@dataclass
class Answer:
    """How a command ended and what it said."""

    exit_code: int
    stdout: str
    stderr: str


def starting(folder):
    """Return what runs a command to its end as a process, on SQLite of its own."""

    def start(*command, **more):
        done = subprocess.run(
            [*COMMAND, *command],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "JAWOORD_INSTANCE": str(folder / "instance"),
                "JAWOORD_BIND": f"{LOOPBACK}:{free_port()}",
                **more,
            },
            capture_output=True,
            text=True,
            timeout=60,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    return start


def count(database, model):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(model))


def is_one_line(answer):
    return answer.stdout == "" and answer.stderr.count("\n") == 1
