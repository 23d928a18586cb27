"""How fast the worker hands its mails in, and at what cost."""

import os
import sys
import time
from pathlib import Path

from bench import load
from bench.figures import CONNECTIONS, Figure
from bench.servers import Group, Service
from bench.sink import Sink
from bench.visitor import Visitor
from tests.servers import ROOT

MAILS_AN_ENTRY = 2
PATIENCE_S = 120


def measure(folder: Path, *, requests: int) -> list[Figure]:
    """Queue mails by real entries, then let one worker send them."""
    service = Service(folder / "ours")
    try:
        posts = Visitor(service).entries(requests)
        done = load.run(service.port, posts, connections=CONNECTIONS, expects=(b"200",))
    finally:
        service.stop()
    if done.wrong:
        raise SystemExit(f"worker: {done.wrong} entries went wrong; {service.said()}")
    return _send(folder, service.environ, requests * MAILS_AN_ENTRY)


def _send(folder: Path, environ: dict[str, str], mails: int) -> list[Figure]:
    marks: list[tuple[float, float]] = []

    def mark() -> None:
        # Reading the processor time costs too much to do it for every mail.
        if not marks or len(marks) + 1 == mails:
            marks.append((time.perf_counter(), worker.cpu_s()))
        else:
            marks.append((time.perf_counter(), 0))

    sink = Sink(mark)
    worker = Group(
        [sys.executable, "-m", "server", "worker"],
        log=folder / "worker-log",
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            **environ,
            "JAWOORD_SMTP_URL": f"smtp://127.0.0.1:{sink.port}",
        },
    )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while len(marks) < mails and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        worker.stop()
        sink.stop()
    if len(marks) < mails:
        raise SystemExit(f"worker: {len(marks)} of {mails} sent; {worker.said()}")
    (began, cpu_began), (ended, cpu_ended) = marks[0], marks[mails - 1]
    return [
        Figure(
            "worker, mails a second",
            (mails - 1) / (ended - began),
            300,
            600,
            unit="/s",
            note=f"{mails:,} mails over {sink.lines} connection(s)",
        ),
        Figure(
            "worker, CPU a mail",
            (cpu_ended - cpu_began) * 1000 / (mails - 1),
            unit="ms",
            note="writing, sending and marking it",
        ),
    ]
