"""Pages of a shop of our own, as strict or as hostile as a test wants them."""

import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.servers import LOOPBACK


class Host:
    """A site with pages that a test writes: path -> (html, headers)."""

    def __init__(self, name: str = "localhost") -> None:
        self.pages: dict[str, tuple[str, dict[str, str]]] = {}
        self._server = ThreadingHTTPServer((LOOPBACK, 0), partial(_Handler, self))
        self.origin = f"http://{name}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def put(self, path: str, body: str, **headers: str) -> str:
        """Put a page there and return its address; `_` in a header's name is `-`."""
        html = f"<!doctype html><html lang=nl><title>Host</title><body>{body}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = (html, named)
        return self.origin + path

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, host: Host, *args: Any) -> None:
        self._host = host
        super().__init__(*args)

    def do_GET(self) -> None:  # noqa: N802  # the standard library's name for it
        html, headers = self._host.pages.get(self.path, ("", {}))
        self.send_response(200 if html else 404)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(html.encode())))
        self.end_headers()
        self.wfile.write(html.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
