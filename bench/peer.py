"""Our entry against a peer's sign-up with double opt-in, in turns."""

import os
import subprocess
import sys
import urllib.parse
from pathlib import Path

from bench import load
from bench.figures import CONNECTIONS, Figure, Turns, ratio
from bench.servers import Serve, Service, Web
from bench.sink import Sink
from bench.visitor import Visitor

HERE = Path(__file__).parent / "peers"
VENV = HERE / ".venv"
PYTHON = str(VENV / "bin" / "python")
LOCK = HERE / "requirements.lock"
SUBSCRIBE = "/newsletter/news/subscribe/"
TOKEN = "b" * 32


def measure(folder: Path, *, rounds: int, requests: int) -> list[Figure]:
    """Compare entries a second, and memory, with django-newsletter's."""
    _install()
    ours, sink = Service(folder / "ours"), Sink()
    theirs = _newsletter(folder / "peer", sink)
    visitor, at_ours, at_theirs = Visitor(ours), Turns("ours"), Turns("newsletter")
    try:
        for number in range(rounds + 1):
            n = requests if number else 100
            keep = number > 0
            at_theirs.take(theirs, _subscriptions(theirs, n), (b"302",), keep=keep)
            at_ours.take(ours, visitor.entries(n), (b"200",), keep=keep)
        memory = _loaded_mb(folder / "serve", requests), theirs.memory_mb()
    finally:
        ours.stop()
        theirs.stop()
        sink.stop()
    return [
        ratio("entry POST to django-newsletter sign-up", at_ours, at_theirs, 4, 6),
        Figure(
            "memory to django-newsletter, after load",
            memory[0] / memory[1],
            1.2,
            1.2,
            is_ceiling=True,
            note=f"{memory[0]:.0f} to {memory[1]:.0f} MB (PSS), each as it is run",
        ),
    ]


def _loaded_mb(folder: Path, requests: int) -> float:
    """Return the memory of `serve`, which shares more than a bare gunicorn does."""
    web = Serve(folder)
    try:
        posts = Visitor(web).entries(2 * requests)
        done = load.run(web.port, posts, connections=CONNECTIONS, expects=(b"200",))
        if done.wrong:
            raise SystemExit(f"serve: {done.wrong} went wrong; {web.said()}")
        return web.memory_mb()
    finally:
        web.stop()


def _install() -> None:
    """Make the peer's environment; it is kept for the next run."""
    mark = VENV / "installed"
    if mark.exists() and mark.read_text() == LOCK.read_text():
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
    subprocess.run(
        [
            *(PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check"),
            *("--require-hashes", "-r", str(LOCK)),
        ],
        check=True,
    )
    mark.write_text(LOCK.read_text())


def _newsletter(folder: Path, sink: Sink) -> Web:
    folder.mkdir()
    environ = {
        "BENCH_DATABASE": str(folder / "peer.db"),
        "BENCH_SMTP_PORT": str(sink.port),
    }
    subprocess.run(
        [PYTHON, "project.py", "fill"],
        check=True,
        cwd=HERE,
        env={"PATH": os.environ["PATH"], **environ},
    )
    return Web(
        "project:app",
        folder=folder,
        environ=environ,
        answers=SUBSCRIBE,
        python=PYTHON,
        cwd=HERE,
    )


def _subscriptions(theirs: Web, number: int) -> list[bytes]:
    """Return sign-ups of people nobody has seen before."""
    posts = []
    for _ in range(number):
        form = {
            "csrfmiddlewaretoken": TOKEN,
            "name_field": "An",
            "email_field": f"{os.urandom(8).hex()}@bench.example",
        }
        body = urllib.parse.urlencode(form)
        cookie = f"Cookie: csrftoken={TOKEN}\r\n"
        posts.append(load.post(SUBSCRIBE, body, theirs.host, headers=cookie))
    return posts
