"""Measure against the budgets of DESIGN.md section 8 and print what came out.

    python -m bench [--rounds 5] [--requests 1200] [--json FILE] [--only NAME ...]

Bare and ours take turns within one run; what counts is the median of the rounds'
ratios. A figure that misses its budget is printed as such; nothing fails.
"""

import argparse
import json
import tempfile
from pathlib import Path

from bench import measures
from bench.measures import Figure
from tests.servers import Postgres


def main() -> None:
    """Run what was asked for, and print a table and JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=1200)
    parser.add_argument("--json", type=Path)
    parser.add_argument(
        "--only", nargs="*", default=[], choices=["sqlite", "pg", "page"]
    )
    wanted = parser.parse_args()
    figures: list[Figure] = list(measures.loader())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not wanted.only or {"sqlite", "page"} & set(wanted.only):
            figures += measures.service(
                folder, "SQLite", None, rounds=wanted.rounds, requests=wanted.requests
            )
        if not wanted.only or "pg" in wanted.only:
            cluster = Postgres()
            try:
                figures += measures.service(
                    folder,
                    "PostgreSQL",
                    cluster,
                    rounds=wanted.rounds,
                    requests=wanted.requests,
                )
            finally:
                cluster.stop()
    _print(figures)
    if wanted.json:
        rows = [figure.as_json() for figure in figures]
        wanted.json.write_text(json.dumps(rows, indent=1) + "\n")


def _print(figures: list[Figure]) -> None:
    width = max(len(figure.what) for figure in figures)
    print(f"\n{'what':{width}}  {'measured':>12}  {'must':>9}  {'stretch':>9}  verdict")
    for figure in figures:
        print(
            f"{figure.what:{width}}  {figure.shown:>12}  {figure.must_shown:>9}  "
            f"{figure.stretch_shown:>9}  {figure.verdict}  {figure.note}"
        )


if __name__ == "__main__":
    main()
