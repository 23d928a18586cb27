"""The schema's steps, numbered; they run on both databases and import no models."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from server.db import Database

if TYPE_CHECKING:
    from alembic.config import Config

STEPS = Path(__file__).parent / "versions"


class OutdatedError(Exception):
    """The database does not have the tables that this version works on."""


class KeysError(Exception):
    """A step cannot open what it has to, with these data keys; nothing was changed."""


class HandedOverError(Exception):
    """A step back would forget who has to be removed where; nothing was changed."""


# Shows how far a long work is: how much it is in all, and what it is called.
Bar = Callable[[int, str], AbstractContextManager[Callable[[int], None]]]


def config() -> "Config":
    """Return Alembic's settings for the migrations in this folder."""
    # Here, because who serves or mails has no use for Alembic and its megabytes.
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    return made


def migrate(
    database: Database, *, data_keys: tuple[bytes, ...] = (), bar: Bar | None = None
) -> None:
    """Bring the schema to the newest step, in one transaction.

    A database with people in it needs the data keys that have sealed what is theirs.
    Raises `KeysError` where these do not open it; then nothing was changed.
    """
    from alembic import command

    with database.reshaping() as connection:
        command.upgrade(steps_on(connection, data_keys=data_keys, bar=bar), "head")
    database.compact()


def steps_on(
    connection: Connection,
    *,
    data_keys: tuple[bytes, ...] = (),
    bar: Bar | None = None,
) -> "Config":
    """Return Alembic's settings with all that a step may need."""
    settings = config()
    settings.attributes["connection"] = connection
    settings.attributes["data_keys"] = data_keys
    if bar is not None:
        settings.attributes["bar"] = bar
    return settings


def check_current(database: Database) -> None:
    """Refuse to work on tables that are missing or older. Raises `OutdatedError`."""
    if not is_current(database):
        raise OutdatedError(
            "the tables are missing or older; run: python -m server init"
        )


def is_current(database: Database) -> bool:
    """Return whether the schema is at the newest step."""
    newest = max(path.name for path in STEPS.glob("[0-9]*.py"))
    with database.reading() as session:
        if not inspect(session.connection()).has_table("alembic_version"):
            return False
        found = session.scalars(text("SELECT version_num FROM alembic_version")).all()
    return found == [newest.partition("_")[0]]
