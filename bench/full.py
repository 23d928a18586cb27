"""What it costs that a committed entry survives a power cut (SQLite)."""

from pathlib import Path

from bench.figures import Figure, Turns, ratio
from bench.servers import Service
from bench.visitor import Visitor


def measure(folder: Path, *, rounds: int, requests: int) -> list[Figure]:
    """Compare us, who write with `synchronous=FULL`, with us under `NORMAL`."""
    full = Service(folder / "full")
    normal = Service(folder / "normal", app="bench.normal:app")
    at_full, at_normal = Visitor(full), Visitor(normal)
    slow, fast = Turns("FULL"), Turns("NORMAL")
    try:
        for number in range(rounds + 1):
            n = requests if number else 200
            slow.take(full, at_full.entries(n), (b"200",), keep=number > 0)
            fast.take(normal, at_normal.entries(n), (b"200",), keep=number > 0)
    finally:
        full.stop()
        normal.stop()
    return [ratio("entry POST, FULL to NORMAL", slow, fast, 0.8, 0.8)]
