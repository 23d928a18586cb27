"""`python -m server COMMAND`: what an operator does.

The processes are here; what works on rows and files is in `server/commands/`. A
failure that we know is one line on stderr that says what to do, and code 2.
"""

import logging
import os
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

from server import assets as assets_of
from server import log, showroom, web, worker
from server.commands import (
    audience,
    boxcodes,
    campaign,
    consents,
    device,
    doctor,
    draw,
    forecast,
    keys,
    ledger,
    member,
    outbox,
    prize,
    qr,
    raffle,
    retention,
    shop,
    softoptin,
    suppression,
    voucher,
    webhook,
)
from server.commands.base import bar, database_trouble, fail, opened
from server.db import DatabaseBusyError, NotCompactedError
from server.migrations import KeysError, OutdatedError, migrate
from server.settings import SettingError, load_settings
from server.translations import compile_all

ROOT = Path(__file__).parent.parent


# What says itself, in one line, what a person can do.
KNOWN = (
    SettingError,
    OutdatedError,
    KeysError,
    NotCompactedError,
    assets_of.AssetError,
    showroom.EndedError,
)


class _Commands(click.Group):
    """Turns the failures we know into one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KNOWN as error:
            fail(str(error))
        except DatabaseBusyError:
            fail("the database is busy; try again in a moment")
        except SQLAlchemyError as error:
            fail(database_trouble(error))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Jawoord: play, say yes, prove it."""


@main.command()
def serve() -> None:
    """Serve visitors and the office."""
    log.configure()
    web.run(load_settings())


@main.command("worker")
def work() -> None:
    """Send the mails that wait, and close what is over."""
    log.configure()
    worker.run(load_settings())


@main.command()
def init() -> None:
    """Make keys and tables, or bring the tables up to date."""
    settings = load_settings()
    with opened(settings) as database:
        migrate(database, data_keys=settings.data_keys, bar=bar)
    click.echo(f"Ready: keys in {settings.instance}, tables up to date.")


@main.command()
def demo() -> None:
    """Start a demo shop with everything it needs, on this machine."""
    # What it prints is for a person; its processes have logs of their own.
    log.configure(level=logging.WARNING)
    environ = showroom.environment(dict(os.environ))
    showroom.Demo(environ, load_settings(environ)).run(click.echo)


@main.command()
def assets() -> None:
    """Build what browsers get, and the translations."""
    built = assets_of.build(ROOT)
    size = sum(len(file.brotli) for file in built.values())
    click.echo(f"{len(built):>8,}  files, {size:,} bytes of brotli")
    for locale, count in compile_all().items():
        click.echo(f"{count:>8,}  texts in {locale}")


for part in (
    shop.shop,
    voucher.voucher,
    campaign.campaign,
    draw.draw,
    raffle.raffle,
    forecast.forecast_command,
    member.member,
    device.device,
    qr.qr,
    boxcodes.boxcodes,
    outbox.outbox_commands,
    ledger.ledger,
    consents.consents,
    audience.audience,
    softoptin.softoptin,
    retention.retention,
    suppression.suppression,
    webhook.webhook,
    prize.prize,
    keys.keys,
    doctor.doctor,
):
    main.add_command(part)

if __name__ == "__main__":
    main(prog_name="python -m server")
