"""`suppression export | apply`: what a restored backup has to be told (T30)."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import click

from server import clock
from server.commands.base import fail, force, new_file, opened, standing_still, written
from server.db import Database
from server.services import backups, restores, tombstones
from server.services.tombstones import LONGEST_LINE, RANGE, Tombstone, TombstoneError
from server.settings import load_settings
from server.tooling import tools_of


@click.group()
def suppression() -> None:
    """Each no that an older backup may not know, by keyed hashes of addresses."""


@suppression.command()
@new_file("--to", "file", required=True)
@force
def export(file: Path) -> None:
    """Write them to a file, to be kept apart from the backups and newer than these."""
    number = 0
    with standing_still() as (session, _settings), written(file) as out:
        for stone in tombstones.every(session, now=clock.now()):
            out.write(stone.line())
            number += 1
    click.echo(f"{file}: {number:,} lines")


@suppression.command()
@click.option(
    "--from",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
)
def apply(file: Path) -> None:
    """Do it all once more, after an older backup was restored."""
    settings = load_settings()
    tools, number, done = tools_of(settings), 0, 0
    try:
        with file.open("rb") as lines, opened(settings) as database:
            # All of it first, so that nothing is done with half a file.
            for _ in _read(file, lines):
                number += 1
            lines.seek(0)
            for stone in _missing(database, _read(file, lines)):
                with database.transaction() as session:
                    done += restores.apply(session, stone, tools=tools, now=clock.now())
    except OSError as error:
        fail(f"{file} cannot be read ({error.strerror})")
    click.echo(f"{file}: {number:,} lines, {done:,} of them were missing")


def _missing(database: Database, stones: Iterator[Tombstone]) -> Iterator[Tombstone]:
    """Yield what a database may not know, a range at a time."""
    while some := list(islice(stones, RANGE)):
        with database.reading() as session:
            unknown = backups.missing(session, some)
        yield from unknown


def _read(file: Path, lines: BinaryIO) -> Iterator[Tombstone]:
    number = 0
    while line := lines.readline(LONGEST_LINE):
        number += 1
        try:
            yield tombstones.read(line)
        except TombstoneError:
            fail(f"{file}, line {number}: this is no suppression")
