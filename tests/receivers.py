"""The program of a recipient on a real socket, which answers as a test tells it to."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from standardwebhooks.webhooks import Webhook as Reference

from tests.servers import LOOPBACK, free_port

LOOPBACKS = "127.0.0.0/8"
MEGABYTE = 1 << 20


class Mode(StrEnum):
    """How the receiver treats what comes in."""

    OK = "ok"
    ERROR = "500"
    MOVED = "301"
    GONE = "410"
    BUSY = "429"
    # It says nothing until it is told to let go.
    SLOW = "slow"
    HUGE = "huge"
    DRIP = "drip"
    # It heard everything and the line broke before it could say so.
    CUT = "cut"
    NOISE = "noise"


@dataclass(frozen=True, slots=True)
class Heard:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes
    mode: Mode

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def checked(self, secret: str) -> dict[str, Any]:
        """Return what it says, once the reference library has checked who says so."""
        told: dict[str, Any] = Reference(secret).verify(self.body, self.headers)
        return told


class Receiver:
    """Listens at `url`. Stopped, it refuses connections; `mode` says the rest."""

    def __init__(self, *, context: ssl.SSLContext | None = None) -> None:
        self.port = free_port()
        scheme = "https" if context else "http"
        self.url = f"{scheme}://{LOOPBACK}:{self.port}/hook"
        self.mode = Mode.OK
        # How long it thinks before it answers.
        self.pause_s = 0.0
        self.heard: list[Heard] = []
        self.connections = 0
        self.let_go = threading.Event()
        self._context = context
        self._socket: socket.socket | None = None

    def start(self) -> None:
        """Listen, again on the same port if it was stopped."""
        self.let_go.clear()
        self._socket = socket.create_server((LOOPBACK, self.port))
        threading.Thread(target=self._accept, args=[self._socket], daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on."""
        self.let_go.set()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            self._socket = None

    @property
    def acknowledged(self) -> list[Heard]:
        """Return what was answered with a yes."""
        return [each for each in self.heard if each.mode in {Mode.OK, Mode.HUGE}]

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=[line], daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with suppress(OSError, ssl.SSLError, ValueError):
            if self._context:
                line = self._context.wrap_socket(line, server_side=True)
            with line, line.makefile("rb") as stream:
                heard = _read(stream, self.mode)
                self.heard.append(heard)
                self.let_go.wait(self.pause_s)
                self._answer(line, heard.mode)

    def _answer(self, line: socket.socket, mode: Mode) -> None:
        if mode is Mode.SLOW:
            self.let_go.wait(60)
        if mode in {Mode.CUT, Mode.SLOW}:
            return
        if mode is Mode.DRIP:
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while not self.let_go.wait(0.05):
                line.sendall(b".")
        if mode is Mode.NOISE:
            line.sendall(b"SSH-2.0-OpenSSH\r\n")
        if mode is Mode.HUGE:
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
            while not self.let_go.is_set():
                line.sendall(b"x" * MEGABYTE)
        more = {
            Mode.MOVED: f"Location: http://{LOOPBACK}:{self.port}/elsewhere\r\n",
            Mode.BUSY: "Retry-After: 120\r\n",
        }.get(mode, "")
        status = "200" if mode is Mode.OK else mode.value
        line.sendall(
            f"HTTP/1.1 {status} Told\r\n{more}Content-Length: 0\r\n\r\n".encode()
        )


def _read(stream: Any, mode: Mode) -> Heard:
    method, path, _ = stream.readline().decode().split()
    if method != "POST":
        raise ValueError(method)
    headers = {}
    while (line := stream.readline().decode().strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers["content-length"]))
    return Heard(path, headers, body, mode)


@contextmanager
def listening(**options: Any) -> Iterator[Receiver]:
    """Yield one that is up until the end."""
    receiver = Receiver(**options)
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.stop()


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Make a certificate for a name that signs itself; return it, and with its key."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    public, both = folder / f"{name}.pem", folder / f"{name}.both.pem"
    pem = made.public_bytes(serialization.Encoding.PEM)
    public.write_bytes(pem)
    both.write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return public, both
