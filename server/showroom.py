"""The demo: a shop with a mailbox, and our service in processes of its own."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from sqlalchemy import select
from sqlalchemy.orm import Session

from server import bygone, clock, tooling, web
from server.adapters.sink import Sink
from server.commands.pictures import prepare as prepare_pictures
from server.db import Database
from server.domain.campaign import parse_campaign
from server.domain.parts import FileError
from server.domain.seals import Vault
from server.domain.shop import parse_shop
from server.migrations import migrate
from server.models.campaign import Campaign
from server.services import boxcodes, campaigns, images, members
from server.services.boxcodes import Wanted
from server.services.campaigns import Directory
from server.settings import MAIL_SERVER, PREFIX, Settings
from server.views.demo import mails

FILES = Path(__file__).parent / "campaigns"
SHOP_FILE = "demo-shop.toml"
LOOPBACK = "127.0.0.1"
# Only the demo knows this password, and only on this machine.
PASSWORD = "kras-maar-raak"  # noqa: S105  # printed for everybody to read
MEMBERS = (
    ("owner@noordenzon.example", "Olga Eigenaar", "owner"),
    ("till@noordenzon.example", "Mo Kassa", "staff"),
    ("viewer@noordenzon.example", "Kees Meekijker", "viewer"),
)
BOX_PLACEMENT = "box-scratch-code"
BOXES = 24
START_S = 30.0
STOP_S = 12.0
TICK_S = 0.1


def environment(given: dict[str, str]) -> dict[str, str]:
    """Return the environment of the demo's processes: what is set, and our defaults."""
    defaults = {
        f"{PREFIX}DEMO_SHOP_URL": "http://localhost:8401",
        f"{PREFIX}CLIENT_MAIL_LIMITS": "1000 per minute",
        f"{PREFIX}CAMPAIGN_MAIL_LIMIT": "10000 per hour",
        f"{PREFIX}PLAY_LIMIT": "1000 per minute",
    }
    return defaults | given | {f"{PREFIX}DEMO": "yes"}


def prepare(settings: Settings) -> list[str]:
    """Make what is missing, keep what is there; return what the visitor should know."""
    database, now = Database(settings.database_url), clock.now()
    tools = tooling.tools_of(settings)
    directory = Directory(tools.vault)
    try:
        migrate(database, data_keys=settings.data_keys)
        with database.transaction() as session:
            _shop(session, settings)
            notes = _campaigns(session, settings)
            _members(session)
            _boxes(session, settings)
            bygone.let_in(session, directory=directory, tools=tools, now=now)
        bygone.draw(database, directory=directory, tools=tools, now=now)
    finally:
        database.dispose()
    return notes


def _shop(session: Session, settings: Settings) -> None:
    tables = tomllib.loads((FILES / SHOP_FILE).read_text())
    known = campaigns.shop_named(session, tables["code"])
    # A site that somebody has added for a try of his own stays.
    sites = dict.fromkeys([settings.demo_shop_url, *(known.sites if known else ())])
    ready = prepare_pictures(
        session, parse_shop(tables | {"sites": list(sites)}), folder=FILES
    )
    images.keep(session, ready.new, now=clock.now())
    shop = ready.part
    if known != shop:
        campaigns.save_shop(session, shop, now=clock.now())


def _campaigns(session: Session, settings: Settings) -> list[str]:
    vault, notes, now = Vault(settings.data_keys), [], clock.now()
    afresh = f"to start afresh, remove the folder {settings.instance}"
    for path in sorted(FILES.glob("*.toml")):
        if path.name == SHOP_FILE:
            continue
        campaign = parse_campaign(tomllib.loads(path.read_text()))
        ready = prepare_pictures(session, campaign, folder=FILES)
        images.keep(session, ready.new, now=now)
        try:
            with session.begin_nested():
                campaigns.save(
                    session,
                    ready.part,
                    vault=vault,
                    now=now - bygone.PUBLISHED_AGO
                    if campaign.code == bygone.CODE
                    else now,
                    random=os.urandom,
                )
        except FileError:
            if campaigns.load(session, campaign.code) is None:
                raise
            notes.append(f"{campaign.code} keeps its older rules; {afresh}")
        if campaign.code == bygone.CODE:
            continue
        closes = session.scalar(
            select(Campaign.closes_at).where(Campaign.code == campaign.code)
        )
        if closes is not None and closes <= now:
            notes.append(f"{campaign.code} is over; {afresh}")
    return notes


def _members(session: Session) -> None:
    for email, name, role in MEMBERS:
        if members.find(session, email) is None:
            members.add(
                session,
                email=email,
                name=name,
                password=PASSWORD,
                shop_code="demo",
                role=role,
                now=clock.now(),
            )


def _boxes(session: Session, settings: Settings) -> None:
    """Put a code in each of a few boxes, so that one can be tried at once."""
    vault = Vault(settings.data_keys)
    if boxcodes.fresh(session, BOX_PLACEMENT, vault=vault) is None:
        boxcodes.create(
            session,
            Wanted(BOX_PLACEMENT, "Demo", BOXES),
            vault=vault,
            now=clock.now(),
            random=os.urandom,
        )


class EndedError(Exception):
    """One of the demo's processes ended by itself; the message says which."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process of the demo."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def last_words(self) -> str:
        """Return the last thing it said."""
        lines = self.log.read_text(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "nothing")


class Demo:
    """Starts the processes, watches them, and stops them together."""

    def __init__(self, environ: dict[str, str], settings: Settings) -> None:
        self._environ = environ
        self._settings = settings
        self._children: list[Child] = []
        self._mailbox: Sink | None = None
        self._stopping = threading.Event()

    def run(self, say: Callable[[str], None]) -> None:
        """Run until Ctrl-C or SIGTERM. Raises `EndedError` and `SettingError`."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        for pair in web.addresses(self._settings).items():
            web.listen(*pair).close()
        try:
            notes = prepare(self._settings)
            self._start_all()
            if self._wait_until(self._answers, START_S):
                say(self._welcome(notes))
            self._wait_until(lambda: False, float("inf"))
        finally:
            self._stop_all()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping.set()

    def _start_all(self) -> None:
        if f"{PREFIX}SMTP_URL" not in self._environ:
            self._open_mailbox()
        self._start("web", "serve")
        self._start("worker", "worker")

    def _open_mailbox(self) -> None:
        port = _free_port()
        folder = self._settings.instance / mails.FOLDER
        self._mailbox = Sink(LOOPBACK, port, folder=folder)
        self._mailbox.start()
        self._environ[f"{PREFIX}SMTP_URL"] = url = f"smtp://{LOOPBACK}:{port}"
        # So that a command in another terminal knows it too.
        self._mail_server.write_text(f"{url}\n")

    @property
    def _mail_server(self) -> Path:
        return self._settings.instance / MAIL_SERVER

    def _start(self, name: str, *command: str) -> None:
        log = self._settings.instance / f"demo-{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603  # our own program
                [sys.executable, "-m", "server", *command],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C reaches us alone; we then stop the others in order.
                start_new_session=True,
            )
        self._children.append(Child(name, process, log))

    def _wait_until(self, is_so: Callable[[], bool], seconds: float) -> bool:
        """Watch the children meanwhile; return whether it became so."""
        deadline = time.monotonic() + seconds
        while not self._stopping.is_set() and time.monotonic() < deadline:
            for child in self._children:
                if child.process.poll() is not None:
                    raise EndedError(
                        f"the demo's {child.name} ended by itself; it said last: "
                        f"{child.last_words()} (all of it is in {child.log})"
                    )
            if is_so():
                return True
            self._stopping.wait(TICK_S)
        return False

    def _answers(self) -> bool:
        address = f"http://{self._settings.bind}/healthz"
        try:
            with urllib.request.urlopen(address, timeout=2):  # noqa: S310  # our own
                return True
        except (urllib.error.URLError, OSError):
            return False

    def _stop_all(self) -> None:
        for child in reversed(self._children):
            if child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + STOP_S
        for child in reversed(self._children):
            try:
                child.process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(child.process.pid, signal.SIGKILL)
                child.process.wait()
        if self._mailbox:
            self._mail_server.unlink(missing_ok=True)
            self._mailbox.stop()

    def _welcome(self, notes: list[str]) -> str:
        shop, ours = self._settings.demo_shop_url, self._settings.public_url
        lines = [
            "",
            "  Jawoord is running. Play, say yes, prove it.",
            "",
            f"    Webshop   {shop}/demo/",
            f"    Games     {shop}/demo/games/",
            f"    Inbox     {shop}/demo/inbox",
            f"    Office    {ours}/office/",
            f"    Sign in   {MEMBERS[0][0]}  (or {MEMBERS[1][0]})",
            f"    Password  {PASSWORD}",
            "",
            *(f"    Note: {note}" for note in notes),
            f"  Data and logs are in {self._settings.instance}. Ctrl-C stops it.",
            "",
        ]
        return "\n".join(lines)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
