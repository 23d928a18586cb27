"""What a visitor asks of us, against the bare ceiling on one database."""

from dataclasses import replace
from pathlib import Path

from bench.figures import Figure, Turns, p99, ratio
from bench.servers import Service
from bench.visitor import Visitor
from tests.servers import Postgres


def on_sqlite(folder: Path, *, rounds: int, requests: int) -> list[Figure]:
    """Measure all paths of a visitor."""
    return _measure(folder, "SQLite", None, rounds=rounds, requests=requests)


def on_postgresql(folder: Path, *, rounds: int, requests: int) -> list[Figure]:
    """Measure the paths that write, on a cluster made for it."""
    cluster = Postgres()
    try:
        return _measure(folder, "PostgreSQL", cluster, rounds=rounds, requests=requests)
    finally:
        cluster.stop()


def _measure(
    folder: Path, name: str, cluster: Postgres | None, *, rounds: int, requests: int
) -> list[Figure]:
    def address(side: str) -> str | None:
        return cluster.create(side) if cluster else None

    bare = Service(
        folder / f"bare-{name}",
        url=address("bare"),
        app="bench.bare:create_app()",
        answers="/page",
    )
    ours = Service(folder / f"ours-{name}", url=address("ours"))
    try:
        return _compare(bare, ours, name, rounds=rounds, requests=requests)
    finally:
        bare.stop()
        ours.stop()


def _compare(
    bare: Service, ours: Service, name: str, *, rounds: int, requests: int
) -> list[Figure]:
    visitor = Visitor(ours)
    entry_bare, entry_ours = Turns("bare"), Turns("ours")
    at_once = Turns("bare, at once") if name == "PostgreSQL" else entry_bare
    page_bare, page_ours = Turns("page bare"), Turns("page ours")
    confirms, stops = Turns("confirm"), Turns("unsubscribe")
    centres = Turns("preferences")
    for number in range(rounds + 1):
        n = requests if number else 200
        keep = number > 0  # The first round only warms up.
        entry_bare.take(bare, visitor.bare_entries(n), (b"200",), keep=keep)
        if at_once is not entry_bare:
            posts = visitor.bare_entries(n, "/bare/at-once")
            at_once.take(bare, posts, (b"200",), keep=keep)
        entry_ours.take(ours, visitor.entries(n), (b"200",), keep=keep)
        confirms.take(ours, visitor.confirmations(n // 2), (b"303",), keep=keep)
        centres.take(ours, visitor.centres(), (b"200",), keep=keep)
        stops.take(ours, visitor.withdrawals(), (b"303",), keep=keep)
        if name == "SQLite":
            page_bare.take(bare, visitor.bare_pages(n), (b"200",), keep=keep)
            page_ours.take(ours, visitor.pages(n), (b"200",), keep=keep)
    must, stretch = (0.6, 0.8) if name == "SQLite" else (0.4, 0.7)
    figures = [
        # On PostgreSQL an entry is held to one statement; all else to bare.
        ratio(f"entry POST, {name}", entry_ours, at_once, must, stretch),
        p99(f"entry POST p99, {name}", entry_ours, at_once),
        # The design names no figure for the page; it is held to that of the press.
        *(
            _press(f"{what}, {name}", turns, entry_bare, at_once)
            for what, turns in (
                ("confirm POST", confirms),
                ("unsubscribe POST", stops),
                ("preference page GET", centres),
            )
        ),
    ]
    if name == "SQLite":
        figures.append(ratio("widget page GET", page_ours, page_bare, 1.2, 1.4))
    return figures


def _press(what: str, ours: Turns, bare: Turns, at_once: Turns) -> Figure:
    """Compare with a bare entry; the note says how it stands to one statement."""
    figure = ratio(what, ours, bare, 0.6, 0.9)
    if at_once is bare:
        return figure
    beside = ratio(what, ours, at_once, 0.6, 0.9)
    return replace(figure, note=f"{figure.note}; {beside.shown} of one statement")
