"""`boxcodes create | print | revoke | report`."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy.orm import Session

from server import clock
from server.adapters import labels
from server.adapters.labels import Printing
from server.commands.base import (
    AS_USUAL,
    bar,
    fail,
    force,
    new_file,
    opened,
    reading,
    transaction,
    written,
)
from server.domain.boxcodes import LONGEST_NAME, MOST_CODES
from server.domain.seals import SealError, Vault
from server.services import boxcodes as services
from server.services import boxreports, campaigns, images
from server.settings import load_settings

MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"])
CODES = click.IntRange(1, MOST_CODES)


@click.group()
def boxcodes() -> None:
    """The codes in the boxes: each is good for one play."""


@boxcodes.command()
@click.argument("placement")
@click.option("--name", required=True, help="What you call it: autumn boxes.")
@click.option("--size", type=CODES, required=True, help="How many codes.")
@click.option("--from", "start", type=MOMENT, help="From when, in UTC.")
@click.option("--until", "end", type=MOMENT, help="Until when, in UTC.")
def create(
    *,
    placement: str,
    name: str,
    size: int,
    start: datetime | None,
    end: datetime | None,
) -> None:
    """Make a batch of codes for a placement of the channel box."""
    if not 1 <= len(name.strip()) <= LONGEST_NAME or not name.isprintable():
        fail(f"the name needs 1 to {LONGEST_NAME} characters on one line")
    wanted = services.Wanted(
        placement=placement,
        name=name.strip(),
        size=size,
        valid_from=start and start.replace(tzinfo=UTC),
        valid_until=end and end.replace(tzinfo=UTC),
    )
    if start and end and end <= start:
        fail("--until must be after --from")
    try:
        batch = _made(wanted)
    except services.UnknownPlacementError:
        fail(f"there is no placement {placement!r} of the channel box")
    except services.NeverValidError as error:
        fail(str(error))
    except services.SweptError:
        fail("it took far too long and was taken for dead; nothing of it is stored")
    click.echo(f"{batch}: {size:,} codes for {placement}")
    click.echo(f"Print them with: python -m server boxcodes print {batch} --to FILE")


def _made(wanted: services.Wanted) -> str:
    """Make a batch in ranges, so that a visitor waits for one of those, not for all."""
    settings = load_settings()
    vault = Vault(settings.data_keys)
    with opened(settings) as database, bar(wanted.size, "Codes") as tell:
        is_more = True
        while is_more:
            with database.transaction() as session:
                is_more = services.sweep(session, now=clock.now()) > 0
        with database.transaction() as session:
            making = services.begin(
                session, wanted, vault=vault, now=clock.now(), random=os.urandom
            )
        for rows in making.ranges(vault):
            with database.transaction() as session:
                services.add(session, making, rows)
            tell(len(rows))
        with database.transaction() as session:
            services.finish(session, making)
    return making.public_id


@boxcodes.command("print")
@click.argument("batch")
@new_file("--to", "file", required=True)
@force
@click.option("--language", type=click.Choice(["nl", "en"]), help="Of the labels.")
def print_batch(*, batch: str, file: Path, language: str | None) -> None:
    """Write the sheets of a batch as a PDF: A4, 24 labels of 70 by 37 mm."""
    settings = load_settings()
    with opened(settings) as database:
        with database.reading() as session:
            printing = _printing(session, batch, language)
        with (
            written(file, mode=AS_USUAL) as out,
            bar(printing.size, "Labels") as tell,
        ):
            labels.write(printing, out, tell=tell)
        with database.transaction() as session:
            services.printed(session, batch, now=clock.now())
    click.echo(f"{file}: {printing.size:,} labels on {printing.sheets:,} sheets")


@boxcodes.command()
@click.argument("batch")
def revoke(batch: str) -> None:
    """End a batch: the codes that were not played can be played no more."""
    with transaction() as (session, _):
        was_there = services.revoke(session, batch, now=clock.now())
    if not was_there:
        fail(f"there is no batch {batch!r} that could be revoked")
    click.echo("Revoked. What was won with its codes stays won.")


@boxcodes.command()
@click.option("--campaign", help="Only the batches of this campaign.")
def report(*, campaign: str | None) -> None:
    """Show what became of each batch."""
    with reading() as (session, _):
        found = boxreports.lines(session, campaign=campaign, now=clock.now())
    if not found:
        click.echo("No batches yet. Make one with: python -m server boxcodes create")
        return
    counts = ("codes", "printed", "opened", "played", "confirmed")
    head = "".join(f"  {name:>9}" for name in counts)
    click.echo(f"{'batch':12}  {'state':7}{head}  placement, name")
    for line in found:
        figures = (line.size, line.printed, line.opened, line.played, line.confirmed)
        row = "".join(f"  {figure:>9,}" for figure in figures)
        about = f"{line.placement}, {line.name}"
        click.echo(f"{line.public_id:12}  {line.state:7}{row}  {about}")


def _printing(session: Session, batch: str, language: str | None) -> Printing:
    settings = load_settings()
    try:
        sheets = services.sheets(session, batch, vault=Vault(settings.data_keys))
    except SealError as error:
        fail(f"the codes of {batch!r} cannot be read: {error}")
    if sheets is None:
        fail(f"there is no batch {batch!r}")
    campaign = campaigns.load(session, sheets.campaign)
    shop = campaigns.shop_named(session, campaign.shop) if campaign else None
    if campaign is None or shop is None:
        fail(f"the campaign of {batch!r} cannot be found")
    placed = next((p for p in campaign.placements if p.code == sheets.placement), None)
    own = placed.language if placed else None
    locale = campaign.language(language, own)
    logo = campaign.theme.logo or shop.logo
    return Printing(
        size=sheets.size,
        labels=sheets.labels,
        public_url=settings.public_url,
        shop=shop.name,
        title=campaign.texts[locale].title,
        locale=locale,
        logo=images.find(session, logo) if logo else None,
    )
