"""Post to the programs of recipients, wherever they say that these are (SAFETY.md T9).

The name is looked up once, every address that it has is checked, and the connection
goes to one of these: no answer of a name server that comes later can lead it elsewhere.
Redirects are answers, and proxies of the environment are not asked.
"""

import http.client
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from server.domain import webhook
from server.domain.webhook import PORTS, Address

# A try in all: name, connection, encryption, and the last byte of the answer.
SECONDS = 15.0
MOST_ADDRESSES = 4
# Of what is left, one address has a third at most, unless no other follows.
LONGEST_SHARE_S = 5.0
LONGEST_ANSWER_BYTES = 64 * 1024
PIECE_BYTES = 8 * 1024
TOO_MANY, AWAY = 429, 503

# Returns the addresses of a name, as `socket.getaddrinfo` spells them.
Resolver = Callable[[str, int], Iterable[str]]


class PostError(Exception):
    """No answer came; `why` says in a few words what stood in the way."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of an answer, and how long the other side asked to be left alone."""

    status: int
    wish: timedelta | None


def looked_up(host: str, port: int) -> list[str]:
    """Return the addresses of a name. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in found]


class Poster:
    """Posts with these limits; threads may share one.

    `networks` are those of the operator's own that may be posted to as well, on every
    port and without encryption.
    """

    def __init__(
        self,
        *,
        networks: Iterable[str] = (),
        seconds: float = SECONDS,
        resolver: Resolver = looked_up,
        trusted: str | None = None,
    ) -> None:
        self._networks = tuple(ipaddress.ip_network(text) for text in networks)
        self._seconds = seconds
        self._resolver = resolver
        self._context = ssl.create_default_context(cafile=trusted)
        self._lines: set[_Line] = set()

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post to one address, once. Raises `PostError`."""
        if webhook.fault(url, networks=self._networks):
            raise PostError("address not allowed")
        deadline = time.monotonic() + self._seconds
        parts = urlsplit(url)
        port = parts.port or PORTS[parts.scheme]
        line = _Line(deadline)
        self._lines.add(line)
        try:
            places = self._places(line, parts.hostname or "", port, parts.scheme)
            line.connect(places, port)
            return self._talk(line, url, body, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise PostError(_why(error, is_late=line.is_cut)) from error
        finally:
            self._lines.discard(line)
            line.close()

    def cut(self) -> None:
        """Hang up on everybody who has not answered yet."""
        for line in tuple(self._lines):
            line.cut()

    def _places(
        self, line: "_Line", host: str, port: int, scheme: str
    ) -> list[Address]:
        found = line.look_up(lambda: self._resolver(host, port))
        try:
            places = [ipaddress.ip_address(text) for text in found]
        except ValueError as error:
            raise PostError("address not allowed") from error
        if not places:
            raise PostError("name not found")
        # One that is not allowed tells that the name is not to be trusted at all.
        if not all(self._is_allowed(place, port, scheme) for place in places):
            raise PostError("address not allowed")
        return places[:MOST_ADDRESSES]

    def _is_allowed(self, place: Address, port: int, scheme: str) -> bool:
        if webhook.is_in_any(place, self._networks):
            return True
        return (scheme, port) == ("https", PORTS["https"]) and webhook.is_public(place)

    def _talk(
        self, line: "_Line", url: str, body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            line.encrypt(self._context, host)
        talk = http.client.HTTPConnection(host, parts.port or PORTS[parts.scheme])
        talk.sock = line.sock
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        talk.request(
            "POST",
            target,
            body,
            {
                "Host": parts.netloc,
                "Content-Type": "application/json",
                "User-Agent": "Jawoord",
                "Accept-Encoding": "identity",
                "Connection": "close",
                **headers,
            },
        )
        answer = talk.getresponse()
        wish = _wish(answer.getheader("Retry-After"), answer.status)
        _read_away(answer)
        if line.is_cut:
            raise TimeoutError
        return Answer(answer.status, wish)


class _Line:
    """A try that is cut at its deadline, or before, in whatever it waits for.

    That is the name, each connection, encryption, or an answer that drips.
    """

    def __init__(self, deadline: float) -> None:
        self.sock = socket.socket()
        self.is_cut = False
        self._deadline = deadline
        self._found: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()
        self._timer = threading.Timer(self._left_s(), self.cut)
        self._timer.daemon = True
        self._timer.start()

    def cut(self) -> None:
        """Let nobody wait here any more."""
        self.is_cut = True
        self._found.put(TimeoutError())
        with suppress(OSError):
            # Not that of the encryption: what is written next would go out in plain.
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up."""
        self._timer.cancel()
        with suppress(OSError):
            self.sock.close()

    def look_up(self, look: Callable[[], Iterable[str]]) -> list[str]:
        """Look a name up. Raises `PostError`.

        The C library takes as long as it likes, so that happens beside.
        """

        def ask() -> None:
            try:
                self._found.put(list(look()))
            except (OSError, UnicodeError) as error:
                self._found.put(error)

        threading.Thread(target=ask, daemon=True, name="look-up").start()
        found = self._found.get()
        if self.is_cut:
            raise PostError("name not found in time")
        if isinstance(found, Exception):
            raise PostError("name not found") from found
        return found

    def connect(self, places: Sequence[Address], port: int) -> None:
        """Connect to the first that answers. Raises `PostError`.

        A silent one leaves time for the next, and for the answer of that.
        """
        for number, place in enumerate(places, start=1):
            left_s = self._left_s()
            is_last = number == len(places)
            share_s = left_s if is_last else min(left_s / 3, LONGEST_SHARE_S)
            family = socket.AF_INET if place.version == 4 else socket.AF_INET6
            self.sock.close()
            self.sock = socket.socket(family, socket.SOCK_STREAM)
            self.sock.settimeout(share_s)
            try:
                self._stop_if_cut()
                self.sock.connect((str(place), port))
                self._stop_if_cut()
            except OSError:
                if self.is_cut:
                    break
                continue
            self.sock.settimeout(self._left_s())
            return
        raise PostError("no connection")

    def encrypt(self, context: ssl.SSLContext, host: str) -> None:
        """Encrypt what is said from now on. Raises OSError."""
        # Shaken hands only once it can be cut.
        self.sock = context.wrap_socket(
            self.sock, server_hostname=host, do_handshake_on_connect=False
        )
        self._stop_if_cut()
        self.sock.do_handshake()

    def _stop_if_cut(self) -> None:
        """Raise TimeoutError for who was cut while there was another socket."""
        if self.is_cut:
            raise TimeoutError

    def _left_s(self) -> float:
        return max(self._deadline - time.monotonic(), 0.001)


def _read_away(answer: http.client.HTTPResponse) -> None:
    """Read the rest of an answer, up to a limit: nothing of it is kept."""
    left = LONGEST_ANSWER_BYTES
    while left > 0 and (piece := answer.read1(min(left, PIECE_BYTES))):
        left -= len(piece)


def _wish(told: str | None, status: int) -> timedelta | None:
    """Read Retry-After, in seconds or as a date (RFC 9110 section 10.2.3)."""
    if told is None or status not in {TOO_MANY, AWAY}:
        return None
    text = told.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), webhook.LONGEST_WISH)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        # A zone can be as many hours away as it likes.
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(at - datetime.now(UTC), timedelta()), webhook.LONGEST_WISH)


def _why(error: Exception, *, is_late: bool) -> str:
    if is_late or isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLError):
        return "no trusted encryption"
    if isinstance(error, OSError):
        return "connection lost"
    return "no answer in HTTP"
