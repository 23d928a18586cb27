"""Append facts about consents, with their proof, and keep what follows from them."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, literal_column, select
from sqlalchemy.orm import Session

from server.domain.consent import DECISIONS, LASTING, Act, Question
from server.domain.evidence import name_of, packed, unpacked
from server.domain.seals import (
    KEY_BYTES,
    NONCE_BYTES,
    Vault,
    open_for,
    seal_for,
)
from server.models.base import inserting, table
from server.models.consent import ConsentEvent, ConsentQuestion, Evidence, Standing
from server.models.contact import Contact
from server.services import tellings, traces
from server.services.batch import Batch, Writer
from server.services.contacts import Person
from server.services.spelled import one_of
from server.services.tools import Tools


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, how it looked and where: the same for all facts of one opt-in.

    Without a form there is no opt-in, and the hash of what was not shown is empty.
    """

    optin_id: int | None
    notice_hash: bytes
    form_hash: bytes
    locale: str
    channel: str
    context: Mapping[str, Any]

    def question(self, purpose: str, text_hash: bytes) -> Question:
        """Return what it asked for one purpose."""
        return Question(
            purpose=purpose,
            channel=self.channel,
            text_hash=text_hash,
            notice_hash=self.notice_hash,
            form_hash=self.form_hash,
            locale=self.locale,
            context=self.context,
        )


@dataclass(frozen=True, slots=True)
class Circumstances:
    """From where somebody acted; it is kept only in sealed evidence (PR-10)."""

    # Empty where the shop keeps no addresses.
    ip: str
    user_agent: str
    page: str = ""
    # Whether that network is known to press links by itself (DO-11).
    is_scanner: bool = False


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
    into: Writer | None = None,
) -> None:
    """Append one fact for each purpose, under one sealed piece of evidence.

    `texts` maps purposes to the hash of the wording that was shown (PR-02). A decision
    moves the stored standing; the caller has seen to it that it may (`may_follow`).
    What decides nothing can go `into` a batch.
    """
    evidence_hash, sealed = _sealed(session, who, act, facts, tools=tools, now=now)
    asked = [
        request.question(purpose, text_hash) for purpose, text_hash in texts.items()
    ]
    rows = [
        {
            "shop_id": who.shop_id,
            "contact_id": who.id,
            "question_id": question_id,
            "act": act.value,
            "method": method,
            "evidence_hash": evidence_hash,
            "optin_id": request.optin_id,
            "at": now,
        }
        for question_id in tools.questions.keys(session, asked)
    ]
    tellings.tell(
        session,
        who,
        act,
        dict.fromkeys(texts, request.channel),
        facts=facts,
        tools=tools,
        now=now,
    )
    connection = session.connection()
    writer = into or connection
    _keep(writer, who, evidence_hash, sealed)
    if act not in DECISIONS:
        writer.execute(_APPEND, rows)
        return
    ids = connection.scalars(_APPEND.returning(_event.c.id), rows).all()
    connection.execute(_move_standing(connection.dialect.name), {"event_ids": ids})


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision of one person, which `record_all` appends among others."""

    who: Person
    question: Question
    act: Act
    method: str
    facts: Mapping[str, Any]


def record_all(
    session: Session, decisions: Iterable[Decided], *, tools: Tools, now: datetime
) -> None:
    """Append decisions that follow no form, and move what stands; one a purpose.

    The caller has seen to it that each may stand (`may_follow`), and holds the rows
    of their people.
    """
    facts, proofs = [], []
    decisions = list(decisions)
    questions = tools.questions.keys(session, [each.question for each in decisions])
    for each, question_id in zip(decisions, questions, strict=True):
        digest, sealed = _sealed(
            session, each.who, each.act, each.facts, tools=tools, now=now
        )
        proofs.append(_piece(each.who, digest, sealed))
        facts.append(
            {
                "shop_id": each.who.shop_id,
                "contact_id": each.who.id,
                "question_id": question_id,
                "act": each.act.value,
                "method": each.method,
                "evidence_hash": digest,
                "optin_id": None,
                "at": now,
            }
        )
    if not facts:
        return
    tellings.tell_all(session, decisions, tools=tools, now=now)
    connection = session.connection()
    connection.execute(_KEEP, proofs)
    ids = connection.scalars(_APPEND.returning(_event.c.id), facts).all()
    connection.execute(_move_standing(connection.dialect.name), {"event_ids": ids})


def repeat(
    session: Session,
    who: Person,
    act: Act,
    *,
    optin_id: int | None,
    only: Collection[str] | None = None,
    method: str,
    facts: Mapping[str, Any],
    tools: Tools,
    now: datetime,
    into: Batch | None = None,
) -> list[str]:
    """Append a fact to each of a request, or, with None, to each that stands today.

    Of those that stand, `only` names the purposes meant, if not all. A fact is about
    the same texts and has the same context: the database copies them, so no round trip
    brings them here and back. Returns the purposes. A decision moves the stored
    standing, in the same transaction; it and the evidence can go `into` a batch.
    """
    evidence_hash, sealed = _sealed(session, who, act, facts, tools=tools, now=now)
    connection = session.connection()
    told = {
        "shop": who.shop_id,
        "person": who.id,
        "request": optin_id,
        "next_act": act.value,
        "by_method": method,
        "proof": evidence_hash,
        "moment": now,
    }
    if optin_id is not None:
        rows = connection.execute(_REPEAT_ASKED, told).all()
    elif only is None:
        rows = connection.execute(_REPEAT_STANDING, told).all()
    else:
        chosen = told | {"chosen": list(only)}
        rows = connection.execute(_REPEAT_CHOSEN, chosen).all()
    if not rows:
        return []
    batch = into or Batch(connection)
    _keep(batch, who, evidence_hash, sealed)
    # Before what stands is moved: whoever waited for a mail had nothing that could end.
    if rows[0].has_recipients:
        tellings.tell(
            session,
            who,
            act,
            {row.purpose: row.channel for row in rows},
            facts=facts,
            tools=tools,
            now=now,
        )
    if act in DECISIONS:
        batch.execute(
            _stand(connection.dialect.name),
            [
                {
                    "contact_id": who.id,
                    "purpose": row.purpose,
                    "act": act.value,
                    "text_hash": row.text_hash,
                    "event_id": row.id,
                }
                for row in rows
            ],
        )
    if into is None:
        batch.send()
    return [row.purpose for row in rows]


def _sealed(
    session: Session,
    who: Person,
    act: Act,
    facts: Mapping[str, Any],
    *,
    tools: Tools,
    now: datetime,
) -> tuple[bytes, bytes]:
    """Return the name of a piece of evidence, and the piece itself."""
    nonce = tools.random(NONCE_BYTES)
    told, trace = traces.covered(
        session, facts, about=who.subject_ref, nonce=nonce, tools=tools, now=now
    )
    sealed = seal_for(
        # A lost key still lets its person stop: that they did is in the ledger, and
        # what proves it opens no more than all the rest of theirs.
        who.key or tools.random(KEY_BYTES),
        packed({"at": now.isoformat(), "act": act, **told}, trace),
        nonce=nonce,
        about=who.subject_ref,
    )
    return hashlib.sha256(sealed).digest(), sealed


def _keep(into: Writer, who: Person, digest: bytes, sealed: bytes) -> None:
    into.execute(_KEEP, _piece(who, digest, sealed))


def _piece(who: Person, digest: bytes, sealed: bytes) -> dict[str, Any]:
    return {"contact_id": who.id, "name": name_of(digest), "sealed": sealed}


_KEEP = table(Evidence).insert()
_event, _standing = table(ConsentEvent), table(Standing)
_question = table(ConsentQuestion)
_APPEND = _event.insert()
_contact = table(Contact)


def of_request(contact_id: Any, optin_id: Any) -> Any:
    """Select the facts with which a request began: one for each purpose.

    An index leads to those of its person, and nobody has many.
    """
    return and_(
        _event.c.contact_id == contact_id,
        _event.c.optin_id == optin_id,
        _event.c.act == Act.REQUESTED.value,
    )


# What a fact has of its own; all else it has in common with the one it follows.
_OWN = {
    "act": bindparam("next_act", type_=_event.c.act.type),
    "method": bindparam("by_method", type_=_event.c.method.type),
    "evidence_hash": bindparam("proof", type_=_event.c.evidence_hash.type),
    "at": bindparam("moment", type_=_event.c.at.type),
}


# What no fact has when it is appended: its key, and what sealing gives it.
_LATER = frozenset({"id", "seq", "entry_hash"})


def _repeating(of: Select[Any]) -> Any:
    """Return the statement that appends a fact to each that is selected."""
    names = [column.name for column in _event.c if column.name not in _LATER]
    followed = of.with_only_columns(
        *(_OWN.get(name, _event.c[name]) for name in names)
    ).order_by(_event.c.id)
    insert = _event.insert().from_select(names, followed)
    return insert.returning(
        _event.c.id,
        *(_asked(name) for name in ("purpose", "channel", "text_hash")),
        # A round trip less for the many shops without anybody to tell.
        tellings.has_recipients(bindparam("shop", type_=_event.c.shop_id.type)).label(
            "has_recipients"
        ),
    )


def _asked(name: str) -> Any:
    """Return a column of the question that a fact just appended is about.

    What is returned names no table, so the fact's own column does not either.
    """
    is_its = _question.c.id == literal_column("question_id")
    return select(_question.c[name]).where(is_its).scalar_subquery().label(name)


_REPEAT_ASKED = _repeating(
    select(_event).where(of_request(bindparam("person"), bindparam("request")))
)
_STANDS = (
    select(_event)
    .join(_standing, _standing.c.event_id == _event.c.id)
    .where(
        _standing.c.contact_id == bindparam("person"),
        one_of(_standing.c.act, sorted(LASTING)),
    )
)
_REPEAT_STANDING = _repeating(_STANDS)
_REPEAT_CHOSEN = _repeating(
    _STANDS.where(_standing.c.purpose.in_(bindparam("chosen", expanding=True)))
)


@cache
def _move_standing(dialect: str) -> Any:
    """Return the statement that lets decisions be what stands of their people."""
    decided = (
        select(
            *(_event.c.contact_id, _question.c.purpose, _event.c.act),
            *(_question.c.text_hash, _event.c.id),
        )
        .join(_question, _question.c.id == _event.c.question_id)
        .where(_event.c.id.in_(bindparam("event_ids", expanding=True)))
    )
    return _stand(dialect).from_select(["contact_id", "purpose", *_MOVED], decided)


_MOVED = ("act", "text_hash", "event_id")


@cache
def _stand(dialect: str) -> Any:
    """Return the statement that lets a decision stand, in the place of the last."""
    insert = inserting(dialect)(_standing)
    return insert.on_conflict_do_update(
        index_elements=["contact_id", "purpose"],
        set_={name: getattr(insert.excluded, name) for name in _MOVED},
    )


def active(session: Session, contact_id: int) -> dict[str, str]:
    """Return what somebody says yes to today: purpose -> hex hash of the wording."""
    rows = session.connection().execute(_ACTIVE, {"contact_id": contact_id})
    return {purpose: text_hash.hex() for purpose, text_hash in rows}


_ACTIVE = select(Standing.purpose, Standing.text_hash).where(
    Standing.contact_id == bindparam("contact_id"), Standing.act == Act.GIVEN
)


def history(session: Session, subject_ref: bytes) -> list[ConsentEvent]:
    """Return a person's facts in ledger order."""
    return list(
        session.scalars(
            select(ConsentEvent)
            .join(Contact, Contact.id == ConsentEvent.contact_id)
            .where(Contact.subject_ref == subject_ref)
            .order_by(ConsentEvent.id)
        )
    )


def asked_in(session: Session, who: Person, optin_id: int) -> dict[str, bytes]:
    """Return what a request asks for: purpose -> hash of its wording."""
    told = {"person": who.id, "request": optin_id}
    rows = session.connection().execute(_ASKED_IN, told)
    return {row.purpose: row.text_hash for row in rows}


_ASKED_IN = (
    select(_question.c.purpose, _question.c.text_hash)
    .join(_event, _event.c.question_id == _question.c.id)
    .where(of_request(bindparam("person"), bindparam("request")))
    .order_by(_event.c.id)
)


def asked_from(session: Session, who: Person, optin_id: int, *, vault: Vault) -> str:
    """Return the network address from which a request was made, empty if unknown."""
    digest = session.scalar(
        select(ConsentEvent.evidence_hash).where(of_request(who.id, optin_id)).limit(1)
    )
    facts = evidence(session, who, digest, vault=vault) if digest else {}
    return str(facts.get("ip", ""))


def evidence(
    session: Session, who: Person, digest: bytes, *, vault: Vault
) -> dict[str, Any]:
    """Open a piece of evidence of this person. Raises `SealError` if it was changed."""
    sealed = session.scalar(
        select(Evidence.sealed).where(
            Evidence.contact_id == who.id, Evidence.name == name_of(digest)
        )
    )
    if sealed is None or hashlib.sha256(sealed).digest() != digest:
        return {}
    plain = open_for(who.key, sealed, about=who.subject_ref)
    told, trace = unpacked(plain, nonce=sealed[:NONCE_BYTES])
    return traces.uncovered(session, told, trace, about=who.subject_ref, vault=vault)
