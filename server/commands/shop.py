"""`shop import | export`."""

from pathlib import Path

import click

from server import clock
from server.commands import files, pictures
from server.commands.base import fail, reading, transaction
from server.domain.parts import FileError
from server.domain.shop import parse_shop
from server.services import campaigns, images


@click.group()
def shop() -> None:
    """Shops, as files."""


@shop.command("import")
@click.argument("file", type=click.Path(path_type=Path))
def import_shop(file: Path) -> None:
    """Make a shop from its file, or bring it up to date."""
    wanted = files.read(file, parse_shop)
    try:
        with reading() as (session, _):
            ready = pictures.prepare(session, wanted, folder=file.parent)
    except FileError as error:
        files.refuse(file, error.faults)
    with transaction() as (session, _):
        if campaigns.shop_named(session, wanted.code) == ready.part:
            click.echo(f"{wanted.code}: unchanged")
            return
        images.keep(session, ready.new, now=clock.now())
        campaigns.save_shop(session, ready.part, now=clock.now())
    click.echo(f"{wanted.code}: stored")


@shop.command("export")
@click.argument("code")
@files.to_folder
def export_shop(code: str, folder: Path | None) -> None:
    """Print a shop as its file."""
    with reading() as (session, _):
        found = campaigns.shop_named(session, code)
        if found is None:
            fail(f"there is no shop {code!r}")
        files.write(session, found, folder)
