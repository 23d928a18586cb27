"""What the web server takes from the machine, and how it bears a crowd."""

import statistics
import time
from pathlib import Path

from bench import load
from bench.figures import Figure
from bench.servers import Serve, Service
from bench.visitor import Visitor

STARTS = 5
CROWD = 256
# 1.2 times what django-newsletter took where it was measured.
MOST_MB = 127


def measure(folder: Path) -> list[Figure]:
    """Measure start, memory and a crowd."""
    starts, memory = [], 0.0
    for number in range(STARTS):
        took, memory = _start(folder / f"start-{number}")
        starts.append(took)
    return [
        Figure(
            "start of `serve` to the first answer",
            statistics.median(starts),
            1,
            1,
            unit="s",
            is_ceiling=True,
            note=f"2 processes; {min(starts):.2f} to {max(starts):.2f} s",
        ),
        Figure(
            "memory of `serve`, idle (PSS)",
            memory,
            MOST_MB,
            MOST_MB,
            unit="MB",
            is_ceiling=True,
            note="master and 2 processes of 8 threads",
        ),
        _crowd(folder / "crowd"),
    ]


def _start(folder: Path) -> tuple[float, float]:
    web = Serve(folder)
    try:
        time.sleep(1.5)
        return web.took_s, web.memory_mb()
    finally:
        web.stop()


def _crowd(folder: Path) -> Figure:
    service = Service(folder)
    try:
        posts = Visitor(service).entries(4 * CROWD)
        done = load.run(service.port, posts, connections=CROWD, expects=(b"200",))
    finally:
        service.stop()
    return Figure(
        f"errors at {CROWD} connections",
        done.wrong,
        0,
        0,
        unit="",
        is_ceiling=True,
        note=f"{len(posts):,} entries, {done.per_second:.0f} a second, "
        f"p99 {done.p99_ms:.0f} ms",
    )
