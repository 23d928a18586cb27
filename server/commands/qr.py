"""`qr`."""

from pathlib import Path

import click

from server.commands.base import fail, transaction
from server.domain import qr as codes
from server.services import placements


@click.command()
@click.argument("code")
@click.option("--svg", "svg_file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--png", "png_file", type=click.Path(dir_okay=False, path_type=Path))
def qr(code: str, *, svg_file: Path | None, png_file: Path | None) -> None:
    """Write the QR code of a game's own page, as SVG, PNG or both.

    Each placement has its own address, so what a poster or a box brings is counted
    by giving it a placement of its own.
    """
    with transaction() as (session, settings):
        is_there = placements.has_page(session, code)
    if not is_there:
        fail(f"no game has a page of its own under {code!r}: give it shape = 'page'")
    address = f"{settings.public_url}/w/{code}"
    if svg_file is None and png_file is None:
        svg_file = Path(f"{code}.svg")
    try:
        if svg_file:
            svg_file.write_bytes(codes.svg(address))
        if png_file:
            png_file.write_bytes(codes.png(address))
    except OSError as error:
        fail(f"{error.filename} cannot be written: {error.strerror}")
    click.echo(f"{address}")
