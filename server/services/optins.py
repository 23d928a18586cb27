"""Double opt-in: ask, confirm, decline, renew, withdraw (REQUIREMENTS section 14).

What two presses may race for is decided by one guarded UPDATE and its row count.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Dialect, bindparam, case, select, true, update
from sqlalchemy.orm import Session

from server.domain import address
from server.domain import optin as rules
from server.domain.consent import Act
from server.domain.limits import Kind
from server.domain.links import LinkRef
from server.domain.seals import SealError, Vault
from server.models.base import rows_changed, table
from server.models.consent import ConsentEvent, ConsentQuestion, Standing
from server.models.contact import Contact
from server.models.optin import OptIn
from server.services import (
    attributes,
    consents,
    contacts,
    links,
    mailboxes,
    outbox,
    receipt_letters,
)
from server.services.batch import Batch, Writer
from server.services.consents import Circumstances, Request
from server.services.contacts import Person, Reason
from server.services.links import Asked, Found
from server.services.outbox import Mail
from server.services.spelled import Spelled, one_of
from server.services.tools import Tools


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a press led to: confirmed now, or the state that stood in its way."""

    state: rules.State
    at: datetime | None
    is_new: bool


def answer_for(
    session: Session, who: Person, asked: Mapping[str, str], *, now: datetime
) -> tuple[rules.Answer, rules.Pending | None]:
    """Return what to do when somebody asks for these purposes, and what waits."""
    if who.is_new or not asked:
        return rules.answer(asked, active={}, pending=None, now=now), None
    rows = session.connection().execute(_KNOWN, {"contact_id": who.id}).all()
    active = {row.purpose: row.text_hash.hex() for row in rows if row.purpose}
    waits = {row.asked: row.wording.hex() for row in rows if row.asked}
    id_, expires_at = rows[0].id, rows[0].expires_at
    pending = None if id_ is None else rules.Pending(id_, waits, expires_at)
    return rules.answer(asked, active=active, pending=pending, now=now), pending


def pending_of(session: Session, contact_id: int) -> int | None:
    """Return the newest request of somebody that waits for its confirmation."""
    found: int | None = session.connection().scalar(
        _PENDING, {"contact_id": contact_id}
    )
    return found


_event, _question = table(ConsentEvent), table(ConsentQuestion)
_OPEN_OF = OptIn.contact_id == bindparam("contact_id"), one_of(OptIn.state, rules.OPEN)
_PENDING = (
    select(OptIn.id, OptIn.expires_at)
    .where(*_OPEN_OF)
    .order_by(OptIn.id.desc())
    .limit(1)
)
_newest = _PENDING.subquery()
# All in one: who is known must not take longer than who is not (AB-03). A row stands
# for a purpose that is on beside one that was asked; of both there are few.
_KNOWN = (
    select(
        *(_newest.c.id, _newest.c.expires_at, Standing.purpose, Standing.text_hash),
        _question.c.purpose.label("asked"),
        _question.c.text_hash.label("wording"),
    )
    .select_from(Contact)
    .outerjoin(_newest, true())
    .outerjoin(
        _event,
        consents.of_request(Contact.id, _newest.c.id),
    )
    .outerjoin(_question, _question.c.id == _event.c.question_id)
    .outerjoin(
        Standing, (Standing.contact_id == Contact.id) & (Standing.act == Act.GIVEN)
    )
    .where(Contact.id == bindparam("contact_id"))
)
_WAITING = select(OptIn.id).where(*_OPEN_OF).order_by(OptIn.id)


def request(
    session: Session,
    who: Person,
    asked: Mapping[str, bytes],
    *,
    entry_id: int,
    notice_hash: bytes,
    form_hash: bytes,
    locale: str,
    channel: str,
    context: Mapping[str, Any],
    facts: Mapping[str, Any],
    tools: Tools,
    now: datetime,
    optin_id: int | None = None,
    into: Writer | None = None,
) -> int:
    """Open a request for these purposes, with its facts; the caller queues the mail.

    It can go `into` a batch under a key that was taken beforehand.
    """
    row = {
        "contact_id": who.id,
        "entry_id": entry_id,
        "state": rules.State.REQUESTED.value,
        "requested_at": now,
        "expires_at": now + rules.LIFE,
        "provider": address.provider(who.email),
    }
    if optin_id is None:
        optin_id = session.connection().execute(_OPEN_REQUEST, row).scalar_one()
    else:
        (into or session.connection()).execute(_PUT, {"id": optin_id, **row})
    consents.record(
        session,
        who,
        Request(optin_id, notice_hash, form_hash, locale, channel, context),
        Act.REQUESTED,
        asked,
        method="form",
        facts=facts,
        tools=tools,
        now=now,
        into=into,
    )
    return optin_id


_optin = table(OptIn)
_PUT = _optin.insert()
_OPEN_REQUEST = _PUT.returning(_optin.c.id)


def supersede(
    session: Session,
    who: Person,
    optin_id: int,
    *,
    method: str = "form",
    facts: Mapping[str, Any] | None = None,
    tools: Tools,
    now: datetime,
) -> None:
    """Close a request because the person now asked for something else."""
    if _move(session, optin_id, rules.State.SUPERSEDED, now=now):
        consents.repeat(
            session,
            who,
            Act.SUPERSEDED,
            optin_id=optin_id,
            method=method,
            facts=facts or {},
            tools=tools,
            now=now,
        )


def confirm(
    session: Session,
    found: Found,
    *,
    by: Circumstances,
    method: str = "mailbox-confirmed-post",
    tools: Tools,
    now: datetime,
    ref: LinkRef | None = None,
) -> Confirmation:
    """Turn what was asked into consents, once (DO-02, DO-06).

    The press decides by one compare-and-set; every other press, however many at a
    time, finds it done and changes nothing. The person stays locked, so that a yes and
    a no of the same moment stand in the order in which they are written down.

    With the link that was pressed, a mail with the receipt is queued as well, if the
    shop wants that.
    """
    optin_id, who = found.asked.id, found.who
    connection = session.connection()
    changed = _confirm(connection.dialect).run(
        connection,
        {
            "optin": optin_id,
            "person": who.id,
            "outcome": rules.State.CONFIRMED.value,
            "moment": now,
        },
    )
    if rows_changed(changed) != 1:
        return _as_it_stands(session, optin_id, now=now)
    batch = Batch(connection)
    given = consents.repeat(
        session,
        who,
        Act.GIVEN,
        optin_id=optin_id,
        method=method,
        facts=press(found, by) | _suspect(found.asked, by, now=now),
        tools=tools,
        now=now,
        into=batch,
    )
    attributes.learn(session, found, given=given, random=tools.random, now=now)
    if ref is not None:
        receipt_letters.put(session, found, ref, tools=tools, now=now, into=batch)
    batch.send()
    return Confirmation(rules.State.CONFIRMED, now, is_new=True)


def _suspect(optin: Asked, by: Circumstances, *, now: datetime) -> dict[str, Any]:
    """Return why a press may not have been a person's; it counts all the same (DO-11).

    What can press a button cannot be told from a person; who looks at the proof may.
    """
    signs = rules.signs_of_a_machine(
        sent_at=optin.sent_at, is_scanner=by.is_scanner, now=now
    )
    return {"suspect": signs} if signs else {}


def _as_it_stands(session: Session, optin_id: int, *, now: datetime) -> Confirmation:
    row = session.get_one(OptIn, optin_id, populate_existing=True)
    state = rules.State(row.state)
    if state in rules.OPEN and row.expires_at <= now:
        state = rules.State.EXPIRED
    return Confirmation(state, row.settled_at, is_new=False)


def decline(
    session: Session,
    found: Found,
    *,
    by: Circumstances,
    tools: Tools,
    now: datetime,
) -> Confirmation:
    """Close a request because its owner did not make it, and stop asking them."""
    optin_id = found.asked.id
    who = contacts.lock(session, found.who)
    if not _move(session, optin_id, rules.State.DECLINED, now=now):
        return _as_it_stands(session, optin_id, now=now)
    consents.repeat(
        session,
        who,
        Act.DECLINED,
        optin_id=optin_id,
        method="mailbox-post",
        facts=press(found, by),
        tools=tools,
        now=now,
    )
    until = now + rules.BLOCK_AFTER_NOT_ME
    contacts.suppress(session, who, reason=Reason.NOT_ME, until=until, now=now)
    return Confirmation(rules.State.DECLINED, now, is_new=True)


def abandon(
    session: Session,
    who: Person,
    *,
    facts: Mapping[str, Any],
    method: str,
    tools: Tools,
    now: datetime,
) -> None:
    """Close all that waits of somebody, because they want none of it.

    More than one can wait: an old one that nobody has closed yet, and the newest.
    """
    for optin_id in session.scalars(_WAITING, {"contact_id": who.id}).all():
        if _move(session, optin_id, rules.State.DECLINED, now=now):
            consents.repeat(
                session,
                who,
                Act.WITHDRAWN,
                optin_id=optin_id,
                method=method,
                facts=facts,
                tools=tools,
                now=now,
            )


def mark_sent(
    session: Session,
    optin_id: int,
    who: Person,
    *,
    message_id: str,
    facts: Mapping[str, Any],
    tools: Tools,
    now: datetime,
) -> None:
    """Note that the confirmation mail was accepted, with what proves it (PR-02)."""
    session.connection().execute(
        _MARK_SENT, {"optin": optin_id, "accepted_as": message_id, "moment": now}
    )
    consents.repeat(
        session,
        who,
        Act.CONFIRMATION_SENT,
        optin_id=optin_id,
        method="smtp",
        facts=facts,
        tools=tools,
        now=now,
    )


_MARK_SENT = (
    update(_optin)
    .where(_optin.c.id == bindparam("optin"))
    .values(
        message_id=bindparam("accepted_as"),
        sent_at=bindparam("moment"),
        # It may be confirmed by now: the mail can be faster than this mark.
        state=case(
            (_optin.c.state == rules.State.REQUESTED.value, rules.State.SENT.value),
            else_=_optin.c.state,
        ),
    )
)


def mark_undeliverable(
    session: Session, optin_id: int, *, tools: Tools, now: datetime
) -> None:
    """Close a request whose address refuses mail for good, and ask it no more (F11)."""
    if not _move(session, optin_id, rules.State.UNDELIVERABLE, now=now):
        return
    contact_id = session.get_one(OptIn, optin_id).contact_id
    contacts.suppress(
        session,
        contacts.whoever(session, contact_id, vault=tools.vault),
        reason=Reason.REFUSED,
        until=now + rules.BLOCK_AFTER_REFUSAL,
        now=now,
    )


def expire_due(
    session: Session, *, tools: Tools, now: datetime, most: int = 200
) -> int:
    """Close the requests whose time is over, and return how many (DO-05)."""
    due = session.scalars(
        select(OptIn.id)
        .where(OptIn.state.in_(rules.OPEN), OptIn.expires_at <= now)
        .limit(most)
    ).all()
    for optin_id in due:
        row = session.get_one(OptIn, optin_id)
        try:
            who = contacts.person(session, row.contact_id, vault=tools.vault)
        except SealError:
            # Of who was erased nothing can be proven; all others still get their turn.
            _move(session, optin_id, rules.State.EXPIRED, now=now)
            continue
        _expire(session, who, optin_id, tools=tools, now=now)
    return len(due)


def may_renew(optin: Asked, *, now: datetime) -> bool:
    """Return whether a request may be asked anew without typing the address."""
    is_over = optin.state == rules.State.EXPIRED or optin.expires_at <= now
    return (
        is_over
        and optin.state in {*rules.OPEN, rules.State.EXPIRED}
        and now < optin.expires_at + rules.RENEW_FOR
    )


def renew(
    session: Session,
    found: Found,
    *,
    by: Circumstances,
    tools: Tools,
    now: datetime,
) -> bool:
    """Ask again for an expired request, and queue its mail; False if nothing is sent.

    The limits of a mailbox hold here too (DO-05, DO-09).
    """
    old = found.optin
    if old is None or not may_renew(old, now=now):
        return False
    who = contacts.lock_known(session, found.who)
    # A mailbox that was given up in this moment asks for nothing any more.
    if who is None or who.email_hash != found.who.email_hash:
        return False
    _expire(session, who, old.id, tools=tools, now=now)
    if pending_of(session, who.id) or not who.may_be_asked(now):
        return False
    wanted = [Kind.CONFIRM]
    if not mailboxes.allowed_mails(session, who, wanted, vault=tools.vault, now=now):
        return False
    again, page = _asked_before(session, who, old.id, vault=tools.vault)
    optin_id = request(
        session,
        who,
        consents.asked_in(session, who, old.id),
        entry_id=old.entry_id,
        notice_hash=again.notice_hash,
        form_hash=again.form_hash,
        locale=again.locale,
        channel=again.channel,
        context=again.context,
        facts={
            "ip": by.ip,
            "user_agent": by.user_agent,
            "page": page,
            "renews": old.id,
        },
        tools=tools,
        now=now,
    )
    queue_confirmation(
        session,
        who,
        optin_id,
        entry_id=old.entry_id,
        page=page,
        tools=tools,
        now=now,
    )
    return True


def queue_confirmation(
    session: Session,
    who: Person,
    optin_id: int,
    *,
    entry_id: int,
    page: str,
    tools: Tools,
    now: datetime,
) -> None:
    """Queue a confirmation mail of its own, with a link of its own."""
    ref = links.make(
        session,
        contact_id=who.id,
        entry_id=entry_id,
        optin_id=optin_id,
        tools=tools,
        now=now,
    )
    outbox.put_mails(
        session,
        [
            Mail(
                letter="confirm",
                shop_id=who.shop_id,
                contact_id=who.id,
                optin_id=optin_id,
                params={
                    "to": who.email,
                    "link": ref.as_payload(),
                    "page": page,
                },
            )
        ],
        tools=tools,
        now=now,
    )


def press(found: Found, by: Circumstances) -> dict[str, Any]:
    """Return what the evidence of a press on a mailed link says."""
    return {"ip": by.ip, "user_agent": by.user_agent, "link": found.link_id}


def _expire(
    session: Session, who: Person, optin_id: int, *, tools: Tools, now: datetime
) -> None:
    if _move(session, optin_id, rules.State.EXPIRED, now=now):
        consents.repeat(
            session,
            who,
            Act.EXPIRED,
            optin_id=optin_id,
            method="clock",
            facts={},
            tools=tools,
            now=now,
        )


def _move(
    session: Session, optin_id: int, state: rules.State, *, now: datetime
) -> bool:
    changed = session.connection().execute(
        _MOVE, {"optin": optin_id, "outcome": state, "moment": now}
    )
    return rows_changed(changed) == 1


_MOVE = (
    update(_optin)
    .where(_optin.c.id == bindparam("optin"), one_of(_optin.c.state, rules.OPEN))
    .values(state=bindparam("outcome"), settled_at=bindparam("moment"))
)
# It locks the person on its way to the request, as `contacts.lock` does: a round trip
# less. Who was waited for may have settled it; then its newest state decides. A move to
# another address closes all that waits, so whom it finds has the address of the link.
_CONFIRM = _MOVE.where(
    _optin.c.expires_at > bindparam("moment"),
    _optin.c.contact_id
    == select(Contact.id)
    .where(Contact.id == bindparam("person"))
    .with_for_update(key_share=True)
    .scalar_subquery(),
)


@cache
def _confirm(dialect: Dialect) -> Spelled:
    return Spelled(_CONFIRM, dialect)


def _first_fact(session: Session, who: Person, optin_id: int) -> Any:
    """Return a fact with which a request began."""
    told = {"person": who.id, "request": optin_id}
    return session.connection().execute(_FIRST_FACT, told).first()


def _asked_before(
    session: Session, who: Person, optin_id: int, *, vault: Vault
) -> tuple[Request, str]:
    """Return how a request was asked, and on which page.

    Facts of before step 0010 name the page in clear; it is in the evidence since.
    """
    first = _first_fact(session, who, optin_id)
    asked = _request_of(first)
    page = asked.context.get("page")
    if page is None:
        told = consents.evidence(session, who, first.evidence_hash, vault=vault)
        page = told.get("page", "")
    context = {name: value for name, value in asked.context.items() if name != "page"}
    return replace(asked, context=context), str(page)


_FIRST_FACT = (
    select(_event.c.optin_id, _event.c.evidence_hash, *_question.c)
    .join(_question, _question.c.id == _event.c.question_id)
    .where(consents.of_request(bindparam("person"), bindparam("request")))
    .order_by(_event.c.id)
    .limit(1)
)


def _request_of(event: Any) -> Request:
    return Request(
        optin_id=event.optin_id,
        notice_hash=event.notice_hash,
        form_hash=event.form_hash,
        locale=event.locale,
        channel=event.channel,
        context=event.context,
    )
