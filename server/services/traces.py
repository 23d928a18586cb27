"""Network addresses in evidence: whole for a year, then the network alone (DS-04).

Evidence is named by its hash, so nothing in it can be taken out later. What has to go
is sealed once more, under a key of its month: with that key go all addresses of it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from server.domain.network import truncated
from server.domain.seals import (
    KEY_BYTES,
    NONCE_BYTES,
    SealError,
    Vault,
    open_for,
    seal_for,
)
from server.models.base import inserting
from server.models.month import MonthKey
from server.services.tools import Tools


def covered(
    session: Session,
    facts: Mapping[str, Any],
    *,
    about: bytes,
    nonce: bytes,
    tools: Tools,
    now: datetime,
) -> tuple[dict[str, Any], bytes]:
    """Return what evidence says, and its address sealed under the key of the month.

    Without an address, or without that key, the trace is empty. `nonce` is 12 fresh
    random bytes, which seal the piece of evidence itself as well, under another key.
    """
    ip = facts.get("ip")
    if not ip:
        return dict(facts), b""
    month = f"{now:%Y-%m}"
    kept = {name: value for name, value in facts.items() if name != "ip"}
    kept["network"] = truncated(ip)
    try:
        key = _key(session, month, tools=tools)
    except SealError:
        # A lost key of a month keeps nobody from anything.
        return kept, b""
    trace = seal_for(
        key,
        str(ip).encode(),
        nonce=nonce,
        about=about,
    )
    return kept | {"month": month}, trace


def uncovered(
    session: Session,
    facts: Mapping[str, Any],
    trace: bytes,
    *,
    about: bytes,
    vault: Vault,
) -> dict[str, Any]:
    """Return what evidence says, with its address as long as that may be known."""
    shown = dict(facts)
    month = shown.pop("month", None)
    if month is None or not trace:
        return shown
    found = session.scalar(select(MonthKey.sealed).where(MonthKey.month == month))
    if found is None:
        return shown
    key = vault.open(found, about=month.encode())
    try:
        return shown | {"ip": open_for(key, trace, about=about).decode()}
    except SealError:
        # Sealed under a key that was taken back, as earlier versions could. The piece
        # itself has opened and is held against its hash, so nobody changed this.
        return shown


def _key(session: Session, month: str, *, tools: Tools) -> bytes:
    """Return the key of a month, which its first fact makes."""
    known = tools.months.get(month)
    if known is not None:
        return known
    key = tools.random(KEY_BYTES)
    made = session.scalar(
        inserting(session.get_bind().dialect.name)(MonthKey)
        .values(
            month=month,
            sealed=tools.vault.seal(
                key, nonce=tools.random(NONCE_BYTES), about=month.encode()
            ),
        )
        .on_conflict_do_nothing()
        .returning(MonthKey.month)
    )
    if made is None:
        # Another process was first.
        sealed = session.scalars(
            select(MonthKey.sealed).where(MonthKey.month == month)
        ).one()
        key = tools.vault.open(sealed, about=month.encode())

    def remember(_session: Session) -> None:
        tools.months[month] = key

    # What is stored within a savepoint may be taken back, although all else stays.
    if not session.connection().in_nested_transaction():
        event.listen(session, "after_commit", remember)
    return key
