"""`audience export`: who may be named to an advertising platform (AD-01 to AD-04)."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, TypeVar

import click
from sqlalchemy.orm import Session

from server import clock
from server.commands.base import fail, force, new_file, opened, tell_lost, written
from server.db import Database
from server.domain.audience import COLUMNS, PLATFORMS, Platform, row
from server.domain.seals import Vault
from server.domain.spreadsheet import csv_line
from server.services import audiences, shops
from server.services.audiences import RANGE, Audience, Member
from server.services.tools import Tools
from server.settings import load_settings
from server.tooling import tools_of

T = TypeVar("T")
# Reads a range after a row, and says after which the next one begins.
Page = Callable[[Session, int], tuple[list[T], int | None]]


@click.group()
def audience() -> None:
    """Audiences at advertising platforms."""


@audience.command()
@click.option("--shop", required=True, help="The shop's code.")
@click.option("--platform", type=click.Choice(PLATFORMS), required=True)
@new_file("-o", "--to", "file", required=True)
@force
def export(*, shop: str, platform: Platform, file: Path) -> None:
    """Write who must be removed from an audience, and who is in it today.

    Hand every file to the platform: a removal is told once.
    """
    settings = load_settings()
    tools, lost = tools_of(settings), list[int]()
    with opened(settings) as database:
        of = _audience(database, shop, platform)
        with written(file) as out:
            lines = _Lines(out)
            lines.write(*COLUMNS[platform])
            removed, blocked = _write_removals(
                database, of, lines, lost, vault=tools.vault
            )
            added = _write_members(database, of, lines, blocked, lost, tools=tools)
        # Not before the file is there: what nobody was told is told by the next one.
        for first in range(0, len(removed), RANGE):
            with database.transaction() as session:
                some = removed[first : first + RANGE]
                audiences.told(session, some, now=clock.now())
    if not of.uses:
        click.echo(f"no campaign of {shop} asks whether it may share with {platform}")
    click.echo(
        f"{file}: {added:,} to add, {len(removed):,} to remove, "
        f"SHA-256 {lines.digest.hexdigest()}"
    )
    tell_lost(len(set(lost)))


def _audience(database: Database, shop: str, platform: Platform) -> Audience:
    with database.reading() as session:
        try:
            shop_id = shops.id_of(session, shop)
        except shops.UnknownShopError:
            fail(f"there is no shop {shop!r}")
        return audiences.audience(session, shop_id, platform)


def _write_removals(
    database: Database,
    of: Audience,
    lines: "_Lines",
    lost: list[int],
    *,
    vault: Vault,
) -> tuple[list[int], set[str]]:
    """Write who has to go; return their rows, and every hash that a no is known of.

    Two addresses can be one mailbox to a platform, and two people can have told one
    number. The one that was said no to wins.
    """
    removed: list[int] = []
    blocked: set[str] = set()

    def page(session: Session, after: int) -> tuple[list[audiences.Known], int | None]:
        return audiences.known(
            session, of, after=after, vault=vault, now=clock.now(), lost=lost
        )

    for one in _each(database, page):
        if not one.may_stay:
            blocked.add(one.hashed)
        if one.is_due:
            removed.append(one.id)
            lines.write(*row(of.platform, "remove", {one.kind: one.hashed}, ()))
    return removed, blocked


def _write_members(
    database: Database,
    of: Audience,
    lines: "_Lines",
    blocked: set[str],
    lost: list[int],
    *,
    tools: Tools,
) -> int:
    """Write who is in it, each noted before; return how many."""
    count, after = 0, 0
    while True:
        with database.transaction() as session:
            now = clock.now()
            found, following = audiences.members(
                session, of, after=after, vault=tools.vault, now=now, lost=lost
            )
            some = [
                _without(member, blocked)
                for member in found
                if member.hashes["email"] not in blocked
            ]
            audiences.track(session, of, some, tools=tools, now=now)
        for member in some:
            lines.write(*row(of.platform, "add", member.hashes, member.active))
        count += len(some)
        if following is None:
            return count
        after = following


def _without(member: Member, blocked: set[str]) -> Member:
    """Return somebody without a number that a no is known of; the address stays."""
    kept = {
        kind: digest for kind, digest in member.hashes.items() if digest not in blocked
    }
    return replace(member, hashes=kept)


def _each(database: Database, page: Page[T]) -> Iterator[T]:
    after: int | None = 0
    while after is not None:
        with database.reading() as session:
            some, after = page(session, after)
        yield from some


class _Lines:
    """A file in the making, and what it hashes to."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self.digest = hashlib.sha256()

    def write(self, *cells: str) -> None:
        line = csv_line(cells)
        self.digest.update(line)
        self._out.write(line)
