"""`raffle show | exclude | draw | contacted | export`."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from server import clock
from server.commands.base import (
    AS_USUAL,
    fail,
    force,
    new_file,
    reading,
    transaction,
    written,
)
from server.domain import raffle as rules
from server.domain.seals import Vault
from server.domain.voucher import LONGEST_NOTE
from server.services import raffle_records, raffles
from server.services.campaigns import Directory
from server.services.office import raffles as pages
from server.services.raffles import Known

OPERATOR = "operator"


@click.group()
def raffle() -> None:
    """Draws after a campaign has closed: how they stand, and what a person decides."""


def of_campaign(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command name a campaign, and which of its raffles if it has several."""
    key = click.option("--raffle", "key", help="Its key, if there are several.")
    return click.argument("code")(key(command))


@raffle.command()
@of_campaign
def show(code: str, key: str | None) -> None:
    """Show how a raffle stands: list, draw, winners and the balance of its prizes."""
    with reading() as (session, settings):
        found = _find(session, code, key)
        record = raffle_records.find(session, found.code, found.key)
        if record is None:
            fail(f"{code} is not published yet")
        vault = Vault(settings.data_keys)
        drawn = pages.standings(session, found, directory=Directory(vault), vault=vault)
    click.echo(f"{found.code} {found.key}: {found.state}")
    click.echo(f"  draws       {_moment(record.promise.at)}")
    if record.promise.randomness:
        click.echo(f"  waits for   {record.promise.randomness}")
    click.echo(f"  commitment  {record.promise.commitment.hex()}")
    if record.listed:
        out = "".join(f", {n} {reason}" for reason, n in record.listed.excluded.items())
        click.echo(f"  list        {record.listed.labels:,} labels{out}")
        click.echo(f"              {record.listed.digest.hex()}")
    for one in drawn:
        prize = f"  {one.prize}" if one.prize else ""
        click.echo(f"    {one.number:>5}  {one.label}  {one.state}{prize}")
        for step in one.steps:
            by = f" by {step.by}" if step.by else ""
            note = f": {step.note}" if step.note else ""
            click.echo(f"           {_moment(step.at)}  {step.step}{by}{note}")
    told = record.balance
    click.echo(
        f"  balance     {told.offered} promised = {told.claimed} claimed + "
        f"{told.waiting} waiting + {told.unawarded} nobody was left for"
    )


@raffle.command()
@of_campaign
@click.option("--label", required=True, help="The entry's label: e_...")
@click.option("--why", required=True, help="The reason, which is kept.")
def exclude(code: str, key: str | None, *, label: str, why: str) -> None:
    """Leave an entry out, before the list is made."""
    _check_note(why)
    with transaction() as (session, settings):
        found = _find(session, code, key)
        try:
            is_new = raffles.exclude(
                session,
                found,
                label,
                why=why.strip(),
                by=OPERATOR,
                directory=Directory(Vault(settings.data_keys)),
                now=clock.now(),
            )
        except raffles.UnknownLabelError:
            fail(f"nobody takes part in {code} with {label!r}")
        except raffles.ClosedError:
            fail("the list is closed: nobody can be left out any more")
    click.echo(f"{label} is left out." if is_new else f"{label} was left out before.")


@raffle.command()
@of_campaign
@click.option("--randomness", "told", required=True, help="The public number, in hex.")
def draw(code: str, key: str | None, *, told: str) -> None:
    """Give the public number that a draw waits for; the worker then draws."""
    try:
        value = bytes.fromhex(told)
    except ValueError:
        fail("the number is written in hex: two of 0-9 a-f for each byte")
    if not 0 < len(value) <= rules.LONGEST_RANDOMNESS:
        fail(f"the number has 1 to {rules.LONGEST_RANDOMNESS} bytes")
    with transaction() as (session, _settings):
        found = _find(session, code, key)
        try:
            raffles.tell_randomness(session, found, value)
        except raffles.NotAwaitedError:
            fail(f"the raffle {found.key} of {code} waits for no number now")
    click.echo(f"{found.code} {found.key} is drawn with {value.hex()}.")


@raffle.command()
@of_campaign
@click.option("--label", required=True, help="The winner's label: e_...")
@click.option("--note", "said", required=True, help="How, and what came of it.")
def contacted(code: str, key: str | None, *, label: str, said: str) -> None:
    """Keep that somebody tried to reach a winner (PZ-13)."""
    _check_note(said)
    with transaction() as (session, settings):
        vault = Vault(settings.data_keys)
        found = _find(session, code, key)
        is_kept = pages.note_contact(
            session,
            found,
            label,
            said=said.strip(),
            by=OPERATOR,
            directory=Directory(vault),
            vault=vault,
            now=clock.now(),
        )
        if not is_kept:
            fail(f"{label!r} has won nothing in {code}")
    click.echo("Kept.")


@raffle.command()
@of_campaign
@new_file("--to", "file", required=True)
@force
def export(code: str, key: str | None, *, file: Path) -> None:
    """Write the public record of a raffle to a file, as far as it has come."""
    with reading() as (session, _settings):
        found = _find(session, code, key)
        record = raffle_records.find(session, found.code, found.key)
        if record is None:
            fail(f"{code} is not published yet")
        with written(file, mode=AS_USUAL) as out:
            out.writelines(raffle_records.lines(session, record))
    click.echo(f"{file}: the raffle {found.key} of {found.code}, {found.state}")


def _find(session: Session, code: str, key: str | None) -> Known:
    found = raffles.find(session, code, key)
    if found is None:
        named = f" {key!r}" if key else ""
        fail(f"{code!r} has no raffle{named}, or several: name one with --raffle")
    return found


def _check_note(text: str) -> None:
    if not 0 < len(text.strip()) <= LONGEST_NOTE:
        fail(f"say it in 1 to {LONGEST_NOTE} characters")


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
