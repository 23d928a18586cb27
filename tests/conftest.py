"""What tests stand on: both databases, an application, and the servers around it.

A test that takes `database_url`, or anything built on it, runs on both databases.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings as hypothesis_settings
from jinja2.bccache import Bucket, BytecodeCache
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy.orm import Session

from server import clock as server_clock
from server import create_app
from server.__main__ import main
from server.db import Database
from server.domain.campaign import Campaign as CampaignFile
from server.domain.seals import Vault
from server.migrations import migrate
from server.services import passwords
from server.settings import Settings, load_settings
from server.worker import Worker
from tests import factories
from tests.commands import starting
from tests.mail import MailServer
from tests.pages import Pages
from tests.raffles import Desk
from tests.servers import LOOPBACK, Postgres, Redis, Web, free_port
from tests.visits import House

MOMENT = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
PUBLIC_URL = "http://service.test"
PG_NAME = "jawoord"
REAL_HASHER = passwords._hasher
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# The same browser without windows: a visit costs a third less.
SHELL = ("chromium-headless-shell", *CHROMIUM)
CHROMIUM_ARGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    "--disable-sync",
]

# The same examples every time; a slow machine is no reason to fail.
hypothesis_settings.register_profile("here", deadline=None, derandomize=True)
hypothesis_settings.load_profile("here")


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Mark what drives a browser; leave the stress tests to `make stress`."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    if "stress" in config.option.markexpr:
        return
    stress = [item for item in items if item.get_closest_marker("stress")]
    if stress:
        config.hook.pytest_deselected(items=stress)
        items[:] = [item for item in items if item not in stress]


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Hash within a millisecond: a real one takes a tenth of a second on purpose.

    A test that looks at what a real one costs asks for `real_passwords`.
    """
    with pytest.MonkeyPatch.context() as patch:
        quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(passwords, "_hasher", quick)
        yield


@pytest.fixture
def real_passwords(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hash as in production."""
    monkeypatch.setattr(passwords, "_hasher", REAL_HASHER)
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()


# --- databases ---------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL cluster; each worker of a parallel run has its own."""
    cluster = Postgres()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres) -> str:
    """The address of a migrated database on PostgreSQL."""
    url = postgres.create(PG_NAME)
    _migrate(url)
    return url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Which of the two databases this run of the test uses."""
    return str(request.param)


@pytest.fixture
def bare_database_url(
    database_kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> str:
    """The address of a database of this test alone, without any table."""
    if database_kind == "sqlite":
        return f"sqlite:///{tmp_path}/bare.db"
    cluster: Postgres = request.getfixturevalue("postgres")
    return cluster.create("bare")


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest) -> str:
    """The address of a migrated database without rows."""
    if database_kind == "sqlite":
        return f"sqlite:///{_copied(request.getfixturevalue('migrated_sqlite'))}"
    url: str = request.getfixturevalue("migrated_postgres")
    request.getfixturevalue("postgres").empty(PG_NAME)
    return url


def _copied(migrated: Path) -> Path:
    """Return a fresh copy, always in the same place, so that `_opened` knows it."""
    path = migrated.with_name("jawoord.db")
    for tail in ("-wal", "-shm"):
        path.with_name(path.name + tail).unlink(missing_ok=True)
    # Under a new name first: whoever still holds the last test's file keeps that one.
    return Path(shutil.copy(migrated, migrated.with_name("next.db"))).replace(path)


def _migrate(url: str) -> None:
    database = Database(load_database_url(url))
    migrate(database)
    database.dispose()


def load_database_url(url: str) -> str:
    """Return the address as our settings write it, with the driver named."""
    return url.replace("postgresql://", "postgresql+psycopg://")


# --- the application ---------------------------------------------------------------


@dataclass
class Clock:
    """The time that the application is told."""

    moment: datetime
    # How much of it passes with each look.
    step: timedelta = timedelta()

    def now(self) -> datetime:
        self.moment += self.step
        return self.moment

    def advance(self, by: timedelta) -> datetime:
        """Let time pass, and return the new moment."""
        self.moment += by
        return self.moment


@pytest.fixture
def now() -> datetime:
    """A fixed moment."""
    return MOMENT


@pytest.fixture
def clock(now: datetime, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The application's clock; it stands at `now` until a test moves it."""
    stopped = Clock(now)
    monkeypatch.setattr(server_clock, "now", stopped.now)
    return stopped


@pytest.fixture(scope="session")
def mail_port() -> int:
    """Where the mail server listens, if a test starts one."""
    return free_port()


@pytest.fixture
def environ(database_url: str, tmp_path: Path, mail_port: int) -> dict[str, str]:
    """The environment that the application reads; a test may override it."""
    return {
        "JAWOORD_INSTANCE": str(tmp_path / "instance"),
        "JAWOORD_DATABASE_URL": database_url,
        "JAWOORD_PUBLIC_URL": PUBLIC_URL,
        "JAWOORD_SMTP_URL": f"smtp://{LOOPBACK}:{mail_port}",
        "JAWOORD_DEMO": "yes",
        # Every visitor of a test comes from one address.
        "JAWOORD_CLIENT_MAIL_LIMITS": "100000 per minute",
        "JAWOORD_MAIL_LIMIT": "100000 per minute",
        "JAWOORD_PLAY_LIMIT": "100000 per minute",
        # And fills in a form at once.
        "JAWOORD_LEAST_FILL_SECONDS": "0",
    }


@pytest.fixture
def settings(environ: dict[str, str]) -> Settings:
    """The settings, read as in production."""
    return load_settings(environ)


@cache
def _opened(url: str) -> Database:
    """Return the one for this address: each engine compiles its statements anew."""
    return Database(url)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """The database that the application uses as well."""
    opened = _opened(settings.database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A write transaction that is rolled back at the end.

    SQLite has one writer: a test that also sends requests opens short transactions
    on `database` instead.
    """
    with database.transaction() as opened:
        yield opened
        opened.rollback()


class Compiled(BytecodeCache):
    """Keeps each template compiled: that took half the time of a test."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


def _made(settings: Settings, database: Database) -> Flask:
    made = create_app(settings)
    made.jinja_env.bytecode_cache = COMPILED
    made.extensions["database"].dispose()
    made.extensions["database"] = database
    return made


@pytest.fixture
def app(settings: Settings, database: Database, clock: Clock) -> Flask:
    """The whole application, its clock standing at `now`."""
    return _made(settings, database)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor without script."""
    return app.test_client()


@pytest.fixture
def pages(client: FlaskClient) -> Pages:
    """A visitor whose every page is checked."""
    return Pages(client)


@pytest.fixture
def vault(settings: Settings) -> Vault:
    """What seals and hashes with the keys of the settings."""
    return Vault(settings.data_keys)


@pytest.fixture
def publish(
    database: Database, vault: Vault, now: datetime
) -> Callable[..., CampaignFile]:
    """Publish and commit a campaign: `publish(campaign_file(flow="form-first"))`.

    For a live server, which is on the real clock, say `now=datetime.now(UTC)`.
    """

    def published(campaign: CampaignFile | None = None, **options: Any) -> CampaignFile:
        with database.transaction() as session:
            return factories.publish(
                session, campaign, **{"vault": vault, "now": now} | options
            )

    return published


@pytest.fixture
def house(app: Flask, database: Database, vault: Vault, clock: Clock) -> House:
    """What the application stores, looked at from inside."""
    return House(app, database, vault, clock)


@pytest.fixture
def desk(house: House) -> Desk:
    """A worker that does nothing but raffles."""
    return Desk(house)


@pytest.fixture
def house_with(
    environ: dict[str, str], database: Database, vault: Vault, clock: Clock
) -> Callable[..., House]:
    """Another application on the same database, with settings of its own.

    `house_with(MAIL_LIMIT="3 per hour")`; None takes a setting's default.
    """

    def make(**settings: str | None) -> House:
        named = {f"JAWOORD_{name}": value for name, value in settings.items()}
        own = {
            name: value
            for name, value in {**environ, **named}.items()
            if value is not None
        }
        made = _made(load_settings(own), database)
        return House(made, database, vault, clock)

    return make


@pytest.fixture
def run(environ: dict[str, str], clock: Clock) -> Callable[..., Result]:
    """Run a command to its end, in this process: `run("shop", "import", file)`.

    `given` is typed into it; what is named besides is put into its environment.
    """

    def run(*words: object, given: str = "", **more: str) -> Result:
        runner = CliRunner(env={**environ, **more})
        ended = runner.invoke(main, [str(word) for word in words], input=given)
        known = ended.exception is None or isinstance(ended.exception, SystemExit)
        assert known, ended.exception
        return ended

    return run


# --- servers -----------------------------------------------------------------------


@pytest.fixture
def live(environ: dict[str, str], tmp_path: Path) -> Iterator[Web]:
    """The service on a real port, on the real clock."""
    port = free_port()
    address = {
        "JAWOORD_BIND": f"{LOOPBACK}:{port}",
        "JAWOORD_PUBLIC_URL": f"http://{LOOPBACK}:{port}",
    }
    web = Web(environ | address, port=port, folder=tmp_path)
    yield web
    web.stop()


@pytest.fixture
def smtp(mail_port: int) -> Iterator[MailServer]:
    """The mail server that the settings name."""
    server = MailServer(mail_port)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def worker(app: Flask, smtp: MailServer) -> Iterator[Worker]:
    """The worker, whose steps a test takes one by one."""
    made = Worker(app)
    yield made
    made.close()


@pytest.fixture(scope="session")
def _redis() -> Iterator[Redis]:
    server = Redis()
    yield server
    server.remove()


@pytest.fixture
def redis_server(_redis: Redis) -> Redis:
    """A Redis without keys. A test that stops it need not start it again."""
    _redis.empty()
    return _redis


# --- browsers ----------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the run."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=_first(SHELL), args=CHROMIUM_ARGS
        )
        yield opened
        opened.close()


def chromium() -> str:
    """Return where the whole Chromium is, for what only that one can do."""
    return _first(CHROMIUM)


def _first(names: tuple[str, ...]) -> str:
    found = next((path for name in names if (path := shutil.which(name))), None)
    assert found, "Chromium is not installed; run .ci/install"
    return found


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor of his own, who reads Dutch."""
    opened = browser.new_context(locale="nl-NL", timezone_id="Europe/Amsterdam")
    opened.set_default_timeout(30_000)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab that fails its test on a script error or a breach of our policy (G15)."""
    opened = context.new_page()
    faults: list[str] = []

    def note(message: Any) -> None:
        if "Content Security Policy" in message.text:
            faults.append(message.text)

    opened.on("console", note)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    yield opened
    assert faults == []


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Any]:
    """Run a command to its end as a process, on SQLite, with the ports it is given."""
    return starting(tmp_path)
