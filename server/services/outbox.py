"""Queue mails with the entry that causes them, and hand them to the worker.

A row is claimed with a lease. What was sent is marked at once, so that a killed
worker costs at most the one mail that was under way (SAFETY.md I5, F22).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, bindparam, literal, select, update
from sqlalchemy.orm import Session

from server.domain import retry
from server.domain.seals import NONCE_BYTES, SealError, Vault
from server.models.base import rows_changed, table
from server.models.outbox import WAITS, Attempt, Outbox
from server.services import leases
from server.services.batch import Writer
from server.services.tools import Tools

LEASE = timedelta(seconds=60)
BATCH = 20
ID_BYTES = 12
CLAIM_BYTES = 8
UNSETTLED = ("waiting", "leased")
STATES = (*UNSETTLED, "delivered", "dead", "dropped")
LONGEST_ANSWER = 200


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to queue: which letter, for whom, and what its template needs.

    Without a contact it is a notice to the shop itself.
    """

    letter: str
    shop_id: int
    contact_id: int | None
    optin_id: int | None
    params: Mapping[str, Any]
    # When it may go; at once without one.
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A mail that this worker may send until its lease runs out."""

    id: int
    letter: str
    shop_id: int
    # To the shop itself, and so without a link.
    is_notice: bool
    message_id: str
    optin_id: int | None
    attempts: int
    created_at: datetime
    params: dict[str, Any]
    claim: bytes


def put_mails(
    session: Session,
    mails: Iterable[Mail],
    *,
    tools: Tools,
    now: datetime,
    into: Writer | None = None,
) -> None:
    """Queue mails; they go out only if this transaction is committed.

    The Message-ID stays the same on every try. `into` is where the rows go, if not
    into the database at once.
    """
    rows = []
    for mail in mails:
        due = mail.due_at or now
        message_id = f"<{tools.random(ID_BYTES).hex()}@{tools.host}>"
        rows.append(
            {
                "shop_id": mail.shop_id,
                "contact_id": mail.contact_id,
                "optin_id": mail.optin_id,
                "letter": mail.letter,
                "message_id": message_id,
                "sealed": tools.vault.seal(
                    json.dumps(mail.params).encode(),
                    nonce=tools.random(NONCE_BYTES),
                    about=message_id.encode(),
                ),
                "state": "waiting",
                "due_at": due,
                "attempts": 0,
                # Its date, and from when on it is tried again.
                "created_at": due,
            }
        )
    if rows:
        (into or session.connection()).execute(_PUT, rows)


_PUT = table(Outbox).insert()

_DUE = (
    select(Outbox.id)
    # In the words of the index. What a worker had taken was due before that.
    .where(WAITS, Outbox.due_at <= bindparam("moment"), leases.is_due(Outbox))
    .order_by(Outbox.due_at)
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)


def claim_due(
    session: Session,
    *,
    tools: Tools,
    now: datetime,
    lease: timedelta = LEASE,
) -> list[Claimed]:
    """Take up to `BATCH` mails that are due, those of a dead worker among them."""
    ids = session.scalars(_DUE, {"moment": now}).all()
    if not ids:
        return []
    claim = tools.random(CLAIM_BYTES)
    session.execute(
        update(Outbox)
        .where(Outbox.id.in_(ids))
        .values(state="leased", claim=claim, leased_until=now + lease)
    )
    rows = session.scalars(select(Outbox).where(Outbox.id.in_(ids)).order_by(Outbox.id))
    claimed = []
    for row in rows:
        try:
            claimed.append(_claimed(row, claim, tools.vault))
        except SealError:
            # A lost key must not hold up the mails behind this one.
            row.state, row.settled_at = "dead", now
            row.claim = row.leased_until = None
    return claimed


def _claimed(row: Outbox, claim: bytes, vault: Vault) -> Claimed:
    return Claimed(
        id=row.id,
        letter=row.letter,
        shop_id=row.shop_id,
        is_notice=row.contact_id is None,
        message_id=row.message_id,
        optin_id=row.optin_id,
        attempts=row.attempts,
        created_at=row.created_at,
        params=_opened(row, vault),
        claim=claim,
    )


def _opened(row: Outbox, vault: Vault) -> dict[str, Any]:
    opened = vault.open(row.sealed or b"", about=row.message_id.encode())
    params: dict[str, Any] = json.loads(opened)
    return params


def delivered(session: Session, mail: Claimed, *, answer: str, now: datetime) -> bool:
    """Mark a mail as sent and forget what it said; False if the claim was lost."""
    if not _settle(session, mail, state="delivered", now=now):
        return False
    _note(session, mail, outcome="accepted", answer=answer, now=now)
    return True


def refused(session: Session, mail: Claimed, *, answer: str, now: datetime) -> bool:
    """Mark a mail as dead, because the address is refused for good (F11)."""
    if not _settle(session, mail, state="dead", now=now):
        return False
    _note(session, mail, outcome="refused", answer=answer, now=now)
    return True


def give_up(session: Session, mail: Claimed, *, why: str, now: datetime) -> bool:
    """Mark a mail as dead at the first try; it can be tried again once that helps."""
    if not _settle(session, mail, state="dead", now=now):
        return False
    _note(session, mail, outcome="failed", answer=why, now=now)
    return True


def drop(session: Session, mail: Claimed, *, why: str, now: datetime) -> bool:
    """Mark a mail as not to be sent any more, because its reason is gone (I6)."""
    if not _settle(session, mail, state="dropped", now=now):
        return False
    _note(session, mail, outcome="dropped", answer=why, now=now)
    return True


def failed(
    session: Session, mail: Claimed, *, answer: str, now: datetime
) -> Literal["waiting", "dead"] | None:
    """Plan the next try, or give up after the schedule's 72 hours.

    Returns what became of the mail; None if the claim was lost.
    """
    due = retry.next_try(attempts=mail.attempts + 1, created=mail.created_at, now=now)
    state: Literal["waiting", "dead"] = "waiting" if due else "dead"
    changed = session.execute(
        _MINE.values(
            state=state,
            due_at=due or now,
            settled_at=None if due else now,
            attempts=_TABLE.c.attempts + 1,
            claim=None,
            leased_until=None,
        ),
        {"row": mail.id, "held": mail.claim},
    )
    if rows_changed(changed) != 1:
        return None
    _note(session, mail, outcome="failed", answer=answer, now=now)
    return state


def release(session: Session, mail: Claimed) -> None:
    """Give back a mail that was not tried, because the worker stops."""
    session.execute(
        _MINE.values(state="waiting", claim=None, leased_until=None),
        {"row": mail.id, "held": mail.claim},
    )


def revive(
    session: Session, outbox_id: int, *, shop_id: int | None, now: datetime
) -> bool:
    """Let a dead letter be tried again from the start; False if there is none.

    One that was sealed away or belongs to another shop is none.
    """
    wanted = (
        update(Outbox)
        .where(
            Outbox.id == outbox_id, Outbox.state == "dead", Outbox.sealed.is_not(None)
        )
        .values(
            state="waiting", due_at=now, attempts=0, created_at=now, settled_at=None
        )
    )
    if shop_id is not None:
        wanted = wanted.where(Outbox.shop_id == shop_id)
    return rows_changed(session.execute(wanted)) == 1


def take_back(
    session: Session, contact_id: int, *, vault: Vault, now: datetime
) -> list[Mail]:
    """Drop what waits for somebody, and return what it was; the dead are emptied.

    What a worker marks in this very moment is left to it.
    """
    rows = session.scalars(
        select(Outbox)
        .where(
            Outbox.contact_id == contact_id,
            Outbox.state.in_(("waiting", "leased", "dead")),
            Outbox.sealed.is_not(None),
        )
        .order_by(Outbox.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    taken = []
    for row in rows:
        if row.state != "dead":
            try:
                params = _opened(row, vault)
            except SealError:
                continue
            taken.append(
                Mail(row.letter, row.shop_id, contact_id, row.optin_id, params)
            )
            row.state, row.settled_at = "dropped", now
            row.claim = row.leased_until = None
        row.sealed = None
    session.flush()
    return taken


@dataclass(frozen=True, slots=True)
class Listed:
    """A mail as an operator sees it: neither what it says nor to whom."""

    id: int
    state: str
    letter: str
    attempts: int
    created_at: datetime
    answer: str | None


def newest(session: Session, *, state: str | None, most: int) -> list[Listed]:
    """Return the newest mails, each with the last answer it got."""
    last = (
        select(Attempt.answer)
        .where(Attempt.outbox_id == Outbox.id)
        .order_by(Attempt.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    wanted = select(
        Outbox.id,
        Outbox.state,
        Outbox.letter,
        Outbox.attempts,
        Outbox.created_at,
        last,
    )
    if state is not None:
        wanted = wanted.where(is_in(state))
    rows = session.execute(wanted.order_by(Outbox.id.desc()).limit(most))
    return [Listed(*row) for row in rows]


def dead(session: Session) -> list[int]:
    """Return the dead letters that can be tried again."""
    return list(
        session.scalars(
            select(Outbox.id).where(is_in("dead"), Outbox.sealed.is_not(None))
        )
    )


def is_in(state: str) -> ColumnElement[bool]:
    """Match the mails in one of `STATES`.

    It is written out, because an index of some rows is only used where its words are
    met: without that, who looks for the few dead reads all that were delivered.
    """
    if state not in STATES:
        raise ValueError(f"a mail is never {state}")
    is_it = Outbox.state == literal(state, literal_execute=True)
    return and_(WAITS, is_it) if state in UNSETTLED else is_it


def _settle(session: Session, mail: Claimed, *, state: str, now: datetime) -> bool:
    changed = session.connection().execute(
        # A dead letter may be tried again, so it keeps what it says.
        _SETTLE_DEAD if state == "dead" else _SETTLE,
        {"row": mail.id, "held": mail.claim, "outcome": state, "moment": now},
    )
    return rows_changed(changed) == 1


# Built once: every mail is marked on its own.
_TABLE = table(Outbox)
_MINE = leases.mine(_TABLE)
_SETTLE_DEAD = _MINE.values(
    state=bindparam("outcome"),
    settled_at=bindparam("moment"),
    attempts=_TABLE.c.attempts + 1,
    claim=None,
    leased_until=None,
)
_SETTLE = _SETTLE_DEAD.values(sealed=None)
_NOTE = table(Attempt).insert()


def _note(
    session: Session, mail: Claimed, *, outcome: str, answer: str, now: datetime
) -> None:
    session.connection().execute(
        _NOTE,
        {
            "outbox_id": mail.id,
            "at": now,
            "outcome": outcome,
            "answer": answer[:LONGEST_ANSWER],
        },
    )
