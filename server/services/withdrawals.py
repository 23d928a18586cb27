"""End what stands of somebody: all of it, some purposes, or what grew too old."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from server.domain.consent import EVERYTHING, NOES, Act
from server.models.base import table
from server.models.consent import ConsentEvent
from server.models.preference import Preference
from server.services import attributes, consents, contacts, optins
from server.services.consents import Circumstances, Request
from server.services.contacts import Person
from server.services.links import Found
from server.services.tools import Tools


def withdraw_all(
    session: Session,
    found: Found,
    *,
    by: Circumstances,
    method: str,
    tools: Tools,
    now: datetime,
) -> list[str]:
    """Withdraw every consent of somebody at a shop, and close what still waits.

    Returns the purposes that were withdrawn; none the second time (WD-01, WD-02).
    """
    facts = optins.press(found, by)
    ended = end_all(
        session, found.who, facts=facts, method=method, tools=tools, now=now
    )
    if not ended:
        _note_no(session, found, facts=facts, method=method, tools=tools, now=now)
    return ended


def _note_no(
    session: Session,
    found: Found,
    *,
    facts: Mapping[str, Any],
    method: str,
    tools: Tools,
    now: datetime,
) -> None:
    """Append that somebody said no to everything, if nothing of today says so.

    Where nothing stood that could end, an older yes on a list would come above it else
    (PR-06, PR-08). Such a list tells the day, so one fact a day is enough.
    """
    who = contacts.lock_known(session, found.who)
    if who is None:
        return
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    told = {"person": who.id, "since": today}
    if session.connection().scalar(_SAID_NO, told) is not None:
        return
    consents.record(
        session,
        who,
        Request(None, b"", b"", found.locale, "link", {}),
        Act.REFUSED,
        {EVERYTHING: b""},
        method=method,
        facts=facts,
        tools=tools,
        now=now,
    )


def end_all(
    session: Session,
    who: Person,
    *,
    facts: Mapping[str, Any],
    method: str,
    tools: Tools,
    now: datetime,
) -> list[str]:
    """End all that stands of somebody and what waits; return the purposes that ended.

    Their row stays locked until the end of the transaction.
    """
    who = contacts.lock(session, who)
    optins.abandon(session, who, facts=facts, method=method, tools=tools, now=now)
    withdrawn = consents.repeat(
        session,
        who,
        Act.WITHDRAWN,
        optin_id=None,
        method=method,
        facts=facts,
        tools=tools,
        now=now,
    )
    _forget(session, who, withdrawn)
    return withdrawn


def withdraw(
    session: Session,
    who: Person,
    purposes: Collection[str],
    *,
    facts: Mapping[str, Any],
    method: str,
    tools: Tools,
    now: datetime,
) -> list[str]:
    """End what stands of these purposes; return those that ended (WD-01, WD-03)."""
    return _end(
        session,
        who,
        Act.WITHDRAWN,
        purposes,
        facts=facts,
        method=method,
        tools=tools,
        now=now,
    )


def lapse(
    session: Session,
    who: Person,
    purposes: Collection[str],
    *,
    facts: Mapping[str, Any],
    tools: Tools,
    now: datetime,
) -> list[str]:
    """End what has grown too old; return the purposes that ended (SO-03, DS-05)."""
    return _end(
        session,
        who,
        Act.LAPSED,
        purposes,
        facts=facts,
        method="clock",
        tools=tools,
        now=now,
    )


def _end(
    session: Session,
    who: Person,
    act: Act,
    purposes: Collection[str],
    *,
    facts: Mapping[str, Any],
    method: str,
    tools: Tools,
    now: datetime,
) -> list[str]:
    who = contacts.lock(session, who)
    ended = consents.repeat(
        session,
        who,
        act,
        optin_id=None,
        only=purposes,
        method=method,
        facts=facts,
        tools=tools,
        now=now,
    )
    _forget(session, who, ended)
    return ended


def _forget(session: Session, who: Person, purposes: Collection[str]) -> None:
    """Remove what was kept under purposes that stand no longer."""
    attributes.forget(session, who, purposes)
    session.connection().execute(
        _FORGET, {"contact": who.id, "purposes": list(purposes)}
    )


_event = table(ConsentEvent)
_SAID_NO = (
    select(_event.c.id)
    .where(
        _event.c.contact_id == bindparam("person"),
        _event.c.act.in_(sorted(NOES)),
        _event.c.at >= bindparam("since"),
    )
    .limit(1)
)
_FORGET = delete(table(Preference)).where(
    Preference.contact_id == bindparam("contact"),
    Preference.purpose.in_(bindparam("purposes", expanding=True)),
)
