"""The schema's steps, numbered; they run on both databases and import no models."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from server.db import Database

if TYPE_CHECKING:
    from alembic.config import Config

STEPS = Path(__file__).parent / "versions"


class OutdatedError(Exception):
    """The database does not have the tables that this version works on."""


def config() -> "Config":
    """Return Alembic's settings for the migrations in this folder."""
    # Here, because who serves or mails has no use for Alembic and its megabytes.
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    return made


def migrate(database: Database) -> None:
    """Bring the schema to the newest step, in one transaction."""
    from alembic import command

    with database.reshaping() as connection:
        settings = config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")


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
