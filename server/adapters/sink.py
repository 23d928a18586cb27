"""A mail server for the demo: it takes every mail and keeps it as a file.

The worker talks real SMTP to it, so nothing of the demo's mail path is a mock-up.
"""

import asyncio
import itertools
import os
import secrets
import socket
import threading
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import WeakSet

from aiosmtpd.smtp import SMTP

MOST_MAILS = 500
MOST_BYTES = 2 * 1024 * 1024
ENVELOPE_TO = "X-Envelope-To"
ENVELOPE_FROM = "X-Envelope-From"
ACCEPTED = "250 2.0.0 Kept"


class Mailbox:
    """A folder with one `.eml` file a mail, named so that names sort by arrival."""

    def __init__(self, folder: Path, *, most: int = MOST_MAILS) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._most = most
        self._count = itertools.count()
        self._kept = deque(sorted(path.name for path in folder.glob("*.eml")))

    def keep(self, body: bytes, *, sender: str, recipients: list[str]) -> str:
        """Write a mail with its envelope on top; return the file's name.

        A reader never meets half a mail: the file gets its name when it is whole.
        """
        name = self._next_name()
        head = f"{ENVELOPE_FROM}: {sender}\r\n"
        head += "".join(f"{ENVELOPE_TO}: {recipient}\r\n" for recipient in recipients)
        draft = self._folder / f".{name}.part"
        draft.write_bytes(head.encode("utf-8", "replace") + body)
        os.replace(draft, self._folder / name)
        self._kept.append(name)
        self._drop_oldest()
        return name

    def _next_name(self) -> str:
        # The counter keeps the order of mails that arrive in one millisecond.
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")[:-3]
        return f"{moment}-{next(self._count):06d}-{secrets.token_hex(4)}.eml"

    def _drop_oldest(self) -> None:
        while len(self._kept) > self._most:
            (self._folder / self._kept.popleft()).unlink(missing_ok=True)


class Sink:
    """Listens for mail in a thread of its own, from `start` until `stop`."""

    def __init__(
        self, host: str, port: int, *, folder: Path, most: int = MOST_MAILS
    ) -> None:
        self._address = (host, port)
        self._mailbox = Mailbox(folder, most=most)
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen. Raises OSError where the address is taken or not ours."""
        # Bound here, so that a taken port is the caller's error, not the thread's.
        listening = socket.create_server(self._address)
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listening, ready)), daemon=True
        )
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """Close the socket and end the thread; a mail in the middle is not kept."""
        if self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._thread = None

    async def _serve(self, listening: socket.socket, ready: threading.Event) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        ready.set()
        await listen(listening, self._mailbox, until=self._stopping)


async def listen(
    listening: socket.socket, mailbox: Mailbox, *, until: asyncio.Event
) -> None:
    """Take mail on a bound socket until told to stop, then hang up on everybody."""
    sessions: WeakSet[SMTP] = WeakSet()

    def answer() -> SMTP:
        session = SMTP(
            _Handler(mailbox),
            # Given, because looking our own name up can take seconds.
            hostname="sink.demo.invalid",
            ident="Demo sink",
            data_size_limit=MOST_BYTES,
            enable_SMTPUTF8=True,
        )
        sessions.add(session)
        return session

    server = await asyncio.get_running_loop().create_server(answer, sock=listening)
    await until.wait()
    server.close()
    for session in sessions:
        if session.transport is not None:
            session.transport.close()
    await server.wait_closed()


class _Handler:
    """What aiosmtpd calls for a mail that came in whole."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(  # noqa: N802  # the name that aiosmtpd calls
        self, _server: SMTP, _session: Any, envelope: Any
    ) -> str:
        self._mailbox.keep(
            envelope.content,
            sender=envelope.mail_from or "",
            recipients=list(envelope.rcpt_tos),
        )
        return ACCEPTED
