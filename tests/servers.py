"""The real servers that tests talk to: PostgreSQL, Redis and our own web server.

Each binds a free port of the loopback, keeps its files in a folder of its own and is
stopped by its process id.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import redis
from psycopg import sql

ROOT = Path(__file__).parent.parent
LOOPBACK = "127.0.0.1"
START_S = 60.0
STOP_S = 60.0
OWNER = "jawoord"


class NotStartedError(Exception):
    """A server did not come up; the message ends with what it said."""


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


class Program:
    """One process in a session of its own, with its output in a file."""

    def __init__(self, command: list[str], *, log: Path, **options: Any) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **options,
            )

    def wait_until(self, answers: Callable[[], bool]) -> None:
        """Return once it answers. Raises `NotStartedError`."""
        deadline = time.monotonic() + START_S
        while not answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise NotStartedError(self.log.read_text(errors="replace")[-3000:])
            time.sleep(0.05)

    def stop(self, sign: int = signal.SIGTERM) -> int:
        """Ask it to stop, insist after a while, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(sign)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.wait()

    def kill(self) -> None:
        """Kill it and everything it started, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Postgres:
    """A cluster made for this run, durable as in production."""

    def __init__(self) -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="jawoord-pg-"))
        # PostgreSQL refuses to run as root; Debian's package brings a user for it.
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self._folder, user.pw_uid, user.pw_gid)
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        data = self._folder / "data"
        subprocess.run(
            [
                *(str(binary("initdb")), "-D", str(data), "-U", "postgres"),
                *("--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"),
            ],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd=self._folder,
            **self._as,
        )
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "64MB",
            "fsync": "on",
        }
        self._program = Program(
            [
                *(str(binary("postgres")), "-D", str(data)),
                *(part for k, v in settings.items() for part in ("-c", f"{k}={v}")),
            ],
            log=self._folder / "log",
            cwd=self._folder,
            **self._as,
        )
        self._program.wait_until(self._answers)
        with self.admin() as connection:
            # The owner is no superuser, as on a server that somebody else runs.
            connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEDB")

    def _answers(self) -> bool:
        try:
            self.admin().close()
        except psycopg.OperationalError:
            return False
        return True

    def admin(self, name: str = "postgres") -> psycopg.Connection:
        """Return a superuser's connection, which the application never has."""
        return psycopg.connect(
            host=LOOPBACK,
            port=self.port,
            user="postgres",
            dbname=name,
            autocommit=True,
            options="-c lock_timeout=5000",
        )

    def create(self, name: str) -> str:
        """Make an empty database and return its address for our settings."""
        with self.admin() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
        return f"postgresql://{OWNER}@{LOOPBACK}:{self.port}/{name}"

    def empty(self, name: str) -> None:
        """Remove every row, also those that our triggers keep.

        Five milliseconds, where a fresh copy of a template takes two hundred. Ids
        go on counting, so that no test relies on the first being 1.
        """
        with self.admin(name) as connection:
            tables = connection.execute(
                "SELECT tablename FROM pg_tables "
                "WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            ).fetchall()
            connection.execute("SET session_replication_role = replica")
            deletes = (
                sql.SQL("DELETE FROM {}").format(sql.Identifier(table))
                for (table,) in tables
            )
            connection.execute(sql.SQL("; ").join(deletes))

    def files(self) -> Iterator[Path]:
        """Write out what is in memory, and yield each file a thief would take."""
        with self.admin() as connection:
            connection.execute("CHECKPOINT")
        yield from (path for path in self._folder.rglob("*") if path.is_file())

    def stop(self) -> None:
        """Stop the cluster and forget it."""
        self._program.stop(signal.SIGINT)
        shutil.rmtree(self._folder)


class Redis:
    """A server that keeps nothing on disk."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://{LOOPBACK}:{self.port}/0"
        self._folder = Path(tempfile.mkdtemp(prefix="jawoord-redis-"))
        self._program: Program | None = None
        self.start()

    def start(self) -> None:
        """Start it, again on the same port if it was stopped."""
        self._program = Program(
            [
                *("redis-server", "--bind", LOOPBACK, "--port", str(self.port)),
                *("--save", "", "--appendonly", "no", "--dir", str(self._folder)),
            ],
            log=self._folder / "log",
        )
        self._program.wait_until(self._answers)

    def _answers(self) -> bool:
        with redis.Redis.from_url(self.url) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    def empty(self) -> None:
        """Forget every key; start it first where a test had stopped it."""
        if self._program is None:
            self.start()
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def stop(self) -> None:
        """Stop it, as an outage would."""
        if self._program is not None:
            self._program.stop()
            self._program = None

    def suspend(self) -> None:
        """Let it hang: connections stay open and nothing answers."""
        if self._program is not None:
            os.killpg(self._program.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        if self._program is not None:
            os.killpg(self._program.process.pid, signal.SIGCONT)

    def remove(self) -> None:
        """Stop it and forget it."""
        self.stop()
        shutil.rmtree(self._folder)


class Web:
    """Our service behind gunicorn, with processes and threads as in production."""

    def __init__(self, environ: Mapping[str, str], *, port: int, folder: Path) -> None:
        self.port = port
        self.url = environ["JAWOORD_PUBLIC_URL"]
        self._environ = dict(environ)
        self._log = folder / "web.log"
        self.program = self.start()

    def start(self) -> Program:
        """Start it, again on the same port if it was stopped or killed."""
        self.program = Program(
            [
                *(sys.executable, "-m", "gunicorn", "wsgi:app"),
                *("--bind", f"{LOOPBACK}:{self.port}", "--no-control-socket"),
                *("--workers", "2", "--threads", "8", "--graceful-timeout", "5"),
                # As `serve` does: made once, then forked.
                "--preload",
            ],
            log=self._log,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **self._environ},
        )
        self.program.wait_until(self._answers)
        return self.program

    def _answers(self) -> bool:
        address = f"http://{LOOPBACK}:{self.port}/healthz"
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        """Stop it as the operator would."""
        self.program.stop()


def binary(name: str) -> Path:
    """Return a program of PostgreSQL's server, which Debian keeps off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if found:
        return found[-1]
    on_path = shutil.which(name)
    if on_path is None:
        raise NotStartedError(f"{name} is not installed; run .ci/install")
    return Path(on_path)
