"""Copies the rows of a real entry very often, with fresh keys and hashes.

What was written through the service is the pattern, so sizes stay true whatever
columns a table has.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, create_engine, event, text

from server.db import Database

STEP = 50_000
# Beyond what the database itself will count up to meanwhile.
GAP = 1_000_000
# How many rows of each table an entry makes, in the order in which they refer.
TABLES = {
    "contact": 1,
    "mailbox": 1,
    "entry": 1,
    "voucher": 1,
    "optin": 1,
    "evidence": 1,
    "consent_event": 2,
    "link": 1,
    "outbox": 2,
}
NEWEST = {
    "mailbox": "ORDER BY touched_at DESC",
    "evidence": "ORDER BY contact_id DESC",
    # Not one that nobody has won.
    "voucher": "WHERE entry_id IS NOT NULL ORDER BY id DESC",
}
FREE = (
    "state = 'free' AND prize_id = (SELECT prize_id FROM voucher "
    "WHERE entry_id IS NOT NULL ORDER BY id DESC LIMIT 1)"
)
# What is found by something else than a number of its own.
WITHOUT_ID = {"mailbox", "evidence"}
# Each copy stands for somebody else. `n` is a copy's number, `j` counts its rows.
FRESH = {
    ("contact", "public_id"): "'grown' || (1000000000000 + n)",
    ("contact", "subject_ref"): "{ref}",
    ("voucher", "number"): "CASE WHEN number IS NULL THEN NULL ELSE n END",
    # A prize may have one code for everybody; the codes of a pool have a number.
    ("voucher", "code"): "CASE WHEN number IS NULL THEN code ELSE 'BENCH-' || n END",
    ("outbox", "message_id"): "'<' || {mark} || '@127.0.0.1>'",
    # A mail that was delivered has forgotten what it said.
    ("outbox", "sealed"): "NULL",
    ("outbox", "state"): "'delivered'",
    ("outbox", "settled_at"): "due_at",
}
RANDOM = {"email_hash", "key", "ticket", "browser_seed", "play_print", "claim_print"}
RANDOM |= {
    "name",
    "sealed",
    "sealed_key",
    "sealed_email",
    "sealed_answers",
    "evidence_hash",
    "secret_hash",
}
OWN = {"contact_id", "entry_id", "optin_id"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a database counts, and makes bytes that differ from row to row."""

    counted: str
    # Sixteen bytes that a copy's number gives, so that two tables agree on them.
    ref: str
    # As many hex characters as a Message-ID has before the host.
    mark: str
    # As many as the column has.
    noise: str


DIALECTS = {
    "sqlite": Dialect(
        counted=(
            "WITH RECURSIVE counted (n) AS (VALUES (:first) UNION ALL "
            "SELECT n + 1 FROM counted WHERE n < :last)"
        ),
        ref="CAST(printf('%08x%08x', n * 2654435761 % 4294967296, n) AS BLOB)",
        mark="printf('%016x%08x', n, j)",
        noise="randomblob(length({column}))",
    ),
    "postgresql": Dialect(
        counted=(
            "WITH counted (n) AS ("
            "SELECT generate_series(CAST(:first AS bigint), CAST(:last AS bigint)))"
        ),
        ref="decode(md5(n::text), 'hex')",
        mark="lpad(to_hex(n), 16, '0') || lpad(to_hex(j), 8, '0')",
        noise=(
            "substring(sha256(convert_to('{column}-' || n || '-' || j, 'UTF8')) "
            "|| substring({column} FROM 33) FOR length({column}))"
        ),
    ),
}


class Grower:
    """Lets a database grow as if many had taken part."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = create_engine(Database(url).url)
        self._dialect = DIALECTS[self._engine.dialect.name]
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _hurry)

    def add_entries(self, copies: int) -> None:
        """Copy the newest entry so often."""
        with self._engine.begin() as connection:
            statements = [
                self._copies(connection, table, rows) for table, rows in TABLES.items()
            ]
        self._run(statements, copies)

    def add_codes(self, copies: int) -> None:
        """Copy a free unit of the prize that was won last so often."""
        with self._engine.begin() as connection:
            columns = _columns(connection, "voucher")
        values = ", ".join(self._value("voucher", column, 1) for column in columns)
        statement = (
            f"{self._dialect.counted} "  # noqa: S608  # names of our own tables
            f"INSERT INTO voucher ({_names(columns)}) SELECT {values} FROM counted "
            f"CROSS JOIN (SELECT *, 0 AS j FROM voucher WHERE {FREE} LIMIT 1) p"
        )
        self._run([statement], copies)

    def settle(self) -> None:
        """Bring the statistics up to date, as the database itself does in time."""
        with self._engine.connect() as connection:
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            if connection.dialect.name == "postgresql":
                alone.execute(text("VACUUM ANALYZE"))
            else:
                alone.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))

    def size(self) -> int:
        """Return the bytes of the whole database."""
        self.settle()
        query = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        if self._engine.dialect.name == "postgresql":
            query = "SELECT pg_database_size(current_database())"
        with self._engine.connect() as connection:
            return int(connection.scalar(text(query)) or 0)

    def _run(self, statements: list[str], copies: int) -> None:
        with self._engine.begin() as connection:
            base = GAP + max(
                int(connection.scalar(text(f"SELECT max(id) FROM {table}")) or 0)  # noqa: S608  # names of our own tables
                for table in TABLES
                if table not in WITHOUT_ID
            )
        for first in range(1, copies + 1, STEP):
            last = min(first + STEP - 1, copies)
            with self._engine.begin() as connection:
                for statement in statements:
                    connection.execute(
                        text(statement), {"first": base + first, "last": base + last}
                    )

    def _copies(self, connection: Connection, table: str, rows: int) -> str:
        """Return the statement that writes one table's rows for a span of copies."""
        columns = _columns(connection, table)
        values = ", ".join(self._value(table, column, rows) for column in columns)
        newest = NEWEST.get(table, "ORDER BY id DESC")
        return (
            f"{self._dialect.counted}, "  # noqa: S608  # names of our own tables
            f"pattern AS (SELECT p.*, row_number() OVER () - 1 AS j "
            f"FROM (SELECT * FROM {table} {newest} LIMIT {rows}) p) "
            f"INSERT INTO {table} ({_names(columns)}) "
            f"SELECT {values} FROM counted CROSS JOIN pattern"
        )

    def _value(self, table: str, column: str, rows: int) -> str:
        if (table, column) in FRESH:
            return FRESH[table, column].format(
                ref=self._dialect.ref, mark=self._dialect.mark
            )
        if column == "id":
            return f"n * {rows} + j"
        if column in OWN:
            # Only some mails are about a request.
            return f"CASE WHEN {column} IS NULL THEN NULL ELSE n END"
        if column in RANDOM:
            return self._dialect.noise.format(column=column)
        return f'"{column}"'


def _columns(connection: Connection, table: str) -> list[str]:
    found = connection.execute(text(f"SELECT * FROM {table} LIMIT 0"))  # noqa: S608  # names of our own tables
    return [str(key) for key in found.keys()]  # noqa: SIM118  # it is no dict


def _names(columns: list[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _hurry(connection: object, _record: object) -> None:
    for pragma in ("synchronous=OFF", "cache_size=-400000", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")  # type: ignore[attr-defined]  # a driver's
