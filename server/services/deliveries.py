"""Hand what recipients are to be told to the worker, and mark what became of it.

One event is claimed at a time, in the transaction that marks the one before: so a
killed worker costs at most one repetition, and whatever was erased or taken back in
between is looked at right before each is sent (SAFETY.md F2, F13, T30).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, bindparam, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from server.domain import retry, webhook
from server.domain.seals import SealError
from server.domain.webhook import OWED, Event
from server.models.base import rows_changed, table
from server.models.webhook import Delivery, Webhook
from server.services import leases, notices, webhooks
from server.services.tellings import STALE
from server.services.tools import Tools

LEASE = timedelta(seconds=60)
CLAIM_BYTES = 8
LONGEST_ANSWER = 100
# Why a person of the shop has to see to it: the receiver said that it is gone for good
# (410), events were given up, what one says cannot be opened, or the secret cannot.
GONE, GIVEN_UP, UNREADABLE, LOCKED = "gone", "given up", "unreadable", "locked"
# With these a recipient is turned off, which does not happen twice.
TURNED_OFF = frozenset({GONE, LOCKED})
UNOPENED = "cannot be opened"
LOCKED_OUT = "its secret cannot be opened"
NOTICE_EVERY = timedelta(days=1)
SHARE_BYTES = 2
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Claimed:
    """An event that this worker may send until its lease runs out."""

    id: int
    webhook_id: int
    message_id: str
    event: Event
    attempts: int
    created_at: datetime
    url: str
    secrets: tuple[str, ...]
    body: bytes
    claim: bytes


def due(session: Session, *, now: datetime) -> list[int]:
    """Return the recipients for whom something is due, who are not left alone now."""
    return list(session.scalars(_WITH_WORK, {"moment": now}))


def claim_next(
    session: Session,
    webhook_id: int,
    *,
    tools: Tools,
    now: datetime,
    lease: timedelta = LEASE,
) -> Claimed | None:
    """Take what is due next for a recipient; drop what is true no longer.

    One that was turned off meanwhile is told nothing more. So is one whose secret does
    not open, and its shop hears of it: what it is owed waits as it is.
    """
    recipient = session.get_one(Webhook, webhook_id, populate_existing=True)
    if recipient.state != "active":
        return None
    try:
        secrets = webhooks.secrets_of(recipient, vault=tools.vault, now=now)
    except SealError:
        _lock_out(session, recipient, tools=tools, now=now)
        return None
    told = {"of": webhook_id, "moment": now}
    while (row := _next(session, told)) is not None:
        found, is_stale = row
        if is_stale:
            _drop(found, STALE, now=now)
            session.flush()
            continue
        try:
            body = tools.vault.open(
                found.sealed or b"", about=found.message_id.encode()
            )
        except SealError:
            _pass_over(session, found, tools=tools, now=now)
            continue
        found.state, found.leased_until = "leased", now + lease
        found.claim = claim = tools.random(CLAIM_BYTES)
        session.flush()
        return _claimed(found, claim, recipient.url, secrets, body)
    return None


def _lock_out(
    session: Session, recipient: Webhook, *, tools: Tools, now: datetime
) -> None:
    log.error("the secret of a recipient cannot be opened", webhook=recipient.public_id)
    if webhooks.turn_off(session, recipient, why=LOCKED_OUT):
        _notify(session, recipient.id, LOCKED, tools=tools, now=now)


def _pass_over(session: Session, row: Delivery, *, tools: Tools, now: datetime) -> None:
    """Give up what cannot be opened: a lost key must not hold up what waits behind.

    It stays sealed, since a key that was lost may be found.
    """
    row.state, row.settled_at, row.answer = "dead", now, UNOPENED
    row.claim = row.leased_until = None
    session.flush()
    if row.event in OWED:
        _notify(session, row.webhook_id, UNREADABLE, tools=tools, now=now)


def _next(session: Session, told: dict[str, object]) -> tuple[Delivery, bool] | None:
    for wanted in _NEXT:
        if (row := session.execute(wanted, told).first()) is not None:
            found, is_stale = row
            return found, is_stale
    return None


def _drop(row: Delivery, why: str, *, now: datetime) -> None:
    row.state, row.settled_at, row.answer = "dropped", now, why
    row.sealed = row.claim = row.leased_until = None


def _claimed(
    row: Delivery, claim: bytes, url: str, secrets: tuple[str, ...], body: bytes
) -> Claimed:
    return Claimed(
        id=row.id,
        webhook_id=row.webhook_id,
        message_id=row.message_id,
        event=Event(row.event),
        attempts=row.attempts,
        created_at=row.created_at,
        url=url,
        secrets=secrets,
        body=body,
        claim=claim,
    )


def acknowledged(
    session: Session, told: Claimed, *, answer: str, now: datetime
) -> bool:
    """Mark an event as heard, and forget what it said; False if the claim was lost."""
    changed = session.connection().execute(
        _ACKNOWLEDGE, _told(told) | {"said": answer[:LONGEST_ANSWER], "moment": now}
    )
    if rows_changed(changed) != 1:
        return False
    session.connection().execute(_IS_BACK, {"of": told.webhook_id})
    return True


def failed(
    session: Session,
    told: Claimed,
    *,
    answer: str,
    is_silent: bool = False,
    wish: timedelta | None = None,
    tools: Tools,
    now: datetime,
) -> str:
    """Plan the next try, or give up at the end of the schedule; return its new state.

    One that `is_silent` did not answer at all, and is left alone for a while. What it
    wished for itself (Retry-After) holds up to an hour. It is empty if the claim was
    lost.
    """
    share = int.from_bytes(tools.random(SHARE_BYTES)) / 256**SHARE_BYTES
    due_at = retry.next_webhook(
        attempts=told.attempts + 1, created=told.created_at, share=share, now=now
    )
    rest = now + min(wish, webhook.LONGEST_WISH) if wish else None
    if due_at and rest:
        due_at = max(due_at, rest)
    state = "waiting" if due_at else "dead"
    changed = session.connection().execute(
        _FAIL,
        _told(told)
        | {
            "next_state": state,
            "next_due": due_at or now,
            "settled": None if due_at else now,
            "said": answer[:LONGEST_ANSWER],
        },
    )
    if rows_changed(changed) != 1:
        return ""
    if _is_dropped(session, told, now=now):
        state = "dropped"
    if is_silent:
        _leave_alone(session, told.webhook_id, share=share, now=now)
    elif rest:
        webhooks.rest_until(session, told.webhook_id, rest)
    if state == "dead" and told.event in OWED:
        _notify(session, told.webhook_id, GIVEN_UP, tools=tools, now=now)
    return state


def gone(session: Session, told: Claimed, *, tools: Tools, now: datetime) -> bool:
    """Turn off a recipient that wants nothing any more (410), and tell the shop.

    What waits stays, until somebody gives it another address or it grows too old.
    """
    changed = session.connection().execute(
        _FAIL,
        _told(told)
        | {"next_state": "waiting", "next_due": now, "settled": None, "said": "410"},
    )
    if rows_changed(changed) != 1:
        return False
    _is_dropped(session, told, now=now)
    if webhooks.turn_gone(session, told.webhook_id):
        _notify(session, told.webhook_id, GONE, tools=tools, now=now)
    return True


def release(session: Session, told: Claimed, *, now: datetime) -> None:
    """Give back an event that was not tried, because the worker stops."""
    changed = session.connection().execute(_RELEASE, _told(told))
    if rows_changed(changed) == 1:
        _is_dropped(session, told, now=now)


def _is_dropped(session: Session, told: Claimed, *, now: datetime) -> bool:
    """Drop what was made untrue while it was on its way, or its address lies there."""
    stale = session.connection().execute(_DROP_STALE, {"row": told.id, "moment": now})
    return rows_changed(stale) == 1


def give_up_old(
    session: Session, *, tools: Tools, now: datetime, most: int = 500
) -> int:
    """Give up what waited too long for one who is off or silent; return how many.

    What a killed worker had taken waits as well. What was made untrue meanwhile, or is
    for a recipient that has ended, is forgotten.
    """
    forgotten = webhooks.forget_ended(session, now=now)
    old = session.execute(
        _OLD.limit(most),
        {"moment": now, "until": now - retry.WEBHOOK_GIVE_UP_AFTER},
    ).all()
    owed = set()
    for row, is_stale in old:
        if is_stale:
            _drop(row, STALE, now=now)
            continue
        row.state, row.settled_at = "dead", now
        row.claim = row.leased_until = None
        row.answer = row.answer or "not tried"
        if row.event in OWED:
            owed.add(row.webhook_id)
    session.flush()
    for webhook_id in sorted(owed):
        _notify(session, webhook_id, GIVEN_UP, tools=tools, now=now)
    return len(old) + forgotten


def _held(session: Session, webhook_id: int) -> Webhook:
    """Return a recipient that nobody else changes meanwhile.

    Whoever queues something for it refers to it, which must not wait for this: they may
    hold a person for whom something waits that we hold.
    """
    return session.get_one(Webhook, webhook_id, with_for_update={"key_share": True})


def _leave_alone(
    session: Session, webhook_id: int, *, share: float, now: datetime
) -> None:
    row = _held(session, webhook_id)
    row.faults += 1
    row.paused_until = now + webhook.pause(row.faults, share=share)
    session.flush()


def _notify(
    session: Session, webhook_id: int, why: str, *, tools: Tools, now: datetime
) -> None:
    """Tell the shop, at most once a day for each recipient unless it was turned off."""
    row = _held(session, webhook_id)
    if row.state == "ended":
        return
    is_known = row.noticed_at is not None and now - row.noticed_at < NOTICE_EVERY
    if is_known and why not in TURNED_OFF:
        return
    row.noticed_at = now
    session.flush()
    notices.put_untold(session, row.shop_id, row.name, why, tools=tools, now=now)


def _told(told: Claimed) -> dict[str, object]:
    return {"row": told.id, "held": told.claim}


_delivery, _webhook = table(Delivery), table(Webhook)
_MINE = leases.mine(_delivery)
_FREE = {"claim": None, "leased_until": None}
_TRIED = _FREE | {"attempts": _delivery.c.attempts + 1, "answer": bindparam("said")}
_ACKNOWLEDGE = _MINE.values(
    state="acknowledged", settled_at=bindparam("moment"), sealed=None, **_TRIED
)
_FAIL = _MINE.values(
    state=bindparam("next_state"),
    due_at=bindparam("next_due"),
    settled_at=bindparam("settled"),
    **_TRIED,
)
_RELEASE = _MINE.values(state="waiting", **_FREE)
_IS_BACK = (
    update(_webhook)
    .where(_webhook.c.id == bindparam("of"), _webhook.c.faults > 0)
    .values(faults=0, paused_until=None)
)
# Each leads straight to one row, however much waits that is not due: an `OR` over the
# states, or a sort over the ranks, would read all of it for each event.
_TURNS = (
    (leases.is_abandoned(Delivery),),
    *((Delivery.rank == rank, leases.is_waiting(Delivery)) for rank in (0, 1)),
)
_WITH_WORK = (
    select(Webhook.id)
    .where(
        Webhook.state == "active",
        or_(
            Webhook.paused_until.is_(None), Webhook.paused_until <= bindparam("moment")
        ),
        or_(
            *(
                exists().where(Delivery.webhook_id == Webhook.id, *turn)
                for turn in _TURNS
            )
        ),
    )
    .order_by(Webhook.id)
)
_other = aliased(Delivery)


def _same_person() -> tuple[ColumnElement[bool], ...]:
    return (
        _other.webhook_id == Delivery.webhook_id,
        _other.contact_id == Delivery.contact_id,
    )


# A later event of the same topic, or their erasure, says all that this one would.
_IS_STALE = exists().where(
    *_same_person(),
    _other.sequence > Delivery.sequence,
    or_(_other.topic == Delivery.topic, _other.event == Event.ERASED.value),
)
_DROP_STALE = (
    update(Delivery)
    .where(Delivery.id == bindparam("row"), _IS_STALE)
    .values(state="dropped", settled_at=bindparam("moment"), sealed=None, answer=STALE)
)
# Of one person, nothing overtakes what is on its way.
_IS_BUSY = exists().where(
    *_same_person(),
    _other.id != Delivery.id,
    _other.state == "leased",
    _other.leased_until > bindparam("moment"),
)
_NEXT = tuple(
    select(Delivery, _IS_STALE)
    .where(Delivery.webhook_id == bindparam("of"), *turn, ~_IS_BUSY)
    .order_by(Delivery.due_at, Delivery.id)
    .limit(1)
    .with_for_update(skip_locked=True, of=Delivery)
    .execution_options(populate_existing=True)
    for turn in _TURNS
)
_IS_AWAY = select(Webhook.id).where(or_(Webhook.state != "active", Webhook.faults > 0))
_OLD = (
    select(Delivery, _IS_STALE)
    .where(
        Delivery.webhook_id.in_(_IS_AWAY),
        or_(Delivery.state == "waiting", leases.is_abandoned(Delivery)),
        Delivery.created_at <= bindparam("until"),
    )
    .with_for_update(skip_locked=True, of=Delivery)
    .execution_options(populate_existing=True)
)
