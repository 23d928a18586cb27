"""The schema's steps, numbered; they run on both databases and import no models."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from server.db import Database


class OutdatedError(Exception):
    """The database does not have the tables that this version works on."""


def config() -> Config:
    """Return Alembic's settings for the migrations in this folder."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    return made


def migrate(database: Database) -> None:
    """Bring the schema to the newest step, in one transaction."""
    with database.transaction() as session:
        settings = config()
        settings.attributes["connection"] = session.connection()
        command.upgrade(settings, "head")


def check_current(database: Database) -> None:
    """Refuse to work on tables that are missing or older. Raises `OutdatedError`."""
    if not is_current(database):
        raise OutdatedError(
            "the tables are missing or older; run: python -m server init"
        )


def is_current(database: Database) -> bool:
    """Return whether the schema is at the newest step."""
    with database.reading() as session:
        found = MigrationContext.configure(session.connection()).get_current_heads()
    return set(found) == set(ScriptDirectory.from_config(config()).get_heads())
