"""A mail server that takes everything at once and only counts."""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

GREETING = b"220 sink.bench.invalid\r\n"
CAPABLE = b"250-sink.bench.invalid\r\n250-SIZE 9999999\r\n250 SMTPUTF8\r\n"
OK = b"250 2.0.0 OK\r\n"


class Sink:
    """Listens in a thread of its own; `on_mail` is called for each mail."""

    def __init__(self, on_mail: Callable[[], None] = lambda: None) -> None:
        self._on_mail = on_mail
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.lines = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Hang up."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        serve = asyncio.start_server(self._talk, sock=self._socket)
        self._loop.run_until_complete(serve)
        self._loop.run_forever()

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.lines += 1
        writer.write(GREETING)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while line := await reader.readline():
                match line[:4].upper():
                    case b"EHLO":
                        writer.write(CAPABLE)
                    case b"DATA":
                        writer.write(b"354 go on\r\n")
                        await reader.readuntil(b"\r\n.\r\n")
                        self._on_mail()
                        writer.write(OK)
                    case b"QUIT":
                        writer.write(b"221 2.0.0 bye\r\n")
                        break
                    case _:
                        writer.write(OK)
        writer.close()
