"""The services that are measured: both sides behind the same gunicorn."""

import os
import sys
import time
import tomllib
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from server import clock, create_app
from server.domain.campaign import parse_campaign
from server.domain.shop import parse_shop
from server.migrations import migrate
from server.services import campaigns
from server.settings import load_settings
from tests.factories import with_pictures
from tests.servers import ROOT, Program, free_port

CAMPAIGNS = ROOT / "server" / "campaigns"
TICKS = os.sysconf("SC_CLK_TCK")
KB_A_MB = 1024
PATIENCE_S = 30


_running: list["Group"] = []


def stop_all() -> None:
    """Stop what still runs, when a measurement ends in an error or is broken off."""
    for group in _running:
        group.stop()


class Group:
    """A program and all processes that it started, and what they use."""

    def __init__(self, command: list[str], *, log: Path, **options: Any) -> None:
        self._program = Program(command, log=log, **options)
        _running.append(self)

    def cpu_s(self) -> float:
        """Return the processor time of the whole group so far."""
        return sum(sum(map(int, f[11:13])) for f in self._stats().values()) / TICKS

    def memory_mb(self) -> float:
        """Return the memory of the group, shared pages counted once (PSS)."""
        sizes = 0
        for pid in self._stats():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    sizes += int(line.split()[1])
        return sizes / KB_A_MB

    def said(self) -> str:
        """Return the end of what it logged."""
        return self._program.log.read_text(errors="replace")[-1500:]

    def stop(self) -> None:
        """Ask it to stop, and wait for it."""
        self._program.stop()

    def _stats(self) -> dict[str, list[str]]:
        group = os.getpgid(self._program.process.pid)
        found = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group:
                found[stat.parent.name] = fields
        return found


class Web(Group):
    """A WSGI application behind gunicorn; everything measured is served alike."""

    def __init__(
        self,
        app: str,
        *,
        folder: Path,
        environ: Mapping[str, str],
        answers: str,
        port: int | None = None,
        python: str = sys.executable,
        cwd: Path = ROOT,
    ) -> None:
        self.port = port or free_port()
        super().__init__(
            [
                *(python, "-m", "gunicorn", app, "--no-control-socket"),
                *("--bind", f"127.0.0.1:{self.port}", "--workers", "2"),
                *("--threads", "8", "--keep-alive", "30", "--backlog", "512"),
            ],
            log=folder / "log",
            cwd=cwd,
            env={"PATH": os.environ["PATH"], **environ},
        )
        self._program.wait_until(lambda: is_up(self.port, answers))

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


class Serve(Group):
    """Ours as people run it: `python -m server serve`, by its own defaults."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        environ = environment(folder, self.port)
        self.settings = load_settings(environ)
        fill(environ)
        began = time.perf_counter()
        super().__init__(
            [sys.executable, "-m", "server", "serve"],
            log=folder / "log",
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **environ},
        )
        while not is_up(self.port, "/healthz"):
            if time.perf_counter() - began > PATIENCE_S:
                raise SystemExit(f"serve did not start; {self.said()}")
            time.sleep(0.005)
        self.took_s = time.perf_counter() - began


class Service(Web):
    """Ours or the bare one, on a database with the demo's shop and campaigns."""

    def __init__(
        self,
        folder: Path,
        *,
        url: str | None = None,
        app: str = "wsgi:app",
        answers: str = "/healthz",
        more: Mapping[str, str] | None = None,
        sites: Iterable[str] = (),
        campaigns: Iterable[dict[str, Any]] = (),
    ) -> None:
        folder.mkdir()
        port = free_port()
        self.environ = environment(folder, port, url) | dict(more or {})
        self.settings = load_settings(self.environ)
        fill(self.environ, sites=sites, more=campaigns)
        super().__init__(
            app, folder=folder, environ=self.environ, answers=answers, port=port
        )


def environment(folder: Path, port: int, url: str | None = None) -> dict[str, str]:
    """Return settings for a service in this folder; all visitors have one address."""
    return {
        "JAWOORD_INSTANCE": str(folder),
        "JAWOORD_DATABASE_URL": url or f"sqlite:///{folder}/jawoord.db",
        "JAWOORD_BIND": f"127.0.0.1:{port}",
        "JAWOORD_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "JAWOORD_CLIENT_MAIL_LIMITS": "1000000000 per minute",
        "JAWOORD_CAMPAIGN_MAIL_LIMIT": "1000000000 per minute",
        "JAWOORD_MAIL_LIMIT": "1000000000 per minute",
        "JAWOORD_PLAY_LIMIT": "1000000000 per minute",
    }


def fill(
    environ: Mapping[str, str],
    *,
    sites: Iterable[str] = (),
    more: Iterable[dict[str, Any]] = (),
) -> None:
    """Make tables, the demo's shop and its campaigns, and some more.

    The scratch cards have an unlimited prize only, so that every entry makes the same
    rows; the wheel is whole, once as it is and once with its form first.
    """
    app = create_app(load_settings(environ))
    database = app.extensions["database"]
    migrate(database)
    shop = tomllib.loads((CAMPAIGNS / "demo-shop.toml").read_text())
    shop["sites"] = [*shop.get("sites", ()), *sites]
    with database.transaction() as session:
        now = clock.now()
        ready = with_pictures(session, parse_shop(shop), now=now)
        campaigns.save_shop(session, ready, now=now)
        files = [*_wheels(), *more]
        for path in sorted(CAMPAIGNS.glob("*-scratch.toml")):
            tables = tomllib.loads(path.read_text())
            kept = [p for p in tables["prizes"] if p["kind"] != "none"]
            tables["prizes"] = [p for p in kept if "stock" not in p]
            tables["fallback"] = tables["prizes"][0]["key"]
            files.append(tables)
        for tables in files:
            campaigns.save(
                session,
                with_pictures(session, parse_campaign(tables), now=now),
                vault=app.extensions["tools"].vault,
                now=now,
                random=os.urandom,
            )
    database.dispose()


def _wheels() -> list[dict[str, Any]]:
    wheel = tomllib.loads((CAMPAIGNS / "welcome-wheel.toml").read_text())
    placements = [{"code": "wheel-form-inline", "shape": "inline"}]
    form_first = {"code": "wheel-form", "flow": "form-first", "placements": placements}
    return [wheel, wheel | form_first]


def is_up(port: int, path: str) -> bool:
    """Return whether this path of a local server answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5):
            return True
    except OSError:
        return False
