"""`ledger verify | export | key`: the proof of every yes, for an auditor (PR-05)."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import click
from sqlalchemy.orm import Session

from server import clock
from server.commands.base import (
    AS_USUAL,
    bar,
    fail,
    force,
    new_file,
    reading,
    standing_still,
    written,
)
from server.domain import ledger_file
from server.domain.ledger import (
    NO_ENTRY,
    PUBLIC_BYTES,
    Checkpoint,
    Notary,
    is_signed,
    key_id,
)
from server.domain.ledger_file import LONGEST_LINE, BrokenError
from server.services import ledger as ledgers
from server.services import ledger_audit
from server.services.ledger import Tip
from server.settings import load_settings

BROKEN = 1
# The bar costs more than a line.
AT_ONCE_BYTES = 1 << 20


@click.group()
def ledger() -> None:
    """The ledger of consents."""


@ledger.command()
@click.option("--shop", help="Only this shop's ledger.")
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="An exported ledger, instead of the database.",
)
@click.option("--key", "keys", multiple=True, help="The only public keys to trust.")
@click.option(
    "--kept",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Checkpoints that came by mail, a line each; they are of one shop.",
)
@click.pass_context
def verify(
    ctx: click.Context,
    shop: str | None,
    file: Path | None,
    keys: tuple[str, ...],
    kept: Path | None,
) -> None:
    """Check hashes, checkpoints and signatures; in the database, proofs and standings
    as well.

    Ends with 1 and names the first broken entry if there is one.
    """
    trusted = [_public(key) for key in keys]
    if kept and not shop and not file:
        fail("checkpoints are of one shop: name it with --shop")
    known = _kept(kept, trusted) if kept else []
    if file:
        if shop:
            fail("a file is of one shop; leave --shop or --file away")
        broken = _verify_file(file, trusted, known)
    else:
        broken = _verify_database(shop, trusted, known)
    if known and not broken:
        click.echo(f"{kept}: {len(known):,} checkpoints agree")
    if broken:
        click.echo(broken)
        ctx.exit(BROKEN)


@ledger.command()
@click.option("--shop", required=True, help="Whose ledger.")
@new_file("--to", "file", required=True)
@force
def export(shop: str, file: Path) -> None:
    """Write a shop's whole ledger to a file that anybody can verify."""
    with reading() as (session, settings):
        (tip,) = _tips(session, shop)
        keys = Notary(settings.ledger_keys).publics
        with written(file, mode=AS_USUAL) as out, bar(tip.size, "Entries") as step:
            for line in _lines(session, tip, keys):
                out.write(line)
                step(1)
    click.echo(f"{file}: {tip.size:,} entries of {shop}")


@ledger.command()
def key() -> None:
    """Show the public keys, oldest first: publish them where nobody can change both."""
    for name, public in Notary(load_settings().ledger_keys).publics.items():
        click.echo(f"{name}  {public.hex()}")


def _kept(file: Path, trusted: list[bytes]) -> list[Checkpoint]:
    """Return kept checkpoints; with keys, only what those have signed counts."""
    try:
        with file.open("rb") as lines:
            found = ledger_file.read_kept(lines)
    except OSError as error:
        fail(f"{file} cannot be read ({error.strerror})")
    except BrokenError as error:
        fail(f"{file}: {error}")
    for checkpoint, signature in found:
        if trusted and not any(
            is_signed(checkpoint, signature, key) for key in trusted
        ):
            fail(f"{file}: no key that is trusted signed {checkpoint.day}")
    return [checkpoint for checkpoint, _signature in found]


def _verify_file(
    file: Path, trusted: list[bytes], kept: list[Checkpoint]
) -> str | None:
    try:
        with file.open("rb") as lines, bar(file.stat().st_size, file.name) as step:
            report = ledger_file.verify(_pieces(lines, step), keys=trusted, kept=kept)
    except OSError as error:
        fail(f"{file} cannot be read ({error.strerror})")
    except BrokenError as error:
        return f"{file}: {error}"
    click.echo(f"{file}: {_said(report.covered)}")
    click.echo(f"  shop       {report.shop}")
    _tell(report.entries, report.covered, str(report.last or ""))
    click.echo(f"  last hash  {report.head.hex()}")
    for name in report.keys:
        click.echo(f"  key        {name}{'' if trusted else ', named by the file'}")
    return None


def _verify_database(
    shop: str | None, trusted: list[bytes], kept: list[Checkpoint]
) -> str | None:
    with standing_still() as (session, settings):
        keys = {key_id(each): each for each in trusted}
        keys = keys or Notary(settings.ledger_keys).publics
        for tip in _tips(session, shop):
            try:
                with bar(2 * ledger_audit.size(session, tip), tip.shop) as step:
                    whole = ledger_audit.verify(
                        session, tip, keys=keys, step=step, now=clock.now(), kept=kept
                    )
            except BrokenError as error:
                return f"{tip.shop}: {error}"
            click.echo(f"{whole.shop}: {_said(whole.covered)}")
            _tell(whole.entries, whole.covered, str(whole.last or ""))
            if whole.waiting:
                click.echo(f"  waiting    {whole.waiting:,} facts to be sealed")
    return None


def _pieces(lines: IO[bytes], step: Callable[[int], None]) -> Iterator[bytes]:
    """Yield lines, of which an endless one comes in pieces: it must fill no memory."""
    passed = 0
    while piece := lines.readline(LONGEST_LINE + 1):
        yield piece
        passed += len(piece)
        if passed >= AT_ONCE_BYTES:
            step(passed)
            passed = 0
    step(passed)


def _said(covered: int) -> str:
    # Whoever can write a file can write hashes that agree with it.
    return (
        "nothing was changed"
        if covered
        else "nothing is out of place, and nothing is signed yet"
    )


def _tell(entries: int, covered: int, last: str) -> None:
    click.echo(f"  entries    {entries:,}")
    click.echo(f"  signed     {covered:,}" + (f", on {last}" if last else ""))


def _tips(session: Session, shop: str | None) -> list[Tip]:
    found = [tip for tip in ledgers.tips(session) if shop in {None, tip.shop}]
    if shop and not found:
        fail(f"there is no shop {shop!r}")
    return found


def _lines(session: Session, tip: Tip, keys: dict[str, bytes]) -> Iterator[bytes]:
    """Yield an exported ledger; each checkpoint follows its last entry."""
    yield ledger_file.first_line(tip.shop, keys)
    signed = ledgers.checkpoints(session, tip.shop_id)
    due = {
        size: list(group)
        for size, group in itertools.groupby(signed, lambda one: one.checkpoint.size)
    }
    head = NO_ENTRY
    for entry in ledgers.entries(session, tip):
        yield ledger_file.line(entry.fact.entry(entry.seq, head))
        head = entry.hash
        for one in due.get(entry.seq, ()):
            yield ledger_file.checkpoint_line(one.checkpoint, one.signature)
    yield ledger_file.last_line(tip.size, head)


def _public(text: str) -> bytes:
    try:
        public = bytes.fromhex(text)
    except ValueError:
        public = b""
    if len(public) != PUBLIC_BYTES:
        fail(f"a public key is {PUBLIC_BYTES} bytes in hex; see: ledger key")
    return public
