"""What an entry costs when many have gone before it (SQLite)."""

import sqlite3
from pathlib import Path

from bench.figures import Figure, Turns
from bench.grown import grow
from bench.servers import Service
from bench.visitor import Visitor

FEW = 1_000


def measure(folder: Path, *, entries: int, rounds: int, requests: int) -> list[Figure]:
    """Compare the CPU of an entry at a thousand rows and at many."""
    few, many = Service(folder / "few"), Service(folder / "many")
    try:
        at_few, at_many = Visitor(few), Visitor(many)
        small, large = Turns("few"), Turns("many")
        for service, visitor, turns, number in (
            (few, at_few, small, FEW),
            (many, at_many, large, entries),
        ):
            turns.take(service, visitor.entries(200), (b"200",), keep=False)
            grow(_file(service), number)
        a_row_set = _size(_file(many)) / entries
        for number in range(rounds + 1):
            for service, visitor, turns in (
                (few, at_few, small),
                (many, at_many, large),
            ):
                posts = visitor.entries(requests)
                turns.take(service, posts, (b"200",), keep=number > 0)
    finally:
        few.stop()
        many.stop()
    note = f"CPU {large.cpu:.2f} to {small.cpu:.2f} ms; {_memo(large, small)}"
    return [
        Figure(
            f"entry CPU, {entries:,} to {FEW:,} entries",
            large.cpu / small.cpu,
            1.5,
            1.35,
            is_ceiling=True,
            note=note,
        ),
        Figure(
            "bytes an entry, all its rows",
            a_row_set,
            1_536,
            1_024,
            unit="B",
            is_ceiling=True,
            note="file growth, mails delivered",
        ),
    ]


def _memo(large: Turns, small: Turns) -> str:
    return f"{large.per_second:.0f} to {small.per_second:.0f} a second"


def _file(service: Service) -> Path:
    return Path(service.settings.database_url.removeprefix("sqlite:///"))


def _size(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path.stat().st_size
