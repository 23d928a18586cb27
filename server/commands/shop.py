"""`shop import | export`."""

from pathlib import Path

import click

from server import clock
from server.commands import files
from server.commands.base import fail, transaction
from server.domain.shop import parse_shop
from server.services import campaigns


@click.group()
def shop() -> None:
    """Shops, as files."""


@shop.command("import")
@click.argument("file", type=click.Path(path_type=Path))
def import_shop(file: Path) -> None:
    """Make a shop from its file, or bring it up to date."""
    wanted = files.read(file, parse_shop)
    with transaction() as (session, _):
        if campaigns.shop_named(session, wanted.code) == wanted:
            click.echo(f"{wanted.code}: unchanged")
            return
        campaigns.save_shop(session, wanted, now=clock.now())
    click.echo(f"{wanted.code}: stored")


@shop.command("export")
@click.argument("code")
def export_shop(code: str) -> None:
    """Print a shop as its file."""
    with transaction() as (session, _):
        found = campaigns.shop_named(session, code)
    if found is None:
        fail(f"there is no shop {code!r}")
    files.write(found)
