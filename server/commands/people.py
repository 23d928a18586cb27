"""Bring in a file of people: checked whole, then stored in batches (PR-08, SO-01)."""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import IO, NoReturn

import click
from sqlalchemy.exc import SQLAlchemyError

from server import clock
from server.commands.base import bar, fail, opened
from server.db import Database, DatabaseBusyError
from server.domain import people_file
from server.domain.claim import Claim, Outcome
from server.domain.consent import Act
from server.domain.people_file import Around, Shape
from server.domain.pool import Wrong
from server.services import campaigns, consent_imports, shops
from server.services.consent_imports import Batch, Result
from server.services.tools import Tools
from server.settings import load_settings
from server.tooling import tools_of

WRONG = 1
JSON = frozenset({".json", ".jsonl", ".ndjson"})
HASH_SHOWN = 16
WHY = {
    Outcome.DECIDED: "the person decided otherwise, later",
    Outcome.RESTRICTED: "the person had the use of their data restricted",
    Outcome.TOO_OLD: "the sale was too long ago",
    Outcome.NOT_ME: "suppressed: said that it was not them",
    Outcome.REFUSED: "suppressed: the address refuses mail",
    Outcome.NEVER: "suppressed: objected to direct marketing",
    Outcome.ERASED: "suppressed: was erased",
    Outcome.MOVED: "suppressed: has another address by now",
    Outcome.LOST: "the key of the person does not open",
}

STORED = {
    Act.GIVEN: "stored with their proof",
    Act.UNPROVEN: "stored without it: unproven, and never exported",
    Act.SOFT_OPT_IN: "stored as a soft opt-in",
}
NOT_STORED = {Outcome.KNOWN: "known already", **dict.fromkeys(WHY, "left out")}
Counts = Counter[str]


@dataclass(frozen=True, slots=True)
class Source:
    """A file, how to read it, and for which shop."""

    file: Path
    shape: Shape
    shop_id: int
    around: Around

    def read(self, body: IO[bytes]) -> Iterator[Claim | Wrong]:
        """Read the file from its beginning."""
        body.seek(0)
        # In pieces, because one endless line must not fill the memory.
        pieces = iter(partial(body.readline, people_file.LONGEST_LINE + 1), b"")
        is_json = self.file.suffix.lower() in JSON
        return people_file.read(pieces, self.shape, self.around, is_json=is_json)


def bring_in(file: Path, shape: Shape, *, shop: str, is_dry: bool) -> None:
    """Check a file whole and store it, or say what would become of each line."""
    settings = load_settings()
    tools = tools_of(settings)
    try:
        with file.open("rb") as body, opened(settings) as database:
            source = _source(database, file, shape, shop)
            rows = _check(source, body)
            _run(database, source, body, rows=rows, tools=tools, is_dry=is_dry)
    except OSError as error:
        fail(f"{file} cannot be read ({error.strerror})")


def _source(database: Database, file: Path, shape: Shape, shop: str) -> Source:
    with database.reading() as session:
        try:
            shop_id = shops.id_of(session, shop)
        except shops.UnknownShopError:
            fail(f"there is no shop {shop!r}")
        known = campaigns.shop_named(session, shop)
    language = known.language if known else "nl"
    around = Around(language, _texts(file.parent), clock.now())
    return Source(file, shape, shop_id, around)


def _texts(folder: Path) -> people_file.Texts:
    """Return what reads a text beside the file, and nothing from elsewhere."""

    @cache
    def read(name: str) -> str:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise ValueError(name)
        with path.open("rb") as body:
            whole = body.read(people_file.LONGEST_LINE + 1)
        if len(whole) > people_file.LONGEST_LINE:
            raise ValueError(name)
        return whole.decode()

    return read


def _check(source: Source, body: IO[bytes]) -> int:
    """Return how many rows the file has, or end with what is wrong with it."""
    rows, wrong = 0, []
    for each in source.read(body):
        if isinstance(each, Wrong):
            wrong.append(each)
        rows += 1
        if len(wrong) == people_file.MOST_NAMED:
            break
    if wrong:
        _refuse(source.file, wrong)
    return rows


def _refuse(file: Path, wrong: list[Wrong]) -> NoReturn:
    for one in wrong:
        click.echo(f"{file}: line {one.line}: {one.why}", err=True)
    if len(wrong) == people_file.MOST_NAMED:
        click.echo(f"{file}: there may be more; these are the first", err=True)
    click.echo("Nothing was stored.", err=True)
    sys.exit(WRONG)


def _run(
    database: Database,
    source: Source,
    body: IO[bytes],
    *,
    rows: int,
    tools: Tools,
    is_dry: bool,
) -> None:
    counted: Counts = Counter()
    found = consent_imports.batches(
        _claims(source, body), shop_id=source.shop_id, vault=tools.vault
    )
    try:
        with bar(rows, "Rows") as tell:
            for batch in found:
                now = clock.now()
                if is_dry:
                    with database.reading() as session:
                        results = consent_imports.look(session, batch, now=now)
                else:
                    with database.transaction() as session:
                        results = consent_imports.bring_in(
                            session, batch, tools=tools, now=now
                        )
                _tell(source.file, batch, results, counted)
                tell(len(results))
    except (SQLAlchemyError, DatabaseBusyError, OSError):
        _sum_up(counted, is_dry=is_dry)
        click.echo("It was cut short: run it again, and it goes on.", err=True)
        raise
    _sum_up(counted, is_dry=is_dry)


def _claims(source: Source, body: IO[bytes]) -> Iterator[Claim]:
    for each in source.read(body):
        if isinstance(each, Wrong):
            fail(f"{source.file}: line {each.line} was changed since it was checked")
        yield each


def _tell(file: Path, batch: Batch, results: list[Result], counted: Counts) -> None:
    """Count what became of each line, and name those that were left out."""
    for claim, result in zip(batch.claims, results, strict=True):
        is_stored = result.outcome is Outcome.STORED
        counted[STORED[claim.act] if is_stored else NOT_STORED[result.outcome]] += 1
        if why := WHY.get(result.outcome):
            who = result.email_hash.hex()[:HASH_SHOWN]
            click.echo(f"{file}: line {result.line}: {who} left out: {why}")


def _sum_up(counted: Counts, *, is_dry: bool) -> None:
    click.echo("Nothing is stored; it would be:" if is_dry else "Done:")
    for said, number in counted.items():
        click.echo(f"  {number:>9,}  {said}")
