"""What an entry costs when many have gone before it, with as many codes to win."""

import tomllib
from pathlib import Path
from typing import Any

from bench.figures import Figure, Turns
from bench.grown import Grower
from bench.servers import CAMPAIGNS, TICKS, Service
from bench.visitor import Visitor
from tests.servers import Postgres

FEW = 1_000
PLACEMENT = "growing"
# A pool of a thousand codes until it grows.
POOL = {"key": "mug", "kind": "voucher", "weight": 1, "stock": 1_000}
WORDS = {"label": "Mug", "claim": "Show the code at the till."}


def on_sqlite(
    folder: Path, *, entries: int, rounds: int, requests: int
) -> list[Figure]:
    """Compare an entry among a thousand with one among more and more."""
    few, many = _service(folder / "few"), _service(folder / "many")
    return _measure(
        few, many, "SQLite", entries=entries, rounds=rounds, requests=requests
    )


def on_postgresql(
    folder: Path, *, entries: int, rounds: int, requests: int
) -> list[Figure]:
    """The same on a cluster made for it; its own processor time counts as well."""
    cluster = Postgres()
    try:
        few = _service(folder / "few", cluster.create("few"))
        many = _service(folder / "many", cluster.create("many"))
        return _measure(
            few, many, "PostgreSQL", entries=entries, rounds=rounds, requests=requests
        )
    finally:
        cluster.stop()


class _Whole(Service):
    """A service whose cost is that of its database's processes as well."""

    def cpu_s(self) -> float:
        name = self.settings.database_url.rpartition("/")[2]
        mark = f": jawoord {name} ".encode()
        spent = 0
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "cmdline").read_bytes():
                    fields = (process / "stat").read_text().rpartition(")")[2].split()
                    spent += sum(map(int, fields[11:13]))
            except OSError:
                continue
        return super().cpu_s() + spent / TICKS


def _service(folder: Path, url: str | None = None) -> Service:
    return _Whole(folder, url=url, campaigns=[_campaign()])


def _campaign() -> dict[str, Any]:
    """Return a campaign in which everybody wins a code of one pool."""
    tables = tomllib.loads((CAMPAIGNS / "welcome-scratch.toml").read_text())
    nothing = next(prize for prize in tables["prizes"] if prize["kind"] == "none")
    pool = POOL | {"texts": dict.fromkeys(tables["languages"], WORDS)}
    return tables | {
        "code": PLACEMENT,
        "placements": [{"code": PLACEMENT, "shape": "inline"}],
        "prizes": [pool, nothing | {"weight": 0}],
        "fallback": nothing["key"],
    }


def _measure(
    few: Service, many: Service, name: str, *, entries: int, rounds: int, requests: int
) -> list[Figure]:
    try:
        return _compare(
            few, many, name, entries=entries, rounds=rounds, requests=requests
        )
    finally:
        few.stop()
        many.stop()


def _compare(
    few: Service, many: Service, name: str, *, entries: int, rounds: int, requests: int
) -> list[Figure]:
    at_few, at_many = Visitor(few, PLACEMENT), Visitor(many, PLACEMENT)
    steps = _steps(entries)
    grower = Grower(many.settings.database_url)
    for service, visitor in ((few, at_few), (many, at_many)):
        Turns(name).take(service, visitor.entries(100), (b"200",), keep=False)
        # Enough codes for all that will play here.
        spare = Grower(service.settings.database_url)
        spare.add_codes((rounds + 1) * requests * len(steps) + FEW)
        spare.add_entries(FEW)
        spare.settle()
    figures, there, left = [], FEW, 0
    for step in steps:
        grower.add_codes(step - there)
        before = grower.size()
        grower.add_entries(step - there)
        left += grower.size() - before
        there = step
        small, large = Turns("few"), Turns("many")
        for number in range(rounds + 1):
            for service, visitor, turns in (
                (few, at_few, small),
                (many, at_many, large),
            ):
                posts = visitor.entries(requests)
                turns.take(service, posts, (b"200",), keep=number > 0)
        figures.append(_figure(name, step, large, small))
    return [*figures, _bytes(name, left / (there - FEW))]


def _steps(entries: int) -> list[int]:
    """Return ten thousand and each ten times as much, up to `entries`."""
    steps, step = [], 10 * FEW
    while step < entries:
        steps.append(step)
        step *= 10
    return [*steps, entries]


def _figure(name: str, entries: int, large: Turns, small: Turns) -> Figure:
    return Figure(
        f"entry CPU, {entries:,} to {FEW:,} entries and codes, {name}",
        large.cpu / small.cpu,
        1.5,
        1.35,
        is_ceiling=True,
        note=(
            f"CPU {large.cpu:.2f} to {small.cpu:.2f} ms; "
            f"{large.per_second:.0f} to {small.per_second:.0f} a second"
        ),
    )


def _bytes(name: str, size: float) -> Figure:
    return Figure(
        f"bytes an entry, all its rows, {name}",
        size,
        1_536,
        1_024,
        unit="B",
        is_ceiling=True,
        note="growth of the database, mails delivered",
    )
