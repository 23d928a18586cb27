"""Append facts about consents, with their proof, and keep what follows from them."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import rfc8785
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from server.domain.consent import DECISIONS, Act, standing
from server.domain.seals import NONCE_BYTES, open_for, seal_for
from server.models.base import inserting, table
from server.models.consent import ConsentEvent, Evidence, Standing
from server.services.contacts import Person
from server.services.tools import Tools


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, how it looked and where: the same for all facts of one opt-in."""

    optin_id: int
    notice_hash: bytes
    form_hash: bytes
    locale: str
    channel: str
    context: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """From where somebody acted; it is kept only in sealed evidence (PR-10)."""

    ip: str
    user_agent: str
    page: str = ""


def record(
    session: Session,
    who: Person,
    request: Request,
    act: Act,
    texts: Mapping[str, bytes],
    *,
    method: str,
    facts: Mapping[str, Any],
    tools: Tools,
    now: datetime,
) -> None:
    """Append one fact for each purpose, under one sealed piece of evidence.

    `texts` maps purposes to the hash of the wording that was shown (PR-02). A
    decision also moves the stored standing, in the same transaction.
    """
    evidence_hash = _keep_evidence(
        session, who, {"at": now.isoformat(), "act": act, **facts}, tools=tools
    )
    rows = [
        {
            "shop_id": who.shop_id,
            "subject_ref": who.subject_ref,
            "purpose": purpose,
            "channel": request.channel,
            "act": act.value,
            "method": method,
            "text_hash": text_hash,
            "notice_hash": request.notice_hash,
            "form_hash": request.form_hash,
            "locale": request.locale,
            "context": dict(request.context),
            "evidence_hash": evidence_hash,
            "optin_id": request.optin_id,
            "at": now,
        }
        for purpose, text_hash in texts.items()
    ]
    if act in DECISIONS:
        _decide(session, who, rows)
    else:
        session.connection().execute(_APPEND, rows)


_APPEND = table(ConsentEvent).insert()
_KEEP = table(Evidence).insert()


def _keep_evidence(
    session: Session, who: Person, facts: Mapping[str, Any], *, tools: Tools
) -> bytes:
    sealed = seal_for(
        who.key,
        rfc8785.dumps(dict(facts)),
        nonce=tools.random(NONCE_BYTES),
        about=who.subject_ref,
    )
    digest = hashlib.sha256(sealed).digest()
    session.connection().execute(
        _KEEP, {"sha256": digest, "contact_id": who.id, "sealed": sealed}
    )
    return digest


def _decide(session: Session, who: Person, rows: list[dict[str, Any]]) -> None:
    connection = session.connection()
    # The rows come back in the order in which they went in.
    ids = connection.scalars(_APPEND_EACH, rows).all()
    connection.execute(
        _move_standing(connection.dialect.name),
        [
            {
                "contact_id": who.id,
                "purpose": row["purpose"],
                "act": row["act"],
                "text_hash": row["text_hash"],
                "event_id": event_id,
            }
            for row, event_id in zip(rows, ids, strict=True)
        ],
    )


_event = table(ConsentEvent)
_APPEND_EACH = _event.insert().returning(_event.c.id, sort_by_parameter_order=True)


@cache
def _move_standing(dialect: str) -> Any:
    insert = inserting(dialect)(table(Standing))
    return insert.on_conflict_do_update(
        index_elements=["contact_id", "purpose"],
        set_={
            name: getattr(insert.excluded, name)
            for name in ("act", "text_hash", "event_id")
        },
    )


def active(session: Session, contact_id: int) -> dict[str, str]:
    """Return what somebody says yes to today: purpose -> hex hash of the wording."""
    rows = session.connection().execute(_ACTIVE, {"contact_id": contact_id})
    return {purpose: text_hash.hex() for purpose, text_hash in rows}


_standing = table(Standing)
_ACTIVE = select(_standing.c.purpose, _standing.c.text_hash).where(
    _standing.c.contact_id == bindparam("contact_id"),
    _standing.c.act == Act.GIVEN.value,
)


def history(session: Session, subject_ref: bytes) -> list[ConsentEvent]:
    """Return a person's facts in ledger order."""
    return list(
        session.scalars(
            select(ConsentEvent)
            .where(ConsentEvent.subject_ref == subject_ref)
            .order_by(ConsentEvent.id)
        )
    )


def refold(events: Iterable[ConsentEvent]) -> dict[str, str]:
    """Return the standing that the events alone give, for comparing (PR-06)."""
    return {purpose: act.value for purpose, act in standing(events).items()}


def evidence(session: Session, who: Person, digest: bytes) -> dict[str, Any]:
    """Open a piece of evidence of this person. Raises `SealError` if it was changed."""
    sealed = session.scalar(
        select(Evidence.sealed).where(
            Evidence.sha256 == digest, Evidence.contact_id == who.id
        )
    )
    if sealed is None or hashlib.sha256(sealed).digest() != digest:
        return {}
    facts: dict[str, Any] = json.loads(open_for(who.key, sealed, about=who.subject_ref))
    return facts
