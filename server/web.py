"""The web server: gunicorn, told by our settings, without an access log.

An access log would hold addresses of people and the links of their mails (T23).
"""

import errno
import gc
import logging
import os
import signal
import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from server import create_app
from server.db import Database
from server.migrations import check_current
from server.settings import SettingError, Settings
from server.tooling import check_keys

GRACEFUL_S = 30
BACKLOG = 512


class _Logger(Logger):  # type: ignore[misc]  # gunicorn publishes no types
    """Leaves gunicorn's own messages to our log, and writes no access log."""

    def setup(self, cfg: Any) -> None:
        self.cfg = cfg
        self._access_log_enabled = False
        self.loglevel = logging.INFO
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = log is self.error_log


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn publishes no types
    """Gunicorn around an application that its processes share as it was made."""

    def __init__(self, app: Flask, settings: Settings, handles: Iterable[int]) -> None:
        self._app = app
        self._settings = settings
        self._handles = list(handles)
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn what to do."""
        for name, value in {
            "bind": [f"fd://{handle}" for handle in self._handles],
            "workers": self._settings.web_processes,
            "threads": self._settings.web_threads,
            "worker_class": "gthread",
            "graceful_timeout": GRACEFUL_S,
            "backlog": BACKLOG,
            "logger_class": _Logger,
            "control_socket_disable": True,
            "post_worker_init": lambda _worker: _let_end(),
            "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,  # noqa: S108  # gunicorn's advice: heartbeats that no disk delays
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the application."""
        return self._app


def _hold_end() -> None:
    """Let SIGTERM wait: what is being forked would take it for its parent's."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _let_end() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def addresses(settings: Settings) -> dict[str, str]:
    """Return where to listen, each with the setting that says so.

    The demo shop has a port of its own, so that it is another site than ours.
    """
    found = {settings.bind: "JAWOORD_BIND"}
    if settings.demo:
        host = settings.bind.rpartition(":")[0]
        port = urlsplit(settings.demo_shop_url).port or 80
        found.setdefault(f"{host}:{port}", "JAWOORD_DEMO_SHOP_URL")
    return found


def listen(address: str, setting: str) -> socket.socket:
    """Return a socket bound to HOST:PORT. Raises `SettingError`."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host.strip("[]"), int(port)))
        # A second program could bind as well until one of the two listens.
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise SettingError(_why(error, address, setting)) from error
    return listening


def _why(error: OSError, address: str, setting: str) -> str:
    if error.errno == errno.EADDRINUSE:
        port = address.rpartition(":")[2]
        return (
            f"port {port} is taken; stop what listens there, "
            f"or set {setting} to another port"
        )
    return f"{setting}: cannot listen on {address} ({error.strerror})"


def _checked(settings: Settings) -> Flask:
    """Return the application, once it is sure that it can work.

    What cannot be used shall stop the start here, and not in every process.
    """
    app = create_app(settings)
    database: Database = app.extensions["database"]
    check_current(database)
    check_keys(database, app.extensions["tools"].vault)
    database.dispose()
    return app


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises `SettingError` for a taken port."""
    sockets = [listen(*pair) for pair in addresses(settings).items()]
    try:
        app = _checked(settings)
    except Exception:
        for one in sockets:
            one.close()
        raise
    # What is there by now stays; a collection that walked over it would give each
    # process a copy of its own.
    gc.collect()
    gc.freeze()
    # A worker ends the wait itself, once it knows what SIGTERM means to it.
    os.register_at_fork(before=_hold_end, after_in_parent=_let_end)
    _Server(app, settings, [one.detach() for one in sockets]).run()
