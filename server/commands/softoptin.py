"""`softoptin import`: sales after which the shop may write about its own things."""

from pathlib import Path

import click

from server.commands import people
from server.domain.people_file import SALES


@click.group()
def softoptin() -> None:
    """Customers who may be written to without a consent (Tw 11.7(3))."""


@softoptin.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--shop", required=True, help="The shop's code.")
@click.option("--dry-run", is_flag=True, help="Say what would be stored.")
def import_sales(file: Path, *, shop: str, dry_run: bool) -> None:
    """Bring in sales, from CSV or lines of JSON.

    Columns: address, order, date, category, locale, collected, and offer or offer_file:
    the text by which the buyer could say no when the address was asked for.
    """
    people.bring_in(file, SALES, shop=shop, is_dry=dry_run)
