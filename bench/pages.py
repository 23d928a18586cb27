"""Serves the files of one folder (`BENCH_PAGES`): a shop, a bare page."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript"}


def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one file."""
    # Only a file directly in the folder, whatever the path says.
    file = Path(os.environ["BENCH_PAGES"]) / Path(environ["PATH_INFO"]).name
    if not file.is_file():
        start("404 Not Found", [("Content-Length", "0")])
        return [b""]
    body = file.read_bytes()
    kind = TYPES.get(file.suffix, "application/octet-stream")
    start("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]
