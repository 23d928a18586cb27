"""`keys status | rotate | give-up`: data keys in use, the newest, and a lost one."""

import os
import sys
from collections import Counter

import click

from server import clock
from server.commands.base import bar, fail, opened, reading
from server.db import Database
from server.domain.seals import Vault
from server.services import lost_keys, rotations
from server.services.rotations import KINDS, Kind
from server.settings import load_settings
from server.tooling import tools_of

# Who holds a row lets go of it soon.
MOST_ROUNDS = 5
MISPLACED = (
    "it did not make the hashes by which people are found, and who was erased is kept "
    "away; put the first key that this database ever had back in front"
)


@click.group()
def keys() -> None:
    """The data keys, which seal what is about people."""


@keys.command()
def status() -> None:
    """Show how much is sealed under which data key, and which may go."""
    with reading() as (session, settings):
        vault = Vault(settings.data_keys)
        found = {kind.name: rotations.counts(session, kind) for kind in KINDS}
        is_in_place = rotations.is_first_in_place(session, vault=vault)
    total = sum(found.values(), Counter[bytes]())
    known = vault.key_ids
    for number, key_id in enumerate(known, 1):
        what = ", ".join(
            f"{counted[key_id]:,} {name}"
            for name, counted in found.items()
            if counted[key_id]
        )
        click.echo(
            f"key {number} of {len(known)}  {key_id.hex()}  {what or 'nothing'}"
            f"{_advice(number, len(known), total[key_id])}"
        )
    strangers = {key: n for key, n in total.items() if key not in known}
    for key_id, number in sorted(strangers.items()):
        click.echo(f"NOT at hand    {key_id.hex()}  {number:,} rows cannot be opened")
    if not is_in_place:
        click.echo(f"NOT in place   key 1: {MISPLACED}")
    sys.exit(1 if strangers or not is_in_place else 0)


def _advice(number: int, of: int, used: int) -> str:
    if number == of:
        return "; seals what is new"
    if number == 1:
        return "; makes the hashes by which people are found: never drop it"
    return "" if used else "; may be dropped"


@keys.command()
def rotate() -> None:
    """Seal the keys of people, and what else the data keys seal, under the newest.

    Add the new key at the end of the list and start every process anew first. The
    service may go on meanwhile; what was stopped half-way is simply run again.
    """
    settings = load_settings()
    vault, lost, left = Vault(settings.data_keys), 0, 0
    with opened(settings) as database:
        with database.reading() as session:
            if not rotations.is_first_in_place(session, vault=vault):
                fail(f"key 1 is not in its place: {MISPLACED}")
        for kind in KINDS:
            rewrapped, missed = _rotate(database, kind, vault)
            lost += missed
            with database.reading() as session:
                left += rotations.due(session, kind, vault=vault)
            if rewrapped:
                click.echo(f"{rewrapped:>10,}  {kind.name}")
    if not left:
        click.echo("All is under the newest key.")
        return
    click.echo(
        f"{left:,} rows are not: {lost:,} cannot be opened with the keys at hand, "
        f"{left - lost:,} were in use; run it again, and see: python -m server keys "
        "status",
        err=True,
    )
    sys.exit(1)


@keys.command("give-up")
@click.option("--yes", "is_sure", is_flag=True, help="Do it; else it only says so.")
def give_up(*, is_sure: bool) -> None:
    """Let go of everybody whose key does not open, because it is lost for good.

    What stands of them ends as by an erasure. A key that is put back later opens
    nothing of theirs any more.
    """
    if not is_sure:
        fail("this cannot be undone; look for the key first, then run it with --yes")
    settings = load_settings()
    tools, done, after = tools_of(settings), 0, 0
    with opened(settings) as database:
        while True:
            with database.transaction() as session:
                some, following = lost_keys.give_up(
                    session, after=after, tools=tools, now=clock.now()
                )
            done += some
            if following is None:
                break
            after = following
    click.echo(f"{done:,} people were given up.")


def _rotate(database: Database, kind: Kind, vault: Vault) -> tuple[int, int]:
    """Return how many rows of a kind are done, and how many cannot be."""
    rewrapped = lost = 0
    for _ in range(MOST_ROUNDS):
        with database.reading() as session:
            waiting = rotations.due(session, kind, vault=vault)
        if waiting == lost:
            break
        lost = 0
        with bar(waiting, kind.name) as step:
            after = None
            while True:
                with database.transaction() as session:
                    done = rotations.rewrap(
                        session, kind, after=after, vault=vault, random=os.urandom
                    )
                if done is None:
                    break
                after, lost = done.after, lost + done.lost
                rewrapped += done.rewrapped
                step(done.rewrapped + done.lost)
    return rewrapped, lost
