"""`prize codes import | make` and `prize report`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import IO, NoReturn

import click

from server.commands.base import bar, fail, opened
from server.db import Database
from server.domain import codes as made
from server.domain import pool as rules
from server.domain.pool import Wrong
from server.domain.voucher import State
from server.services import pools, vouchers
from server.services.pools import Pool
from server.settings import load_settings

WRONG = 1


@click.group()
def prize() -> None:
    """Prizes and their codes."""


@prize.group()
def codes() -> None:
    """Codes that another system made."""


@codes.command("import")
@click.argument("campaign")
@click.argument("prize_key", metavar="PRIZE")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def import_codes(campaign: str, prize_key: str, file: Path) -> None:
    """Add a file of codes, one a line, to a prize of a draft: all of them or none."""
    settings = load_settings()
    try:
        with (
            file.open("rb") as body,
            _known_troubles(campaign, prize_key),
            opened(settings) as database,
        ):
            with database.transaction() as session:
                pool = pools.begin(session, campaign, prize_key, random=os.urandom)
            size = _bring_in(database, pool, body, file)
    except OSError as error:
        fail(f"{file} cannot be read ({error.strerror})")
    click.echo(f"{campaign} {prize_key}: {size:,} codes in the pool")


@codes.command("make")
@click.argument("campaign")
@click.argument("prize_key", metavar="PRIZE")
@click.option(
    "--number",
    type=click.IntRange(1, rules.MOST_CODES),
    required=True,
    help="How many.",
)
def make_codes(campaign: str, prize_key: str, number: int) -> None:
    """Add codes of our own making to a pool of a draft: all of them or none."""
    with (
        _known_troubles(campaign, prize_key),
        opened(load_settings()) as database,
        bar(number, "Codes") as tell,
    ):
        with database.transaction() as session:
            pool = pools.begin(session, campaign, prize_key, random=os.urandom)
        _sweep(database, pool)
        is_full = number > rules.MOST_CODES - pool.stock
        count = 0
        while count < number and not is_full:
            size = min(pools.RANGE, number - count)
            some = [made.make(os.urandom(8)) for _ in range(size)]
            with database.transaction() as session:
                pools.add(session, pool, some, after=count)
            count += size
            tell(size)
        held, doubles = (0, []) if is_full else _finish(database, pool, count)
        if is_full or doubles:
            _drop(database, pool)
            fail(
                f"a pool holds {rules.MOST_CODES:,} codes at most"
                if is_full
                else "chance made a code that the shop has already; run it again"
            )
    click.echo(f"{campaign} {prize_key}: {held:,} codes in the pool")


@contextmanager
def _known_troubles(campaign: str, prize_key: str) -> Iterator[None]:
    """End with one line where a pool cannot be filled."""
    try:
        yield
    except pools.NoPoolError:
        fail(f"{campaign!r} has no prize {prize_key!r} with pool = true")
    except pools.PublishedError:
        fail(f"{campaign!r} is published, and its stock is fixed with its odds")
    except pools.TakenOverError:
        fail("another import of this pool has begun; nothing of this one is stored")


def _bring_in(database: Database, pool: Pool, body: IO[bytes], file: Path) -> int:
    """Store a file and return the pool's size, or name what is wrong with it."""
    _sweep(database, pool)
    wrong = _wrong_lines(body, pool)
    count = size = 0
    if not wrong:
        body.seek(0)
        count, wrong = _store(database, pool, body)
    if not wrong:
        size, wrong = _finish(database, pool, count)
    if wrong:
        _drop(database, pool)
        _refuse(file, wrong)
    return size


def _wrong_lines(body: IO[bytes], pool: Pool) -> list[Wrong]:
    wrong = (one for one in _read(body, pool) if isinstance(one, Wrong))
    return list(islice(wrong, rules.MOST_NAMED))


def _read(body: IO[bytes], pool: Pool) -> Iterator[str | Wrong]:
    return rules.read(body.readline, room=rules.MOST_CODES - pool.stock)


def _store(database: Database, pool: Pool, body: IO[bytes]) -> tuple[int, list[Wrong]]:
    """Bring the codes in; a line that is wrong now was changed since it was read."""
    count, lines = 0, _read(body, pool)
    while some := list(islice(lines, pools.RANGE)):
        wrong = [one for one in some if isinstance(one, Wrong)]
        if wrong:
            return count, wrong
        good = [one for one in some if isinstance(one, str)]
        with database.transaction() as session:
            pools.add(session, pool, good, after=count)
        count += len(good)
    return count, []


def _finish(database: Database, pool: Pool, count: int) -> tuple[int, list[Wrong]]:
    """Let the codes count and return the pool's size, or name those there already.

    Looking through a million keeps no visitor waiting, so it is done beforehand, and
    again where a campaign with another code for everybody was saved meanwhile.
    """
    while True:
        with database.transaction() as session:
            shared = pools.shared_now(session, pool)
        with database.reading() as session:
            found = pools.doubles(session, pool, shared=shared, most=rules.MOST_NAMED)
        if found:
            return 0, [Wrong(one.number, _why_double(one)) for one in found]
        with suppress(pools.SharedMeanwhileError), database.transaction() as session:
            return pools.finish(session, pool, count=count, shared=shared), []


def _sweep(database: Database, pool: Pool) -> None:
    is_more = True
    while is_more:
        with database.transaction() as session:
            is_more = pools.sweep(session, pool) > 0


def _drop(database: Database, pool: Pool) -> None:
    _sweep(database, pool)
    with database.transaction() as session:
        pools.give_up(session, pool)


def _why_double(one: pools.Double) -> str:
    if one.other is not None:
        return f"is the same code as in line {one.other}"
    return f"is a code that {one.campaign!r} has already"


def _refuse(file: Path, wrong: list[Wrong]) -> NoReturn:
    for one in wrong:
        click.echo(f"{file}: line {one.line}: {one.why}", err=True)
    if len(wrong) == rules.MOST_NAMED:
        click.echo(f"{file}: there may be more; these are the first", err=True)
    click.echo("Nothing was stored.", err=True)
    sys.exit(WRONG)


@prize.command()
@click.argument("campaign")
def report(campaign: str) -> None:
    """Say where every prize of a campaign is: what was offered adds up (PZ-04)."""
    with opened(load_settings()) as database, database.reading() as session:
        found = vouchers.balance(session, campaign)
    if found is None:
        fail(f"there is no campaign {campaign!r}")
    for line in found:
        parts = ", ".join(
            f"{line.counts[state]:,} {state}" for state in State if line.counts[state]
        )
        offered = "no limit" if line.stock is None else f"{line.stock:,} offered"
        click.echo(f"{line.key}: {offered}: {parts or 'none yet'}")
        if line.is_importing:
            click.echo(f"{line.key}: an import of its codes has not ended")
        if line.missing:
            click.echo(f"{line.key}: {line.missing:,} units are missing", err=True)
    if any(line.missing for line in found):
        sys.exit(WRONG)
