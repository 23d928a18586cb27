"""The service at full strength, and clients that will not be put off."""

import http.client
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import tomli_w

from server.domain.seals import Vault
from tests.people import vault_of
from tests.servers import LOOPBACK, ROOT, Program, free_port

SERVED = re.compile(rb'name="ticket" value="([^"]+)"')
PRIZE = re.compile(r'class="result-label">([^<]+)<')
# The voucher's, by its name; a receipt has others.
CODE = re.compile(r'<code aria-labelledby="code-name">([^<]+)</code>')
# A visitor of a test is as patient as this; the widget itself gives up earlier.
PATIENCE_S = 300.0
BUSY = {503, 429}


def size(name: str, default: int) -> int:
    """Return a size, which `JAWOORD_STRESS_<NAME>` may change."""
    return int(os.environ.get(f"JAWOORD_STRESS_{name}", default))


class Service:
    """Web and worker as the operator runs them, each to be killed on its own."""

    def __init__(
        self, folder: Path, *, database_url: str, smtp_url: str, **more: str
    ) -> None:
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.folder = folder
        self.environ = {
            "PATH": os.environ["PATH"],
            "JAWOORD_INSTANCE": str(folder / "instance"),
            "JAWOORD_DATABASE_URL": database_url,
            "JAWOORD_PUBLIC_URL": self.url,
            "JAWOORD_BIND": f"{LOOPBACK}:{self.port}",
            "JAWOORD_SMTP_URL": smtp_url,
            "JAWOORD_CLIENT_MAIL_LIMITS": "1000000 per minute",
            "JAWOORD_CAMPAIGN_MAIL_LIMIT": "1000000 per minute",
            "JAWOORD_MAIL_LIMIT": "1000000 per minute",
            "JAWOORD_PLAY_LIMIT": "1000000 per minute",
            "JAWOORD_LEAST_FILL_SECONDS": "0",
            **more,
        }
        self.command("init")
        self.web = self.start("serve")
        self.worker = self.start("worker")
        self.web.wait_until(self.answers)

    @property
    def vault(self) -> Vault:
        """Return what opens the rows of this service."""
        return vault_of(self.folder / "instance")

    def command(self, *words: str) -> str:
        """Run one of our commands and return what it said."""
        return subprocess.run(
            [sys.executable, "-m", "server", *words],
            cwd=ROOT,
            env=self.environ,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def load(self, kind: str, tables: Mapping[str, Any]) -> None:
        """Import a `shop` or a `campaign`."""
        path = self.folder / f"{tables['code']}.toml"
        path.write_text(tomli_w.dumps(tables))
        self.command(kind, "import", str(path))

    def start(self, what: str) -> Program:
        """Start `serve` or `worker` as a process of its own."""
        return Program(
            [sys.executable, "-m", "server", what],
            log=self.folder / f"{what}.log",
            cwd=ROOT,
            env=self.environ,
        )

    def kill_web(self) -> None:
        """Kill every web process at once, as a power cut does, and start anew."""
        self.web.kill()
        self.web = self.start("serve")
        self.web.wait_until(self.answers)

    def rotate(self, keys: str) -> None:
        """Start web and worker anew with these keys, as the operator would."""
        self.environ["JAWOORD_SECRET_KEYS"] = keys
        self.stop()
        self.web, self.worker = self.start("serve"), self.start("worker")
        self.web.wait_until(self.answers)

    def kill_worker(self) -> None:
        """Kill the worker wherever it is, and start anew."""
        self.worker.kill()
        self.worker = self.start("worker")

    def answers(self) -> bool:
        """Return whether the web server is up."""
        line = Line(self.port)
        try:
            return line.get("/healthz")[0] == 200
        except OSError:
            return False
        finally:
            line.close()

    def stop(self) -> None:
        """Stop both as the operator would."""
        self.web.stop(signal.SIGTERM)
        self.worker.stop(signal.SIGTERM)


class Line:
    """One kept connection to the service, opened anew where it was cut."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(LOOPBACK, port, timeout=60)

    def get(self, path: str) -> tuple[int, str]:
        return self._ask("GET", path, None, {})

    def post(self, path: str, form: Mapping[str, str]) -> tuple[int, str]:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", path, urlencode(form), kind)

    def _ask(
        self, method: str, path: str, body: str | None, headers: Mapping[str, str]
    ) -> tuple[int, str]:
        """Raises `OSError` where the line broke, whatever broke it."""
        try:
            self._connection.request(method, path, body, dict(headers))
            answer = self._connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise ConnectionError from error

    def close(self) -> None:
        """Hang up."""
        with suppress(OSError):
            self._connection.close()


@dataclass(frozen=True, slots=True)
class Play:
    """One play that the service acknowledged."""

    email: str
    label: str
    code: str | None


class Player:
    """A visitor who sends the same ticket again until there is an answer."""

    def __init__(self, port: int, placement: str) -> None:
        self._line = Line(port)
        self._path = f"/w/{placement}"
        # Every status that was no success, to judge afterwards.
        self.refused: list[int] = []
        self.cuts = 0

    def play(self, email: str, *consents: str) -> Play:
        """Play a form-first game and return what was acknowledged."""
        form = self.form(email, *consents)
        first = self.send(form)
        # One submission, one outcome: asked once more, it is the same (I4).
        if secrets.randbelow(10) == 0:
            assert self.send(form) == first
        label, code = first
        return Play(email, label, code)

    def form(self, email: str, *consents: str) -> dict[str, str]:
        """Open the game, and return its form filled in."""
        page = self._until_answered("GET", self._path, {})
        ticket = SERVED.search(page.encode())
        assert ticket, page[:500]
        return {
            "ticket": ticket[1].decode(),
            "seed": secrets.token_hex(16),
            "email": email,
            "terms": "yes",
            "adult": "yes",
            **{f"consent.{purpose}": "yes" for purpose in consents},
        }

    def send(self, form: dict[str, str]) -> tuple[str, str | None]:
        """Send a form until it is answered; return what was won, and its code."""
        return self._read(self._until_answered("POST", f"{self._path}/entries", form))

    def _read(self, page: str) -> tuple[str, str | None]:
        label, code = PRIZE.search(page), CODE.search(page)
        assert label, page[:2000]
        return label[1], code[1] if code else None

    def _until_answered(self, method: str, path: str, form: dict[str, str]) -> str:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                status, page = (
                    self._line.get(path)
                    if method == "GET"
                    else self._line.post(path, form)
                )
            except OSError:
                self.cuts += 1
            else:
                if status == 200:
                    return page
                self.refused.append(status)
                assert status in BUSY, f"{status}: {page[:2000]}"
            assert time.monotonic() < deadline, "no answer in time"
            time.sleep(0.1)

    def close(self) -> None:
        """Hang up."""
        self._line.close()
