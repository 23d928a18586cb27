"""`qr`."""

from pathlib import Path

import click

from server.commands.base import (
    AS_USUAL,
    fail,
    force,
    keep_old,
    new_file,
    transaction,
    written,
)
from server.domain import qr as codes
from server.services import placements


@click.command()
@click.argument("code")
@new_file("--svg", "svg_file")
@new_file("--png", "png_file")
@force
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
        keep_old(svg_file)
    for file, draw in ((svg_file, codes.svg), (png_file, codes.png)):
        if file:
            with written(file, mode=AS_USUAL) as out:
                out.write(draw(address))
    click.echo(f"{address}")
