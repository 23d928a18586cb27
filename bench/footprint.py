"""What the web server takes from the machine, and how it bears a crowd."""

import os
import statistics
import sys
import time
from pathlib import Path

from bench import load
from bench.figures import Figure
from bench.servers import Group, Service, environment, fill, is_up
from bench.visitor import Visitor
from tests.servers import ROOT, free_port

STARTS = 5
CROWD = 256
PATIENCE_S = 30
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
    folder.mkdir()
    port = free_port()
    environ = environment(folder, port)
    fill(environ)
    began = time.perf_counter()
    web = Group(
        [sys.executable, "-m", "server", "serve"],
        log=folder / "log",
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environ},
    )
    try:
        while not is_up(port, "/healthz"):
            if time.perf_counter() - began > PATIENCE_S:
                raise SystemExit(f"serve did not start; {web.said()}")
            time.sleep(0.005)
        took = time.perf_counter() - began
        time.sleep(1.5)
        return took, web.memory_mb()
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
