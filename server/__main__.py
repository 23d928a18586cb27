"""`python -m server COMMAND`: what an operator does.

A failure that we know is one line on stderr that says what to do, and code 2.
"""

import os
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import tomli_w
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from server import assets as assets_of
from server import clock, log, showroom, web, worker
from server.adapters.mailer import DeliveryError, Mailer, Server
from server.adapters.sink import run_sink
from server.db import Database, DatabaseBusyError
from server.domain.address import AddressError
from server.domain.campaign import (
    Campaign,
    Fault,
    FileError,
    ShopFile,
    as_tables,
    parse_campaign,
    parse_shop,
)
from server.domain.seals import Vault
from server.migrations import is_current, migrate
from server.services import campaigns, members, outbox, passwords
from server.settings import SettingError, Settings, load_settings
from server.translations import compile_all
from server.views.demo import mails
from server.views.health import LEAST_FREE_BYTES

T = TypeVar("T", Campaign, ShopFile)

ROOT = Path(__file__).parent.parent
MOST_ROWS = 100
# What both databases can hold as an id.
MOST_ID = 2**63 - 1


def fail(line: str) -> NoReturn:
    """End the command with one line for a person."""
    click.echo(f"jawoord: {' '.join(line.split())}", err=True)
    sys.exit(2)


class _Commands(click.Group):
    """Turns the failures we know into one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (SettingError, assets_of.AssetError, showroom.EndedError) as error:
            fail(str(error))
        except DatabaseBusyError:
            fail("the database is busy; try again in a moment")
        except SQLAlchemyError as error:
            fail(_database_trouble(error))


def _database_trouble(error: SQLAlchemyError) -> str:
    """Say what a person can do; the driver's message may quote rows."""
    if (
        "no such table" in str(error)
        or "UndefinedTable" in type(getattr(error, "orig", None)).__name__
    ):
        return "the database has no tables yet; run: python -m server init"
    return (
        f"the database cannot be used ({type(error).__name__}); "
        "see JAWOORD_DATABASE_URL, and: python -m server doctor"
    )


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Jawoord: play, say yes, prove it."""


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        database.dispose()


@contextmanager
def _transaction() -> Iterator[tuple[Session, Settings]]:
    settings = load_settings()
    with _database(settings) as database, database.transaction() as session:
        yield session, settings


@main.command()
def serve() -> None:
    """Serve visitors and the office."""
    log.configure()
    web.run(load_settings())


@main.command("worker")
def work() -> None:
    """Send the mails that wait, and close what is over."""
    log.configure()
    worker.run(load_settings())


@main.command()
def init() -> None:
    """Make keys and tables, or bring the tables up to date."""
    settings = load_settings()
    with _database(settings) as database:
        migrate(database)
    click.echo(f"Ready: keys in {settings.instance}, tables up to date.")


@main.command()
def demo() -> None:
    """Start a demo shop with everything it needs, on this machine."""
    environ = showroom.environment(dict(os.environ))
    showroom.Demo(environ, load_settings(environ)).run(click.echo)


@main.command(hidden=True)
@click.option("--port", type=int, required=True)
def sink(port: int) -> None:
    """Take the demo's mails."""
    log.configure()
    folder = load_settings().instance / mails.FOLDER
    run_sink(showroom.LOOPBACK, port, folder)


@main.command()
def assets() -> None:
    """Build what browsers get, and the translations."""
    built = assets_of.build(ROOT)
    for path, file in sorted(built.items()):
        click.echo(f"{len(file.brotli):>8,}  {path}")
    click.echo(f"{sum(len(f.brotli) for f in built.values()):>8,}  bytes of brotli")
    for locale, count in compile_all().items():
        click.echo(f"{count:>8,}  texts in {locale}")


@main.group()
def shop() -> None:
    """Shops, as files."""


@shop.command("import")
@click.argument("file", type=click.Path(path_type=Path))
def import_shop(file: Path) -> None:
    """Make a shop from its file, or bring it up to date."""
    wanted = _read(file, parse_shop)
    with _transaction() as (session, _):
        if campaigns.shop_named(session, wanted.code) == wanted:
            click.echo(f"{wanted.code}: unchanged")
            return
        campaigns.save_shop(session, wanted, now=clock.now())
    click.echo(f"{wanted.code}: stored")


@shop.command("export")
@click.argument("code")
def export_shop(code: str) -> None:
    """Print a shop as its file."""
    with _transaction() as (session, _):
        found = campaigns.shop_named(session, code)
    if found is None:
        fail(f"there is no shop {code!r}")
    _print(found)


@main.group()
def campaign() -> None:
    """Campaigns, as files."""


@campaign.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--draft", is_flag=True, help="Store it without publishing it.")
def import_campaign(file: Path, *, draft: bool) -> None:
    """Publish a campaign from its file, or a new version of it."""
    wanted = _read(file, parse_campaign)
    try:
        with _transaction() as (session, settings):
            saved = campaigns.save(
                session,
                wanted,
                vault=Vault(settings.data_keys),
                now=clock.now(),
                random=os.urandom,
                publish=not draft,
            )
    except FileError as error:
        _refuse(file, error.faults)
    _list_faults(file, saved.advice)
    if not saved.is_new_version:
        click.echo(f"{wanted.code}: unchanged, version {saved.version}")
        return
    click.echo(f"{wanted.code}: version {saved.version} stored")


@campaign.command("export")
@click.argument("code")
def export_campaign(code: str) -> None:
    """Print a campaign's newest version as its file."""
    with _transaction() as (session, _):
        found = campaigns.load(session, code)
    if found is None:
        fail(f"there is no campaign {code!r}")
    _print(found)


def _read(file: Path, parse: Callable[[dict[str, Any]], T]) -> T:
    """Return what a file says, or list all that is wrong with it."""
    try:
        return parse(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        fail(f"{file} cannot be read ({error.strerror})")
    except UnicodeDecodeError as error:
        fault = Fault(f"byte {error.start + 1}", "is not UTF-8 text", "form")
        _refuse(file, [fault])
    except tomllib.TOMLDecodeError as error:
        what, _, place = str(error).rpartition(" (at ")
        _refuse(file, [Fault(place.rstrip(")"), what or str(error), "TOML")])
    except FileError as error:
        _refuse(file, error.faults)


def _refuse(file: Path, faults: list[Fault]) -> NoReturn:
    _list_faults(file, faults)
    sys.exit(1)


def _list_faults(file: Path, faults: list[Fault]) -> None:
    for fault in faults:
        kind = "" if fault.refuses else "advice: "
        click.echo(
            f"{file}: {fault.place}: {kind}{fault.what} ({fault.rule})", err=True
        )


def _print(part: Campaign | ShopFile) -> None:
    click.echo(tomli_w.dumps(as_tables(part), multiline_strings=True), nl=False)


@main.group()
def member() -> None:
    """The people of the office."""


@member.command("add")
@click.option("--email", required=True)
@click.option("--name", required=True)
@click.option("--shop", "shop_code", required=True, help="The shop's code.")
@click.option("--role", type=click.Choice(members.ROLES), required=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
def add_member(
    *, email: str, name: str, shop_code: str, role: str, password_stdin: bool
) -> None:
    """Let somebody sign in to a shop's office."""
    password = (
        sys.stdin.readline().rstrip("\r\n")
        if password_stdin
        else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    try:
        with _transaction() as (session, _):
            members.add(
                session,
                email=email,
                name=name,
                password=password,
                shop_code=shop_code,
                role=role,
                now=clock.now(),
            )
    except AddressError:
        fail(f"{email!r} is no mail address")
    except members.UnknownShopError:
        fail(f"there is no shop {shop_code!r}")
    except members.AlreadyMemberError:
        fail(f"this person already belongs to {shop_code!r}")
    except passwords.PasswordError:
        fail("the password needs at least 12 characters")
    click.echo(f"{name} is {role} of {shop_code}.")


@main.group("outbox")
def outbox_commands() -> None:
    """The mails that wait."""


@outbox_commands.command("list")
@click.option(
    "--state",
    type=click.Choice(outbox.STATES),
    help="Only mails in this state.",
)
def list_outbox(state: str | None) -> None:
    """List the newest mails, without what they say or to whom."""
    with _transaction() as (session, _):
        rows = outbox.newest(session, state=state, most=MOST_ROWS)
    click.echo(
        f"{'id':>8}  {'state':9}  {'letter':8}  {'tries':>5}  made / last answer"
    )
    for row in rows:
        made = row.created_at.isoformat(sep=" ", timespec="seconds")
        click.echo(
            f"{row.id:>8}  {row.state:9}  {row.letter:8}  {row.attempts:>5}  {made}"
            f"  {row.answer or ''}"
        )


@outbox_commands.command("retry")
@click.argument("outbox_id", type=click.IntRange(1, MOST_ID), required=False)
@click.option("--all-dead", is_flag=True, help="Every dead letter.")
def retry_outbox(outbox_id: int | None, *, all_dead: bool) -> None:
    """Let dead letters be tried again."""
    if (outbox_id is None) is not all_dead:
        fail("name one mail by its id, or give --all-dead")
    with _transaction() as (session, _):
        ids = outbox.dead(session) if outbox_id is None else [outbox_id]
        count = sum(
            outbox.revive(session, one, shop_id=None, now=clock.now()) for one in ids
        )
    if outbox_id is not None and not count:
        fail(f"mail {outbox_id} is not a dead letter")
    click.echo(f"{count} to be tried again")


@main.command()
def doctor() -> None:
    """Check what the service needs, a line for each."""
    settings = load_settings()
    click.echo("ok    settings")
    checks: dict[str, Callable[[Settings], str | None]] = {
        "keys": _keys_trouble,
        "disk": _disk_trouble,
        "database": _schema_trouble,
        "outbox": _outbox_trouble,
        "mail server": _mail_trouble,
    }
    troubles = 0
    for name, check in checks.items():
        trouble = check(settings)
        troubles += trouble is not None
        click.echo(f"ok    {name}" if trouble is None else f"NOT   {name}: {trouble}")
    sys.exit(1 if troubles else 0)


def _keys_trouble(settings: Settings) -> str | None:
    for name in ("secret_keys", "data_keys"):
        path = settings.instance / name
        if path.exists() and path.stat().st_mode & 0o077:
            return f"others can read {path}; run: chmod 600 {path}"
    return None


def _disk_trouble(settings: Settings) -> str | None:
    free = shutil.disk_usage(settings.instance).free
    if free > LEAST_FREE_BYTES:
        return None
    return f"only {free >> 20} MB free for {settings.instance}; make room"


def _schema_trouble(settings: Settings) -> str | None:
    with _database(settings) as database:
        try:
            current = is_current(database)
        except SQLAlchemyError as error:
            return _database_trouble(error)
    return None if current else "not up to date; run: python -m server init"


def _outbox_trouble(settings: Settings) -> str | None:
    with _database(settings) as database:
        try:
            with database.reading() as session:
                count = len(outbox.dead(session))
        except SQLAlchemyError:
            return "cannot be read; see the database above"
    if not count:
        return None
    return f"{count} dead letters; run: python -m server outbox list --state dead"


def _mail_trouble(settings: Settings) -> str | None:
    try:
        Mailer(
            Server.from_url(settings.smtp_url), greeting=settings.host, seconds=5
        ).check()
    except SettingError as error:
        return str(error)
    except DeliveryError as error:
        return f"does not answer ({error.answer}); see JAWOORD_SMTP_URL"
    return None


if __name__ == "__main__":
    main(prog_name="python -m server")
