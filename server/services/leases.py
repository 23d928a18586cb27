"""Effects that wait as rows: which are due, and whose they are while they are done.

A row is claimed with a lease. Only whoever holds the claim may mark it (fencing), so a
worker that slept past its lease marks nothing that another has taken (SAFETY.md F22).
"""

from typing import Any

from sqlalchemy import ColumnElement, Table, Update, bindparam, update


def is_due(rows: Any) -> ColumnElement[bool]:
    """Match what waits and is due at `moment`, and what a dead worker had taken."""
    return is_waiting(rows) | is_abandoned(rows)


def is_waiting(rows: Any) -> ColumnElement[bool]:
    """Match what waits and is due at `moment`."""
    due: ColumnElement[bool] = (rows.state == "waiting") & (
        rows.due_at <= bindparam("moment")
    )
    return due


def is_abandoned(rows: Any) -> ColumnElement[bool]:
    """Match what a worker had taken whose lease is over at `moment`."""
    over: ColumnElement[bool] = (rows.state == "leased") & (
        rows.leased_until <= bindparam("moment")
    )
    return over


def mine(rows: Table) -> Update:
    """Change the row `row` while the claim `held` on it stands. Build it once."""
    return update(rows).where(
        rows.c.id == bindparam("row"),
        rows.c.state == "leased",
        rows.c.claim == bindparam("held"),
    )
