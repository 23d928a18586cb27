"""`draw export | verify`: the public records of draws, to check them (PZ-08)."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from server import clock
from server.commands.base import AS_USUAL, fail, force, new_file, opened, written
from server.domain import chain, chance, raffle, raffle_record, transcript
from server.domain.chain import WrongLineError
from server.domain.seals import Vault
from server.services import transcripts
from server.settings import load_settings

WRONG = 1


@click.group()
def draw() -> None:
    """Draws, for everybody to check."""


@draw.command()
@click.argument("code")
@new_file("--to", "file", required=True)
@force
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
        with written(file, mode=AS_USUAL) as out:
            out.writelines(transcripts.lines(record, database.reading))
    click.echo(f"{file}: {record.days} days of {code}")


@draw.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_context
def verify(ctx: click.Context, file: Path) -> None:
    """Recompute every draw of a file, or its raffle, without a database or a network.

    Ends with 1 and names the first wrong line if there is one.
    """
    try:
        with file.open("rb") as lines:
            # In pieces, because one endless line must not fill the memory.
            longest = chain.LONGEST_LINE + 1
            first = lines.readline(longest)
            rest = iter(lambda: lines.readline(longest), b"")
            scheme = chain.scheme_of(first)
            check, tell = SCHEMES.get(scheme, SCHEMES[chance.SCHEME])
            report = check(itertools.chain([first], rest))
    except OSError as error:
        fail(f"{file} cannot be read ({error.strerror})")
    except WrongLineError as error:
        click.echo(f"{file}: {error}")
        ctx.exit(WRONG)
    click.echo(f"{file}: every line is right")
    tell(report)


def _tell(report: transcript.Report) -> None:
    promise = report.promise
    click.echo(f"  campaign   {promise.campaign}, {promise.epochs} days")
    click.echo(f"  checked    {report.plays:,} plays on {report.days} days")
    for prize, times in report.awarded.most_common():
        click.echo(f"    {times:>9,}  {prize}")
    click.echo(f"  anchor     {promise.anchor}")
    click.echo(f"  odds       {promise.table.digest()}")
    click.echo(f"  last hash  {report.head}")


def _tell_raffle(report: raffle_record.Report) -> None:
    promise = report.promise
    click.echo(f"  raffle     {promise.draw} of {promise.campaign}")
    if report.listed:
        click.echo(f"  checked    {report.listed.labels:,} labels")
        for reason, times in report.listed.excluded.items():
            click.echo(f"    {times:>9,}  left out: {reason}")
        click.echo(f"  list       {report.listed.digest.hex()}")
    if report.drawn:
        for label, prize in itertools.zip_longest(report.drawn.places, promise.units):
            if label:
                click.echo(f"    {label}  {prize or 'reserve'}")
    else:
        click.echo("  not drawn yet")
    click.echo(f"  promise    {promise.commitment.hex()}")
    click.echo(f"  last hash  {report.head}")


SCHEMES: dict[str, tuple[Callable[..., Any], Callable[..., None]]] = {
    chance.SCHEME: (transcript.verify, _tell),
    raffle.SCHEME: (raffle_record.verify, _tell_raffle),
}
