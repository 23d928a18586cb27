"""A small load generator: prebuilt requests over kept connections, timed one by one."""

import socket
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """What one round gave: requests a second, the 99th percentile, wrong answers."""

    per_second: float
    p99_ms: float
    wrong: int


def post(path: str, body: str, host: str, headers: str = "") -> bytes:
    """Return a form's POST as it goes over the wire."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nHX-Request: true\r\n"
        f"{headers}Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def get(path: str, host: str, headers: str = "") -> bytes:
    """Return a GET as it goes over the wire."""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n".encode()


def run(
    port: int,
    requests: Sequence[bytes],
    *,
    connections: int,
    expects: tuple[bytes, ...],
) -> Load:
    """Send every request once, over this many connections at a time."""
    times: list[float] = []
    wrong = [0]
    waiting = iter(requests)
    turn = threading.Lock()

    def work() -> None:
        line = _Line(port)
        while True:
            with turn:
                request = next(waiting, None)
            if request is None:
                return
            began = time.perf_counter()
            status = line.ask(request)
            taken = time.perf_counter() - began
            with turn:
                times.append(taken)
                wrong[0] += status not in expects

    threads = [threading.Thread(target=work) for _ in range(connections)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = time.perf_counter() - began
    p99 = statistics.quantiles(times, n=100)[98] * 1000
    return Load(len(requests) / whole, p99, wrong[0])


class _Line:
    """One kept connection; a server may close it, and then it is opened again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def ask(self, request: bytes) -> bytes:
        """Return the status of the answer, three digits."""
        for _ in range(2):
            try:
                return self._ask(request)
            except (ConnectionError, ValueError):
                self._socket = None
        return b"cut"

    def _ask(self, request: bytes) -> bytes:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        fields = head.lower()
        start = fields.index(b"content-length:") + 15
        length = int(fields[start:].split(b"\r\n", 1)[0])
        while len(body) < length:
            body += self._more()
        if b"connection: close" in fields:
            self._socket.close()
            self._socket = None
        return head[9:12]

    def _more(self) -> bytes:
        assert self._socket is not None
        more = self._socket.recv(65536)
        if not more:
            raise ConnectionError
        return more
