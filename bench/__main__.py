"""Measure against the budgets and print what came out.

    python -m bench [--only NAME ...] [--rounds 5] [--requests 1200] [--json FILE]
                    [--growth 1000000] [--peers]

Bare and ours take turns within one run; what counts is the median of the rounds'
ratios. A figure that misses its budget is printed as such; nothing fails.
"""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import (
    footprint,
    full,
    growth,
    host,
    mail,
    page,
    peer,
    scratch,
    servers,
    visits,
    weight,
    wheel,
)
from bench.figures import Figure

Group = Callable[[Path, argparse.Namespace], list[Figure]]

GROUPS: dict[str, Group] = {
    "weight": lambda folder, wish: weight.loader(),
    "sqlite": lambda folder, wish: visits.on_sqlite(
        folder, rounds=wish.rounds, requests=wish.requests
    ),
    "pg": lambda folder, wish: visits.on_postgresql(
        folder, rounds=wish.rounds, requests=wish.requests
    ),
    "full": lambda folder, wish: full.measure(
        folder, rounds=wish.rounds, requests=wish.requests
    ),
    "growth": lambda folder, wish: growth.on_sqlite(
        folder, entries=wish.growth, rounds=wish.rounds, requests=wish.requests // 3
    ),
    "growth-pg": lambda folder, wish: growth.on_postgresql(
        folder, entries=wish.growth, rounds=wish.rounds, requests=wish.requests // 3
    ),
    "worker": lambda folder, wish: mail.measure(folder, requests=wish.requests),
    "footprint": lambda folder, wish: footprint.measure(folder),
    "page": lambda folder, wish: page.measure(folder),
    "host": lambda folder, wish: host.measure(folder),
    "scratch": lambda folder, wish: scratch.measure(folder, with_peer=wish.peers),
    "wheel": lambda folder, wish: wheel.measure(folder, with_peer=wish.peers),
}
# They install other people's programs first, so only who asks gets them.
PEERS: dict[str, Group] = {
    "peers": lambda folder, wish: peer.measure(
        folder, rounds=wish.rounds, requests=wish.requests // 3
    ),
}


def main() -> None:
    """Run what was asked for, and print a table and JSON."""
    wish = _wish()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    figures: list[Figure] = []
    try:
        for figure in _measure(wish):
            figures.append(figure)
    finally:
        servers.stop_all()
        # What was measured before it was broken off is told as well.
        _print(figures)
    if wish.json:
        rows = [figure.as_json() for figure in figures]
        wish.json.write_text(json.dumps(rows, indent=1) + "\n")


def _measure(wish: argparse.Namespace) -> Iterator[Figure]:
    chosen = GROUPS | PEERS if wish.peers else GROUPS
    for name, group in chosen.items():
        if wish.only and name not in wish.only:
            continue
        print(f"measuring {name} ...", flush=True)
        with tempfile.TemporaryDirectory(prefix="jawoord-bench-") as folder:
            yield from group(Path(folder), wish)


def _wish() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--only", nargs="+", choices=GROUPS | PEERS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=1200)
    parser.add_argument("--growth", type=int, default=1_000_000, help="entries")
    parser.add_argument("--peers", action="store_true", help="install and measure")
    parser.add_argument("--json", type=Path)
    wish = parser.parse_args()
    wish.peers |= "peers" in (wish.only or ())
    return wish


def _print(figures: list[Figure]) -> None:
    width = max((len(figure.what) for figure in figures), default=0)
    print(f"\n{'what':{width}} {'measured':>11} {'must':>8} {'stretch':>8} verdict")
    for figure in figures:
        line = (
            f"{figure.what:{width}} {figure.shown:>11} {figure.must_shown:>8} "
            f"{figure.stretch_shown:>8} {figure.verdict:7} {figure.note}"
        )
        print(line.rstrip())


if __name__ == "__main__":
    main()
