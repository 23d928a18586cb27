"""`draw export | verify`: the public record of a campaign's draws (PZ-08)."""

from pathlib import Path

import click

from server import clock
from server.commands.base import fail, opened
from server.domain import transcript
from server.domain.seals import Vault
from server.domain.transcript import Report, WrongLineError
from server.services import transcripts
from server.settings import load_settings

WRONG = 1


@click.group()
def draw() -> None:
    """Draws, for everybody to check."""


@draw.command()
@click.argument("code")
@click.option(
    "--to", "file", type=click.Path(path_type=Path, dir_okay=False), required=True
)
def export(code: str, file: Path) -> None:
    """Write every draw of a campaign to a file, up to the last day that is over."""
    settings = load_settings()
    with opened(settings) as database:
        with database.reading() as session:
            record = transcripts.find(
                session, code, vault=Vault(settings.data_keys), now=clock.now()
            )
        if record is None:
            fail(f"there is no campaign {code!r} with draws to publish")
        try:
            with file.open("wb") as out:
                out.writelines(transcripts.lines(record, database.reading))
        except OSError as error:
            fail(f"{file} cannot be written ({error.strerror})")
    click.echo(f"{file}: {record.days} days of {code}")


@draw.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_context
def verify(ctx: click.Context, file: Path) -> None:
    """Recompute every draw of a file, without a database or a network.

    Ends with 1 and names the first wrong line if there is one.
    """
    try:
        with file.open("rb") as lines:
            # In pieces, because one endless line must not fill the memory.
            longest = transcript.LONGEST_LINE + 1
            report = transcript.verify(iter(lambda: lines.readline(longest), b""))
    except OSError as error:
        fail(f"{file} cannot be read ({error.strerror})")
    except WrongLineError as error:
        click.echo(f"{file}: {error}")
        ctx.exit(WRONG)
    _tell(file, report)


def _tell(file: Path, report: Report) -> None:
    promise = report.promise
    click.echo(f"{file}: every line is right")
    click.echo(f"  campaign   {promise.campaign}, {promise.epochs} days")
    click.echo(f"  checked    {report.plays:,} plays on {report.days} days")
    for prize, times in report.awarded.most_common():
        click.echo(f"    {times:>9,}  {prize}")
    click.echo(f"  anchor     {promise.anchor}")
    click.echo(f"  odds       {promise.table.digest()}")
    click.echo(f"  last hash  {report.head}")
