"""`outbox list | retry`."""

import click

from server import clock
from server.commands.base import fail, transaction
from server.services import outbox

MOST_ROWS = 100
# What both databases can hold as an id.
MOST_ID = 2**63 - 1


@click.group("outbox")
def outbox_commands() -> None:
    """The mails that wait."""


@outbox_commands.command("list")
@click.option(
    "--state",
    type=click.Choice(outbox.STATES),
    help="Only mails in this state.",
)
def list_outbox(state: str | None) -> None:
    """List the newest mails, without what they say or to whom."""
    now = clock.now()
    with transaction() as (session, _):
        rows = outbox.newest(session, state=state, most=MOST_ROWS)
    click.echo(
        f"{'id':>8}  {'state':9}  {'letter':8}  {'tries':>5}  made or due / last answer"
    )
    for row in rows:
        made = row.created_at.isoformat(sep=" ", timespec="seconds")
        # What is held back has the day on which it goes as its own.
        if row.created_at > now:
            made = f"due {made}"
        click.echo(
            f"{row.id:>8}  {row.state:9}  {row.letter:8}  {row.attempts:>5}  {made}"
            f"  {row.answer or ''}"
        )


@outbox_commands.command("retry")
@click.argument("outbox_id", type=click.IntRange(1, MOST_ID), required=False)
@click.option("--all-dead", is_flag=True, help="Every dead letter.")
def retry_outbox(outbox_id: int | None, *, all_dead: bool) -> None:
    """Let dead letters be tried again."""
    if (outbox_id is None) is not all_dead:
        fail("name one mail by its id, or give --all-dead")
    with transaction() as (session, _):
        ids = outbox.dead(session) if outbox_id is None else [outbox_id]
        count = sum(
            outbox.revive(session, one, shop_id=None, now=clock.now()) for one in ids
        )
    if outbox_id is not None and not count:
        fail(f"mail {outbox_id} is not a dead letter")
    click.echo(f"{count} to be tried again")
