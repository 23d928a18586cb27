"""`suppression export | apply`: who must not come back with a backup (T30)."""

from pathlib import Path

import click

from server import clock
from server.commands.base import fail, force, new_file, opened, reading, written
from server.services import tombstones
from server.services.tombstones import Tombstone, TombstoneError
from server.settings import load_settings
from server.tooling import tools_of


@click.group()
def suppression() -> None:
    """People who were erased or objected, by keyed hashes of their addresses."""


@suppression.command()
@new_file("--to", "file", required=True)
@force
def export(file: Path) -> None:
    """Write them to a file, to be kept apart from the backups and newer than these."""
    with reading() as (session, _settings), written(file) as out:
        lines = [out.write(stone.line()) for stone in tombstones.every(session)]
        number = len(lines)
    click.echo(f"{file}: {number:,} suppressions")


@suppression.command()
@click.option(
    "--from",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
)
def apply(file: Path) -> None:
    """Do it all once more, after an older backup was restored."""
    stones = _read(file)
    settings = load_settings()
    tools, done = tools_of(settings), 0
    with opened(settings) as database:
        for stone in stones:
            with database.transaction() as session:
                done += tombstones.apply(session, stone, tools=tools, now=clock.now())
    click.echo(f"{file}: {len(stones):,} suppressions, {done:,} of them were missing")


def _read(file: Path) -> list[Tombstone]:
    """Return every line, so that nothing is done with half a file."""
    try:
        with file.open("rb") as lines:
            numbered = enumerate(lines, start=1)
            return [_stone(file, number, line) for number, line in numbered]
    except OSError as error:
        fail(f"{file} cannot be read ({error.strerror})")


def _stone(file: Path, number: int, line: bytes) -> Tombstone:
    try:
        return tombstones.read(line)
    except TombstoneError:
        fail(f"{file}, line {number}: this is no suppression")
