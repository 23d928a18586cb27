"""Keep count of the mails to a mailbox, whoever has it and at whichever shop."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Dialect, bindparam, select
from sqlalchemy.orm import Session

from server.domain import address, limits
from server.domain.seals import Vault
from server.models.base import inserting, table
from server.models.contact import Mailbox
from server.services.batch import Writer
from server.services.contacts import Person
from server.services.spelled import Spelled

# Every entry leaves two of these keys, and each is kept twice.
MAILBOX_BYTES = 16


def allowed_mails(
    session: Session,
    who: Person,
    wanted: Iterable[limits.Kind],
    *,
    vault: Vault,
    now: datetime,
    may_wait: bool = False,
    into: Writer | None = None,
) -> dict[limits.Kind, datetime]:
    """Return which of these mails somebody's mailbox may get and when; count them.

    The count of a mailbox that is known can go `into` a batch: its rows are locked.
    """
    return allowed_to(
        session,
        who.shop_id,
        who.email,
        wanted,
        vault=vault,
        now=now,
        may_wait=may_wait,
        into=into,
    )


def allowed_to(
    session: Session,
    shop_id: int,
    email: str,
    wanted: Iterable[limits.Kind],
    *,
    vault: Vault,
    now: datetime,
    may_wait: bool = False,
    into: Writer | None = None,
) -> dict[limits.Kind, datetime]:
    """Return which of these mails an address may still get, and when, whoever has it.

    One row counts for the shop and one for the whole instance (section 15). The
    common case, a mailbox nobody has written to, takes a single statement.
    """
    wanted = list(wanted)
    if not wanted:
        return {}
    mailbox = address.mailbox(email)
    keys = [
        vault.hashed("mailbox", scope, mailbox)[:MAILBOX_BYTES]
        for scope in (shop_id, "all")
    ]
    fresh = limits.as_text(limits.Sending(kind, now) for kind in wanted)
    connection = session.connection()
    told = {"sendings": fresh, "touched_at": now, "shop": keys[0], "all": keys[1]}
    made = set(_new_mailboxes(connection.dialect).run(connection, told).scalars())
    if len(made) == len(keys):
        return dict.fromkeys(wanted, now)
    return _count_known(
        session, keys, wanted, made=made, now=now, may_wait=may_wait, into=into
    )


@cache
def _new_mailboxes(dialect: Dialect) -> Spelled:
    """Make the counters of a shop and of the whole instance, where there are none."""
    both = [
        {
            "key": bindparam(scope, type_=_mailbox.c.key.type),
            "sendings": bindparam("sendings", type_=_mailbox.c.sendings.type),
            "touched_at": bindparam("touched_at", type_=_mailbox.c.touched_at.type),
        }
        for scope in ("shop", "all")
    ]
    insert = inserting(dialect.name)(_mailbox).values(both).on_conflict_do_nothing()
    return Spelled(insert.returning(_mailbox.c.key), dialect)


def _count_known(
    session: Session,
    keys: list[bytes],
    wanted: list[limits.Kind],
    *,
    made: set[bytes],
    now: datetime,
    may_wait: bool,
    into: Writer | None,
) -> dict[limits.Kind, datetime]:
    """Judge a mailbox that was written to before. Rows are locked in key order."""
    connection = session.connection()
    rows = connection.execute(_KNOWN, {"keys": keys})
    # A counter that nobody touched for a month may have gone this moment.
    past: dict[bytes, tuple[limits.Sending, ...]] = dict.fromkeys(keys, ())
    past |= {
        row.key: () if row.key in made else limits.from_text(row.sendings)
        for row in rows
    }
    allowed: dict[limits.Kind, datetime] = {}
    for kind in wanted:
        turns = [limits.turn(past[key], kind, now=now) for key in keys]
        at = max((turn for turn in turns if turn), default=now)
        if all(turns) and (may_wait or at == now):
            allowed[kind] = at
            sending = limits.Sending(kind, at)
            past = {key: (*sendings, sending) for key, sendings in past.items()}
    counted = [
        {
            "key": key,
            "sendings": limits.as_text(limits.remember(past[key], now=now)),
            "touched_at": now,
        }
        for key in keys
    ]
    (into or connection).execute(_count(connection.dialect.name), counted)
    return allowed


_mailbox = table(Mailbox)
_KNOWN = (
    select(_mailbox.c.key, _mailbox.c.sendings)
    .where(_mailbox.c.key.in_(bindparam("keys", expanding=True)))
    .order_by(_mailbox.c.key)
    .with_for_update()
)


@cache
def _count(dialect: str) -> Any:
    insert = inserting(dialect)(_mailbox)
    return insert.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "sendings": insert.excluded.sendings,
            "touched_at": insert.excluded.touched_at,
        },
    )
