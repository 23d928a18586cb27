"""`consents import | export`: who said yes elsewhere, and who may be written to."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, get_args

import click

from server import clock
from server.commands import people
from server.commands.base import fail, force, new_file, opened, tell_lost, written
from server.db import Database
from server.domain.people_file import CONSENTS
from server.domain.seals import Vault
from server.services import contactable, sheets, shops
from server.services.contactable import HEADING, Basis, Wanted
from server.services.sheets import Format
from server.settings import load_settings


@click.group()
def consents() -> None:
    """Consents from elsewhere, and the people who may be written to."""


@consents.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--shop", required=True, help="The shop's code.")
@click.option("--dry-run", is_flag=True, help="Say what would be stored.")
def import_consents(file: Path, *, shop: str, dry_run: bool) -> None:
    """Bring in consents that were given elsewhere, from CSV or lines of JSON.

    Columns: address, purpose, locale, source, date, method, and text or text_file. What
    lacks its source, date, text or method is kept as unproven, and never exported.
    """
    people.bring_in(file, CONSENTS, shop=shop, is_dry=dry_run)


@consents.command("export")
@click.option("--shop", required=True, help="The shop's code.")
@click.option("--purpose", required=True, help="newsletter, or soft:CATEGORY.")
@click.option(
    "--basis",
    type=click.Choice(get_args(Basis)),
    default="consent",
    help="A yes, or a sale (soft opt-in).",
)
@click.option("--format", "kind", type=click.Choice(get_args(Format)), default="csv")
@new_file("-o", "--to", "file")
@force
def export_consents(
    *, shop: str, purpose: str, basis: Basis, kind: Format, file: Path | None
) -> None:
    """Write who may be written to today. Take a workbook (xlsx) for a spreadsheet."""
    if kind == "xlsx" and file is None:
        fail("a workbook needs a file: -o FILE")
    settings = load_settings()
    vault = Vault(settings.data_keys)
    with opened(settings) as database:
        wanted = _wanted(database, shop, purpose, basis)
        lost: list[int] = []
        if file is None:
            out = sys.stdout.buffer
            count, digest = _write(database, wanted, kind, out, lost, vault=vault)
        else:
            with written(file) as out:
                count, digest = _write(database, wanted, kind, out, lost, vault=vault)
    where = file or "the output"
    click.echo(f"{where}: {count:,} rows, SHA-256 {digest}", err=True)
    tell_lost(len(lost))


def _wanted(database: Database, shop: str, purpose: str, basis: Basis) -> Wanted:
    with database.reading() as session:
        try:
            wanted = Wanted(shops.id_of(session, shop), purpose, basis)
        except shops.UnknownShopError:
            fail(f"there is no shop {shop!r}")
    if not wanted.is_possible:
        fail("soft opt-ins have a purpose soft:CATEGORY and --basis soft, others not")
    return wanted


def _write(
    database: Database,
    wanted: Wanted,
    kind: Format,
    out: IO[bytes],
    lost: list[int],
    *,
    vault: Vault,
) -> tuple[int, str]:
    with database.reading() as session:
        keys = contactable.heading(session, wanted)
    rows = _Counted(
        line.cells(keys)
        for line in contactable.lines(
            database.reading, wanted, vault=vault, clock=clock.now, lost=lost
        )
    )
    heading, digest = (*HEADING, *keys), hashlib.sha256()
    if kind == "xlsx":
        try:
            sheets.workbook(out, heading, rows)
        except sheets.TooManyRowsError:
            fail(f"a workbook holds {sheets.MOST_ROWS:,} rows; take csv or json")
        out.seek(0)
        while piece := out.read(1 << 20):
            digest.update(piece)
        return rows.count, digest.hexdigest()
    for piece in sheets.texts(heading, rows, kind):
        out.write(piece)
        digest.update(piece)
    out.flush()
    return rows.count, digest.hexdigest()


class _Counted:
    """Rows on their way to a file, and how many there have been."""

    def __init__(self, rows: Iterator[sheets.Cells]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[sheets.Cells]:
        for row in self._rows:
            self.count += 1
            yield row
