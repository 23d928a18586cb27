"""What is measured, one function a row or a group of rows of the table."""

import os
import re
import statistics
import sys
import time
import tomllib
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import load
from bench.load import Load
from server import assets, clock, create_app
from server.domain.campaign import parse_campaign, parse_shop
from server.domain.entry import Ticket
from server.domain.links import LinkRef, Salt, Signer, hash_secret
from server.migrations import migrate
from server.services import campaigns
from server.settings import load_settings
from tests.servers import ROOT, Postgres, Program, free_port

CONNECTIONS = 8
CAMPAIGNS = ROOT / "server" / "campaigns"
PLACEMENT = "welcome-inline"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what, how much, and between which bounds it should lie."""

    what: str
    value: float
    must: float
    stretch: float
    unit: str = "x"
    is_ceiling: bool = False
    note: str = ""

    @property
    def shown(self) -> str:
        return (
            f"{self.value:.0f} {self.unit}"
            if self.unit != "x"
            else f"{self.value:.2f}x"
        )

    @property
    def must_shown(self) -> str:
        return self._bound(self.must)

    @property
    def stretch_shown(self) -> str:
        return self._bound(self.stretch)

    def _bound(self, bound: float) -> str:
        sign = "<=" if self.is_ceiling else ">="
        return f"{sign} {bound:g}"

    @property
    def verdict(self) -> str:
        if self._reaches(self.stretch):
            return "stretch"
        return "must" if self._reaches(self.must) else "MISSED"

    def _reaches(self, bound: float) -> bool:
        return self.value <= bound if self.is_ceiling else self.value >= bound

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"verdict": self.verdict}


def loader() -> Iterator[Figure]:
    """Measure the bytes that a host page and a visitor pay."""
    files = assets.build(ROOT)
    if "widget/embed.js" not in files:
        return
    yield Figure(
        "loader embed.js, brotli",
        len(files["widget/embed.js"].brotli),
        must=2_900,
        stretch=2_900,
        unit="B",
        is_ceiling=True,
    )


def service(
    folder: Path, name: str, cluster: Postgres | None, *, rounds: int, requests: int
) -> list[Figure]:
    """Measure the paths of a visitor against the bare ceiling on one database."""
    bare_url = cluster.create("bare") if cluster else f"sqlite:///{folder}/bare.db"
    ours_url = cluster.create("ours") if cluster else f"sqlite:///{folder}/ours.db"
    bare = _Server(
        folder / f"bare-{name}", bare_url, "bench.bare:create_app()", "/page"
    )
    ours = _Server(folder / f"ours-{name}", ours_url, "wsgi:app", "/healthz")
    try:
        return _compare(bare, ours, name, rounds=rounds, requests=requests)
    finally:
        bare.stop()
        ours.stop()


def _compare(
    bare: "_Server", ours: "_Server", name: str, *, rounds: int, requests: int
) -> list[Figure]:
    visitor = _Visitor(ours)
    entry_bare, entry_ours = _Turns("bare"), _Turns("ours")
    page_bare, page_ours = _Turns("page bare"), _Turns("page ours")
    confirms = _Turns("confirm")
    for number in range(rounds + 1):
        n = requests if number else 200
        keep = number > 0  # The first round only warms up.
        posts = visitor.entries(n)
        entry_bare.take(bare, visitor.bare_entries(n), (b"200",), keep=keep)
        entry_ours.take(ours, posts, (b"200",), keep=keep)
        confirms.take(ours, visitor.confirmations(n // 2), (b"303",), keep=keep)
        if name == "SQLite":
            page_bare.take(bare, visitor.bare_pages(n), (b"200",), keep=keep)
            page_ours.take(ours, visitor.pages(n), (b"200",), keep=keep)
    must, stretch = (0.6, 0.8) if name == "SQLite" else (0.4, 0.7)
    figures = [
        _ratio(f"entry POST, {name}", entry_ours, entry_bare, must, stretch),
        _p99(f"entry POST p99, {name}", entry_ours, entry_bare),
        _ratio(f"confirm POST, {name}", confirms, entry_bare, 0.6, 0.9),
    ]
    if name == "SQLite":
        figures.append(_ratio("widget page GET", page_ours, page_bare, 1.2, 1.4))
    return figures


class _Turns:
    """The rounds of one side."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.loads: list[Load] = []
        self.cpu_ms: list[float] = []

    def take(
        self,
        server: "_Server",
        requests: list[bytes],
        expects: tuple[bytes, ...],
        *,
        keep: bool,
    ) -> None:
        """Run one round; a wrong answer ends the whole run."""
        before = server.cpu_s()
        done = load.run(server.port, requests, connections=CONNECTIONS, expects=expects)
        spent = server.cpu_s() - before
        if done.wrong:
            raise SystemExit(
                f"{self.name}: {done.wrong} of {len(requests)} went wrong; "
                + server.said()
            )
        if keep:
            self.loads.append(done)
            self.cpu_ms.append(spent * 1000 / len(requests))

    @property
    def per_second(self) -> float:
        return statistics.median(done.per_second for done in self.loads)


def _ratio(
    what: str, ours: _Turns, bare: _Turns, must: float, stretch: float
) -> Figure:
    ratios = [
        one.per_second / other.per_second
        for one, other in zip(ours.loads, bare.loads, strict=True)
    ]
    note = (
        f"({ours.per_second:.0f}/s against {bare.per_second:.0f}/s; CPU "
        f"{statistics.median(ours.cpu_ms):.2f} against "
        f"{statistics.median(bare.cpu_ms):.2f} ms)"
    )
    return Figure(what, statistics.median(ratios), must, stretch, note=note)


def _p99(what: str, ours: _Turns, bare: _Turns) -> Figure:
    ratios = [
        one.p99_ms / other.p99_ms
        for one, other in zip(ours.loads, bare.loads, strict=True)
    ]
    note = (
        f"({statistics.median(d.p99_ms for d in ours.loads):.0f} against "
        f"{statistics.median(d.p99_ms for d in bare.loads):.0f} ms)"
    )
    return Figure(what, statistics.median(ratios), 2, 1.3, is_ceiling=True, note=note)


class _Server:
    """One service behind gunicorn; both sides are served alike."""

    def __init__(self, folder: Path, url: str, app: str, answers: str) -> None:
        self.port = free_port()
        folder.mkdir()
        self.environ = {
            "JAWOORD_INSTANCE": str(folder),
            "JAWOORD_DATABASE_URL": url,
            "JAWOORD_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "JAWOORD_CLIENT_MAIL_LIMITS": "1000000000 per minute",
            "JAWOORD_CAMPAIGN_MAIL_LIMIT": "1000000000 per minute",
        }
        self.settings = load_settings(self.environ)
        self._fill()
        self._program = Program(
            [
                *(sys.executable, "-m", "gunicorn", app, "--no-control-socket"),
                *("--bind", f"127.0.0.1:{self.port}", "--workers", "2"),
                *("--threads", "8", "--keep-alive", "30"),
            ],
            log=folder / "log",
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **self.environ},
        )
        self._program.wait_until(lambda: self._is_up(answers))

    def _fill(self) -> None:
        app = create_app(self.settings)
        database = app.extensions["database"]
        migrate(database)
        tables = tomllib.loads((CAMPAIGNS / "welcome-scratch.toml").read_text())
        # The unlimited prize alone, so that every entry makes the same rows.
        tables["prizes"] = [p for p in tables["prizes"] if p["key"] == "ten_percent"]
        tables["fallback"] = "ten_percent"
        shop = tomllib.loads((CAMPAIGNS / "demo-shop.toml").read_text())
        with database.transaction() as session:
            campaigns.save_shop(session, parse_shop(shop), now=clock.now())
            campaigns.save(
                session,
                parse_campaign(tables),
                vault=app.extensions["tools"].vault,
                now=clock.now(),
                random=os.urandom,
            )
        database.dispose()

    def _is_up(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}"):
                return True
        except OSError:
            return False

    def cpu_s(self) -> float:
        """Return the processor time of the whole group so far."""
        group = os.getpgid(self._program.process.pid)
        spent = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group:
                spent += int(fields[11]) + int(fields[12])
        return spent / TICKS

    def said(self) -> str:
        """Return the end of the server's log."""
        return self._program.log.read_text(errors="replace")[-1500:]

    def stop(self) -> None:
        self._program.stop()


class _Visitor:
    """Makes the requests of many visitors beforehand, with the server's own keys."""

    def __init__(self, ours: _Server) -> None:
        self._ours = ours
        self._signer = Signer(ours.settings.secret_keys)
        self._number = 0
        self._mark = self._form_mark()
        self._links = _links_of(ours)

    def _form_mark(self) -> str:
        """Return what the page says of its form, read from a ticket it gave."""
        address = f"http://127.0.0.1:{self._ours.port}/w/{PLACEMENT}?lang=nl"
        with urllib.request.urlopen(address) as answer:
            found = re.search(r'name="ticket" value="([^"]+)"', answer.read().decode())
        assert found
        payload = self._signer.read(Salt.TICKET, found[1], now=clock.now(), lasts=None)
        return Ticket.from_payload(payload).form

    def entries(self, number: int) -> list[bytes]:
        """Return entries of people nobody has seen before."""
        return [
            load.post(f"/w/{PLACEMENT}/entries", self._form(), self._host)
            for _ in range(number)
        ]

    def bare_entries(self, number: int) -> list[bytes]:
        """Return as many POSTs of the same size for the bare view."""
        return [load.post("/bare", self._form(), self._host) for _ in range(number)]

    def pages(self, number: int) -> list[bytes]:
        return [load.get(f"/w/{PLACEMENT}?lang=nl", self._host)] * number

    def bare_pages(self, number: int) -> list[bytes]:
        return [load.get("/page", self._host)] * number

    def confirmations(self, number: int) -> list[bytes]:
        """Return presses on the buttons behind that many fresh mails."""
        return self._links(number, self._host)

    @property
    def _host(self) -> str:
        return f"127.0.0.1:{self._ours.port}"

    def _form(self) -> str:
        self._number += 1
        ticket = Ticket(
            id=os.urandom(16),
            placement=PLACEMENT,
            version=1,
            form=self._mark,
            locale="nl",
            page="http://localhost:8401/demo/done",
        )
        signed = self._signer.sign(Salt.TICKET, ticket.as_payload(), now=clock.now())
        return urllib.parse.urlencode(
            {
                "ticket": signed,
                "seed": os.urandom(16).hex(),
                "email": f"visitor-{self._number}@bench.example",
                "first_name": "An",
                "consent.newsletter": "yes",
                "consent.personal_offers": "yes",
                "terms": "yes",
                "adult": "yes",
            }
        )


def _links_of(ours: _Server) -> Callable[[int, str], list[bytes]]:
    """Return what makes confirmations: links minted for requests that wait."""
    from sqlalchemy import select

    from server.db import Database
    from server.models import Link, OptIn

    signer = Signer(ours.settings.secret_keys)
    database = Database(ours.settings.database_url)
    seen = [0]

    def make(number: int, host: str) -> list[bytes]:
        now = clock.now()
        posts = []
        with database.transaction() as session:
            waiting = session.scalars(
                select(OptIn)
                .where(OptIn.id > seen[0], OptIn.state == "requested")
                .order_by(OptIn.id)
                .limit(number)
            ).all()
            for optin in waiting:
                secret = os.urandom(16)
                link = Link(
                    secret_hash=hash_secret(secret),
                    contact_id=optin.contact_id,
                    entry_id=optin.entry_id,
                    optin_id=optin.id,
                    created_at=now,
                )
                session.add(link)
                session.flush()
                token = signer.sign_link(
                    Salt.CONFIRM, LinkRef(link.id, secret), now=now
                )
                shown = [link.id, int(now.timestamp() * 1000)]
                render = signer.sign(Salt.RENDER, shown, now=now)
                body = urllib.parse.urlencode({"shown": render})
                posts.append(load.post(f"/confirm/{token}", body, host))
                seen[0] = optin.id
        # A page that was shown less than a second ago was not read by a person.
        time.sleep(1.1)
        return posts

    return make
