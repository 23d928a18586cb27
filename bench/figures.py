"""A row of the table, and the turns from whose rounds it is made."""

import statistics
from dataclasses import asdict, dataclass
from typing import Any

from bench import load
from bench.load import Load
from bench.servers import Web

CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what, how much, and between which bounds it should lie.

    Without bounds it only informs.
    """

    what: str
    value: float
    must: float | None = None
    stretch: float | None = None
    unit: str = "x"
    is_ceiling: bool = False
    note: str = ""

    @property
    def shown(self) -> str:
        return f"{self.value:.2f}x" if self.unit == "x" else self._with_unit()

    def _with_unit(self) -> str:
        size = abs(self.value)
        digits = 0 if size == int(size) or size >= 100 else 1 if size >= 10 else 2
        digits = 4 if 0 < size < 0.01 else digits
        return f"{self.value:,.{digits}f} {self.unit}".rstrip()

    @property
    def must_shown(self) -> str:
        return self._bound(self.must)

    @property
    def stretch_shown(self) -> str:
        return self._bound(self.stretch)

    def _bound(self, bound: float | None) -> str:
        sign = "<=" if self.is_ceiling else ">="
        return "-" if bound is None else f"{sign} {bound:g}"

    @property
    def verdict(self) -> str:
        if self.must is None or self.stretch is None:
            return "-"
        if self._reaches(self.stretch):
            return "stretch"
        return "must" if self._reaches(self.must) else "MISSED"

    def _reaches(self, bound: float) -> bool:
        return self.value <= bound if self.is_ceiling else self.value >= bound

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"verdict": self.verdict}


class Turns:
    """The rounds of one side."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.loads: list[Load] = []
        self.cpu_ms: list[float] = []

    def take(
        self,
        server: Web,
        requests: list[bytes],
        expects: tuple[bytes, ...],
        *,
        keep: bool,
    ) -> None:
        """Run one round; a wrong answer ends the whole run."""
        before = server.cpu_s()
        done = load.run(server.port, requests, connections=CONNECTIONS, expects=expects)
        spent = server.cpu_s() - before
        if done.wrong:
            raise SystemExit(
                f"{self.name}: {done.wrong} of {len(requests)} went wrong; "
                + server.said()
            )
        if keep:
            self.loads.append(done)
            self.cpu_ms.append(spent * 1000 / len(requests))

    @property
    def per_second(self) -> float:
        """Return the median of the rounds."""
        return statistics.median(done.per_second for done in self.loads)

    @property
    def cpu(self) -> float:
        """Return the median of the rounds' milliseconds a request."""
        return statistics.median(self.cpu_ms)


def ratio(what: str, ours: Turns, bare: Turns, must: float, stretch: float) -> Figure:
    """Return how many requests a second one side takes against the other."""
    ratios = [
        one.per_second / other.per_second
        for one, other in zip(ours.loads, bare.loads, strict=True)
    ]
    note = (
        f"{ours.per_second:.0f} to {bare.per_second:.0f} a second; "
        f"CPU {ours.cpu:.2f} to {bare.cpu:.2f} ms"
    )
    return Figure(what, statistics.median(ratios), must, stretch, note=note)


def p99(what: str, ours: Turns, bare: Turns) -> Figure:
    """Return how the slowest hundredth compares."""
    ratios = [
        one.p99_ms / other.p99_ms
        for one, other in zip(ours.loads, bare.loads, strict=True)
    ]
    note = (
        f"{statistics.median(d.p99_ms for d in ours.loads):.0f} to "
        f"{statistics.median(d.p99_ms for d in bare.loads):.0f} ms"
    )
    return Figure(what, statistics.median(ratios), 2, 1.3, is_ceiling=True, note=note)
