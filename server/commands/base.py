"""What all commands share: how they fail, and how they reach the database."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn

import click
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from server.db import Database
from server.settings import Settings, load_settings

OWNER_ONLY = 0o600


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


@contextmanager
def written(file: Path) -> Iterator[IO[bytes]]:
    """Yield what becomes a file once it is whole; only its owner may read it.

    It is written beside the file first, so that a half one never has its name.
    """
    part = file.with_name(f"{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(handle, "w+b") as out:
            yield out
            out.flush()
            os.fsync(handle)
        part.replace(file)
    except OSError as error:
        fail(f"{file} cannot be written ({error.strerror})")
    finally:
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
