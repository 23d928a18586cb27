"""Who may import whom (the layers), and who may ask for time, chance or rows.

wsgi -> server/__init__ -> views -> services -> models -> domain
       commands, worker -> services, adapters     adapters -> domain
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "server"

WEB = ("flask", "flask_babel", "flask_mail", "flask_wtf", "htmx_flask", "werkzeug")
STORES = ("sqlalchemy", "alembic", "psycopg", "sqlite3", "redis", "limits")
NETWORK = ("smtplib", "socket", "ssl", "http", "urllib.request", "requests", "urllib3")
NETWORK += ("aiosmtpd", "asyncio", "subprocess")
CHANCE = ("random", "secrets", "uuid", "time")
ASKS = {
    "datetime.now": "take `now` as an argument",
    "datetime.utcnow": "take `now` as an argument",
    "datetime.today": "take `now` as an argument",
    "date.today": "take `now` as an argument",
    "time.time": "take `now` as an argument",
    "os.urandom": "take the random bytes as an argument",
    "secrets.token_bytes": "take the random bytes as an argument",
    "secrets.token_hex": "take the random bytes as an argument",
    "uuid.uuid4": "take the id as an argument",
}
QUERIES = {"select", "insert", "update", "delete", "text"}
SESSION_WORK = {"execute", "scalar", "scalars", "flush", "commit", "add", "add_all"}


@dataclass(frozen=True)
class Layer:
    """What a folder may import of ours, must not of others', and what to do instead."""

    ours: tuple[str, ...]
    not_theirs: tuple[str, ...]
    instead: str
    asks_nothing: bool = False


LAYERS = {
    "domain": Layer(
        ours=("server.domain",),
        not_theirs=(*WEB, *STORES, *NETWORK, *CHANCE, "os"),
        instead="the domain is pure: pass in what it needs to know",
        asks_nothing=True,
    ),
    "models": Layer(
        ours=("server.models", "server.domain"),
        not_theirs=(*WEB, *NETWORK, *CHANCE, "alembic", "redis", "limits"),
        instead="a model holds columns and constraints; the rest is a service",
        asks_nothing=True,
    ),
    "services": Layer(
        ours=("server.services", "server.models", "server.domain"),
        not_theirs=(*WEB, *NETWORK, "alembic", "psycopg", "sqlite3"),
        instead="the view, command or worker passes it in; effects are outbox rows",
        asks_nothing=True,
    ),
    "adapters": Layer(
        ours=("server.adapters", "server.domain", "server.settings"),
        not_theirs=("sqlalchemy", "alembic", "psycopg", "sqlite3"),
        instead="an adapter is told what to do and knows nothing of rows",
    ),
    "views": Layer(
        ours=(
            *("server.views", "server.services", "server.models", "server.domain"),
            *("server.db", "server.clock", "server.settings", "server.assets"),
            *("server.migrations", "server.tally", "server.opened"),
        ),
        not_theirs=(*NETWORK, "alembic", "psycopg", "sqlite3"),
        instead="only the worker talks to the outside world: put an outbox row",
    ),
    "commands": Layer(
        ours=(
            *("server.commands", "server.services", "server.adapters"),
            *("server.domain", "server.migrations"),
            *("server.db", "server.clock", "server.settings", "server.tooling"),
            # What the worker does each day, done or looked at by hand.
            "server.retaining",
        ),
        not_theirs=(*WEB, *NETWORK, "alembic", "psycopg", "sqlite3"),
        instead="a command parses, calls a service in one transaction, and prints",
    ),
    "migrations": Layer(
        ours=("server.migrations", "server.db"),
        not_theirs=(*WEB, *NETWORK),
        instead="a migration is history: write the table out, import no model",
    ),
}
# Beside the layers themselves, only these may know the outside world.
MAY_IMPORT_ADAPTERS = (
    *("server/worker.py", "server/__main__.py"),
    *("server/commands/", "server/adapters/"),
    # The worker's pen.
    "server/writing.py",
    # And its voice.
    "server/telling.py",
    # What the command `demo` does.
    "server/showroom.py",
)


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield every imported name in full: `from server import clock` is server.clock."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            assert node.level == 0, f"line {node.lineno}: import by the full name"
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def is_in(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(place + ".") for place in places)


def faults(layer: str, source: str) -> list[str]:
    """Return what a file of that layer does that it must not."""
    rule, tree = LAYERS[layer], ast.parse(source)
    found = []
    for line, name in imports(tree):
        foreign = is_in(name, ("server",)) and not is_in(name, rule.ours)
        if foreign or is_in(name, rule.not_theirs):
            found.append(f"line {line} imports {name}: {rule.instead}")
    if rule.asks_nothing:
        found += [
            f"line {node.lineno} calls {ast.unparse(node.func)}: {instead}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            for ask, instead in ASKS.items()
            if f".{ast.unparse(node.func)}".endswith(f".{ask}")
        ]
    if layer in {"views", "commands"}:
        found += list(queries(tree))
    if layer == "services":
        found += [
            f"line {node.lineno} commits: services flush, the caller commits"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr == "commit"
        ]
    return found


def queries(tree: ast.AST) -> Iterator[str]:
    """Yield what looks like a query in a view or a command."""
    for line, name in imports(tree):
        if name.startswith("sqlalchemy") and name.rpartition(".")[2] in QUERIES:
            yield f"line {line} imports {name}: call a service instead"
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name("session"), attr=verb)) if (
                verb in SESSION_WORK
            ):
                yield f"line {node.lineno} calls session.{verb}: call a service instead"


def files(layer: str) -> list[Path]:
    return sorted((SERVER / layer).rglob("*.py"))


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_go_one_way(layer: str):
    found = {
        path.relative_to(ROOT).as_posix(): wrong
        for path in files(layer)
        if (wrong := faults(layer, path.read_text()))
    }

    assert found == {}


def test_only_the_worker_and_the_commands_know_the_outside_world():
    found = [
        f"{place} line {line} imports {name}: put an outbox row, the worker sends it"
        for path in [*SERVER.rglob("*.py"), ROOT / "wsgi.py"]
        if not (place := path.relative_to(ROOT).as_posix()).startswith(
            MAY_IMPORT_ADAPTERS
        )
        for line, name in imports(ast.parse(path.read_text()))
        if is_in(name, ("server.adapters",))
    ]

    assert found == []


@pytest.mark.parametrize(
    ("layer", "source"),
    [
        ("domain", "import flask"),
        ("domain", "from sqlalchemy import select"),
        ("domain", "from server.models.shop import Shop"),
        ("domain", "from server import clock"),
        ("domain", "def f():\n    from server.services import entries"),
        ("domain", "moment = datetime.now(UTC)"),
        ("domain", "moment = datetime.datetime.now()"),
        ("domain", "import secrets"),
        ("domain", "from urllib.request import urlopen"),
        ("models", "from server.services import entries"),
        ("models", "from flask import g"),
        ("services", "from flask import request"),
        ("services", "from server.clock import now"),
        ("services", "from server import db"),
        ("services", "from server.adapters import mailer"),
        ("services", "import smtplib"),
        ("services", "session.commit()"),
        ("services", "seed = os.urandom(32)"),
        ("adapters", "from server.services import outbox"),
        ("adapters", "import sqlalchemy"),
        ("views", "from server.adapters.mailer import send"),
        ("views", "from sqlalchemy import select"),
        ("views", "session.execute(statement)"),
        ("views", "from server.worker import run"),
        ("commands", "from server.models.shop import Shop"),
        ("commands", "from sqlalchemy import select"),
        ("commands", "from server.views import health"),
        ("migrations", "from server.models.shop import Shop"),
    ],
)
def test_a_breach_is_seen(layer: str, source: str):
    assert faults(layer, source)


@pytest.mark.parametrize(
    ("layer", "source"),
    [
        (
            "domain",
            "import urllib.parse\nfrom server.domain import links",
        ),
        ("services", "def save(session, *, now, chance=os.urandom): ..."),
        (
            "views",
            "from sqlalchemy.exc import DBAPIError\nimport server.db",
        ),
    ],
)
def test_what_is_allowed_is_let_through(layer: str, source: str):
    assert faults(layer, source) == []
