"""Queue what a shop's recipients have to be told, with the fact itself (DS-06).

`consents` calls this for every fact, so no path can forget it: a yes, its end, and each
right that somebody uses. Who has not confirmed is named to nobody (DO-01).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import bindparam, exists, func, or_, select, update
from sqlalchemy.orm import Session

from server.domain.consent import ENDS as ENDINGS
from server.domain.consent import Act, Question
from server.domain.seals import NONCE_BYTES, SealError
from server.domain.webhook import (
    ENDS,
    OWED,
    RIGHTS,
    STARTS,
    Event,
    Message,
    rank,
    topic,
)
from server.models.base import MILLISECOND, table
from server.models.consent import ConsentEvent, ConsentQuestion, Standing
from server.models.contact import Contact
from server.models.webhook import Delivery, Webhook
from server.services import leases
from server.services.contacts import Person
from server.services.tools import Tools

ID_BYTES = 16
ID_PREFIX = "msg_"
# Why something is dropped: a later event says it all.
STALE = "something newer"
TOLD = frozenset({*STARTS, *ENDINGS, *RIGHTS})


class Decision(Protocol):
    """One decision of one person among others."""

    @property
    def who(self) -> Person: ...
    @property
    def question(self) -> Question: ...
    @property
    def act(self) -> Act: ...
    @property
    def facts(self) -> Mapping[str, Any]: ...


def tell_all(
    session: Session, decisions: Iterable[Decision], *, tools: Tools, now: datetime
) -> None:
    """Queue what recipients have to know of many decisions."""
    has_any: dict[int, bool] = {}
    for each in decisions:
        shop_id = each.who.shop_id
        if shop_id not in has_any:
            has_any[shop_id] = session.scalar(_ANY, {"of": shop_id}) is not None
        if has_any[shop_id]:
            tell(
                session,
                each.who,
                each.act,
                {each.question.purpose: each.question.channel},
                facts=each.facts,
                tools=tools,
                now=now,
            )


def has_recipients(shop: Any) -> Any:
    """Select whether anybody is told of what happens in a shop."""
    return exists().where(_webhook.c.shop_id == shop, _webhook.c.state != "ended")


def tell(
    session: Session,
    who: Person,
    act: Act,
    channels: Mapping[str, str],
    *,
    facts: Mapping[str, Any],
    tools: Tools,
    now: datetime,
) -> None:
    """Queue what recipients have to know of a fact about these purposes.

    `channels` says what each is mailed by. It is called before what stands is
    moved, and the caller holds the person's row. A shop without recipients pays one
    look at an index, and who merely asks for a confirmation not even that.
    """
    if act not in TOLD:
        return
    rows = session.connection().execute(_RECIPIENTS, {"of": who.id})
    recipients = [Recipient(*row) for row in rows]
    if not recipients:
        return
    allowed = _ever_allowed(session, who) if act in RIGHTS else dict.fromkeys(channels)
    news = _news(session, who, act, channels, facts) if allowed else []
    for recipient in recipients:
        _queue(
            session,
            recipient,
            [new for new in news if _concerns(recipient, new, allowed)],
            who=who,
            tools=tools,
            now=now,
        )


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom to tell, how they know the person, and the last thing said of them."""

    id: int
    state: str
    events: list[str] | None
    purposes: list[str] | None
    # Since when it may have been given anybody.
    created_at: datetime
    public_id: str
    last: datetime | None


@dataclass(frozen=True, slots=True)
class _New:
    """What is new about somebody: the same for each recipient."""

    event: Event
    email: str
    earlier: tuple[str, ...] = ()
    purpose: str | None = None
    channel: str = ""
    because: str | None = None

    @property
    def topic(self) -> str:
        return topic(self.event, self.purpose)


def _news(
    session: Session,
    who: Person,
    act: Act,
    channels: Mapping[str, str],
    facts: Mapping[str, Any],
) -> list[_New]:
    if act is Act.RECTIFIED:
        earlier = (facts["email_before"],)
        return [_New(Event.RECTIFIED, facts["email"], earlier)]
    if act in RIGHTS:
        return [_New(RIGHTS[act], who.email)]
    if act in STARTS:
        return [
            _New(STARTS[act], who.email, purpose=purpose, channel=channel)
            for purpose, channel in channels.items()
        ]
    stood = session.execute(_STOOD, {"of": who.id, "purposes": list(channels)})
    return [
        _New(
            ENDS[Act(row.act)],
            who.email,
            purpose=row.purpose,
            channel=channels[row.purpose],
            because=act.value,
        )
        for row in stood
        if Act(row.act) in ENDS
    ]


def _ever_allowed(session: Session, who: Person) -> dict[str, datetime | None]:
    """Return for which purposes somebody's address may have been passed on.

    Each with the moment at which that ended last; None while it may be.
    """
    allowed: dict[str, datetime | None] = {}
    for row in session.execute(_ALLOWED, {"person": who.id}):
        if Act(row.act) in STARTS:
            allowed[row.purpose] = None
        elif allowed.get(row.purpose, row.at) is None:
            allowed[row.purpose] = row.at
    return allowed


def _concerns(
    recipient: Recipient, new: _New, allowed: Mapping[str, datetime | None]
) -> bool:
    """Return whether a recipient has to know; one that is off only of what it owes.

    Who is told of some purposes only must not learn of a person by any other (CR-05).
    Nor may one of whom all that was allowed had ended before it came: it was given
    nothing of theirs (GDPR 19).
    """
    if recipient.state != "active" and new.event not in OWED:
        return False
    if recipient.events is not None and new.event not in recipient.events:
        return False
    return any(
        recipient.purposes is None or purpose in recipient.purposes
        for purpose, until in allowed.items()
        if new.purpose in {None, purpose}
        and (until is None or until >= recipient.created_at)
    )


def _queue(
    session: Session,
    recipient: Recipient,
    news: Sequence[_New],
    *,
    who: Person,
    tools: Tools,
    now: datetime,
) -> None:
    if not news:
        return
    told = {"webhook": recipient.id, "of": who.id}
    unheard = _unheard_addresses(session, told, tools=tools)
    _let_go(session, told, news, now=now)
    # An address may have been given up and taken again.
    known = {*unheard} - {new.email for new in news}
    sequence = max(now, recipient.last + MILLISECOND) if recipient.last else now
    rows = []
    for new in news:
        message_id = f"{ID_PREFIX}{tools.random(ID_BYTES).hex()}"
        message = Message(
            event=new.event,
            contact=recipient.public_id,
            email=new.email,
            earlier=tuple(sorted({*new.earlier, *known})),
            purpose=new.purpose,
            channel=new.channel,
            because=new.because,
            at=now,
            sequence=sequence,
        )
        rows.append(
            {
                "message_id": message_id,
                "webhook_id": recipient.id,
                "contact_id": who.id,
                "event": new.event.value,
                "topic": new.topic,
                "sequence": sequence,
                **waiting(message_id, message.body(), new.event, tools=tools, now=now),
            }
        )
        sequence += MILLISECOND
    session.connection().execute(_PUT, rows)


def waiting(
    message_id: str, body: bytes, event: Event, *, tools: Tools, now: datetime
) -> dict[str, Any]:
    """Return the columns of an event that waits to be sent at once."""
    return {
        "rank": rank(event),
        "sealed": tools.vault.seal(
            body, nonce=tools.random(NONCE_BYTES), about=message_id.encode()
        ),
        "state": "waiting",
        "due_at": now,
        "attempts": 0,
        "created_at": now,
        "answer": "",
    }


def _unheard_addresses(
    session: Session, told: Mapping[str, int], *, tools: Tools
) -> set[str]:
    """Return by which addresses a recipient may still know somebody.

    It was to be told that they have another, and has not acknowledged that.
    """
    addresses: set[str] = set()
    for message_id, sealed in session.execute(_UNHEARD, told):
        try:
            body = tools.vault.open(sealed, about=message_id.encode())
        except SealError:
            continue
        addresses.update(json.loads(body)["data"].get("earlier_emails", ()))
    return addresses


def _let_go(
    session: Session, told: Mapping[str, int], news: Sequence[_New], *, now: datetime
) -> None:
    """Drop what waits and is true no longer; after an erasure, everything (T30).

    What is being sent in this moment is looked at when that is over. Until then nothing
    may overtake it, so an erasure empties it where it is.
    """
    given = {**told, "moment": now}
    if any(new.event is Event.ERASED for new in news):
        session.connection().execute(_DROP, given)
        session.connection().execute(_EMPTY, dict(told))
        return
    topics = _delivery.c.topic.in_([new.topic for new in news])
    session.connection().execute(_DROP.where(topics), given)


_delivery, _webhook = table(Delivery), table(Webhook)
_contact, _event = table(Contact), table(ConsentEvent)
_question = table(ConsentQuestion)
_PUT = _delivery.insert()
_ANY = (
    select(_webhook.c.id)
    .where(_webhook.c.shop_id == bindparam("of"), _webhook.c.state != "ended")
    .limit(1)
)
_RECIPIENTS = (
    select(
        *(_webhook.c.id, _webhook.c.state, _webhook.c.events, _webhook.c.purposes),
        *(_webhook.c.created_at, _contact.c.public_id),
        select(func.max(_delivery.c.sequence))
        .where(_delivery.c.contact_id == bindparam("of"))
        .scalar_subquery()
        .label("last"),
    )
    .join(_contact, _contact.c.shop_id == _webhook.c.shop_id)
    .where(_contact.c.id == bindparam("of"), _webhook.c.state != "ended")
    .order_by(_webhook.c.id)
    # None of them ends until what is queued here can be seen by whoever ends it.
    .with_for_update(read=True, key_share=True, of=_webhook)
)
_STOOD = (
    select(Standing.purpose, Standing.act)
    .where(
        Standing.contact_id == bindparam("of"),
        Standing.purpose.in_(bindparam("purposes", expanding=True)),
    )
    .order_by(Standing.purpose)
)
_ALLOWED = (
    select(_question.c.purpose, _event.c.act, _event.c.at)
    .join(_question, _question.c.id == _event.c.question_id)
    .where(
        _event.c.contact_id == bindparam("person"),
        _event.c.act.in_([act.value for act in (*STARTS, *sorted(ENDINGS))]),
    )
    .order_by(_event.c.id)
)
_OF_BOTH = (
    _delivery.c.webhook_id == bindparam("webhook"),
    _delivery.c.contact_id == bindparam("of"),
)
_UNHEARD = select(_delivery.c.message_id, _delivery.c.sealed).where(
    *_OF_BOTH, _delivery.c.topic == "address", _delivery.c.sealed.is_not(None)
)
_DROP = (
    update(_delivery)
    .where(
        *_OF_BOTH,
        or_(
            _delivery.c.state.in_(("waiting", "dead")),
            leases.is_abandoned(_delivery.c),
        ),
    )
    .values(
        state="dropped",
        settled_at=bindparam("moment"),
        sealed=None,
        answer=STALE,
        claim=None,
        leased_until=None,
    )
)
_EMPTY = (
    update(_delivery)
    .where(*_OF_BOTH, _delivery.c.sealed.is_not(None))
    .values(sealed=None)
)
