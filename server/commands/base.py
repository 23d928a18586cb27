"""What all commands share: how they fail, and how they reach the database."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TypeVar

import click
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from server.db import Database
from server.settings import Settings, load_settings

# Who may read a file that is written: its owner, or whoever the umask says.
OWNER_ONLY, AS_USUAL = 0o600, 0o666
MAY_REPLACE = f"{__name__}.may_replace"
C = TypeVar("C", bound=Callable[..., Any])


def fail(line: str) -> NoReturn:
    """End the command with one line for a person."""
    click.echo(f"jawoord: {' '.join(line.split())}", err=True)
    sys.exit(2)


def database_trouble(error: SQLAlchemyError) -> str:
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


@contextmanager
def bar(length: int, label: str) -> Iterator[Callable[[int], None]]:
    """Show how far a long work is, and yield what tells of so much more."""
    with click.progressbar(length=length, label=label, file=sys.stderr) as shown:
        yield shown.update


def new_file(*names: str, **more: Any) -> Callable[[C], C]:
    """Add an option for a file to write; one that is there stops it before any work.

    Takes what `click.option` takes, and needs `force` beside it.
    """

    def check(_ctx: click.Context, _parameter: click.Parameter, file: Any) -> Any:
        if file is not None:
            keep_old(file)
        return file

    kind = click.Path(path_type=Path, dir_okay=False)
    return click.option(*names, type=kind, callback=check, **more)


def force(command: C) -> C:
    """Add the option with which a file that is there is replaced."""

    def note(ctx: click.Context, _parameter: click.Parameter, is_given: bool) -> None:
        ctx.meta[MAY_REPLACE] = is_given

    return click.option(
        "--force",
        is_flag=True,
        # Read before the files, wherever it stands.
        is_eager=True,
        expose_value=False,
        callback=note,
        help="Replace a file that is there already.",
    )(command)


def keep_old(*files: Path) -> None:
    """End the command if one of these is there and nobody said it may be replaced."""
    if click.get_current_context().meta.get(MAY_REPLACE):
        return
    for file in files:
        if os.path.lexists(file):
            fail(f"{file} is there already; give --force to replace it")


@contextmanager
def written(file: Path, *, mode: int = OWNER_ONLY) -> Iterator[BinaryIO]:
    """Yield what becomes a file once it is whole.

    It is written beside the file first, so that a half one never has its name.
    """
    # Where a link leads, so that the link stays one.
    place = Path(os.path.realpath(file))
    if place.exists() and not place.is_file():
        fail(f"{file} is no ordinary file")
    part = place.with_name(f"{place.name}.part")
    try:
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "w+b") as out:
            yield out
            out.flush()
            os.fsync(handle)
        part.replace(place)
    except OSError as error:
        fail(f"{file} cannot be written ({error.strerror})")
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """Yield the database of these settings, and close it at the end.

    It is patient: a pool holds a million codes, and nobody waits for a page here.
    """
    database = Database(settings.database_url, is_patient=True)
    try:
        yield database
    finally:
        database.dispose()


@contextmanager
def reading() -> Iterator[tuple[Session, Settings]]:
    """Yield a look at the environment's database that writes nothing."""
    settings = load_settings()
    with opened(settings) as database, database.reading() as session:
        yield session, settings


@contextmanager
def standing_still() -> Iterator[tuple[Session, Settings]]:
    """Yield a look at the environment's database in which nothing moves meanwhile."""
    settings = load_settings()
    with opened(settings) as database, database.standing_still() as session:
        yield session, settings


@contextmanager
def transaction() -> Iterator[tuple[Session, Settings]]:
    """Yield one transaction on the environment's database, and its settings."""
    settings = load_settings()
    with opened(settings) as database, database.transaction() as session:
        yield session, settings


def tell_lost(number: int) -> None:
    """Say how many people were left out because their key does not open."""
    if number:
        click.echo(
            f"{number:,} left out: their key does not open; see: python -m server "
            "keys status",
            err=True,
        )
