"""Copies the rows of a real entry very often, with fresh keys and hashes.

What was written through the service is the pattern, so sizes stay true whatever
columns a table has.
"""

import sqlite3
from pathlib import Path

STEP = 50_000
# How many rows of each table an entry makes, in the order in which they refer.
TABLES = {
    "contact": 1,
    "mailbox": 2,
    "entry": 1,
    "voucher": 1,
    "optin": 1,
    "evidence": 1,
    "consent_event": 2,
    "link": 1,
    "outbox": 2,
}
# Each copy stands for somebody else. `i` counts copies, `j` the rows of one.
FRESH = {
    ("contact", "public_id"): "lower(hex(randomblob(12)))",
    ("contact", "email"): "'grown-' || i || '@bench.example'",
    ("contact", "subject_ref"): "{ref}",
    ("consent_event", "subject_ref"): "{ref}",
    ("outbox", "message_id"): "'<' || lower(hex(randomblob(16))) || '@127.0.0.1>'",
    # A mail that was delivered has forgotten what it said.
    ("outbox", "sealed"): "NULL",
    ("outbox", "state"): "'delivered'",
    ("outbox", "settled_at"): "due_at",
}
RANDOM = {"email_hash", "key", "ticket", "browser_seed", "play_print", "claim_print"}
RANDOM |= {"sha256", "sealed", "sealed_key", "evidence_hash", "secret_hash"}
OWN = {"contact_id", "entry_id", "optin_id"}
# Sixteen bytes that a copy's number gives, so that two tables agree on them.
REF = "CAST(printf('%08x%08x', i * 2654435761 % 4294967296, i) AS BLOB)"


def grow(path: Path, copies: int) -> None:
    """Copy the newest entry of a database until there are so many more."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=60)
    for pragma in ("synchronous=OFF", "cache_size=-400000", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    patterns = [_pattern(connection, name, rows) for name, rows in TABLES.items()]
    for first in range(0, copies, STEP):
        connection.execute("BEGIN IMMEDIATE")
        for statement in patterns:
            span = {"first": first + 1, "last": min(first + STEP, copies)}
            connection.execute(statement, span)
        connection.execute("COMMIT")
    connection.close()


def _pattern(connection: sqlite3.Connection, table: str, rows: int) -> str:
    """Return the statement that writes one table's rows for a span of copies."""
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(_value(table, column, rows) for column in columns)
    return (
        f"WITH RECURSIVE counted (i) AS (VALUES (:first) UNION ALL "  # noqa: S608  # names of our own tables
        f"SELECT i + 1 FROM counted WHERE i < :last), "
        f"pattern AS (SELECT *, row_number() OVER () - 1 AS j "
        f"FROM (SELECT * FROM {table} ORDER BY rowid DESC LIMIT {rows})) "
        f"INSERT INTO {table} ({', '.join(columns)}) "
        f"SELECT {values} FROM counted CROSS JOIN pattern"
    )


def _value(table: str, column: str, rows: int) -> str:
    if (table, column) in FRESH:
        return FRESH[table, column].format(ref=REF)
    if column == "id":
        return f"1000000 + i * {rows} + j"
    if column in OWN:
        # Only some mails are about a request.
        return f"CASE WHEN {column} IS NULL THEN NULL ELSE 1000000 + i END"
    if column in RANDOM:
        return f"randomblob(length({column}))"
    return column
