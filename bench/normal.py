"""Our service with SQLite's `synchronous=NORMAL`; only a benchmark may want that."""

from typing import Any

from sqlalchemy import event

from wsgi import app


def _loosen(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")


# Heard after our own listener, which asks for FULL.
event.listen(app.extensions["database"].engine, "connect", _loosen)
