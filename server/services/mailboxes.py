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

# Every entry leaves such a key.
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

    The count of a mailbox that is known can go `into` a batch: its row is locked.
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

    One row counts for all shops, and each mail in it names its own (section 15). The
    common case, a mailbox nobody has written to, takes a single statement.
    """
    wanted = list(wanted)
    if not wanted:
        return {}
    key = vault.hashed("mailbox", "all", address.mailbox(email))[:MAILBOX_BYTES]
    fresh = limits.as_text(limits.Sending(kind, now, shop_id) for kind in wanted)
    connection = session.connection()
    told = {"key": key, "sendings": fresh, "touched_at": now}
    if _new_mailbox(connection.dialect).run(connection, told).scalar() is not None:
        return dict.fromkeys(wanted, now)
    return _count_known(
        session, key, wanted, shop=shop_id, now=now, may_wait=may_wait, into=into
    )


def _count_known(
    session: Session,
    key: bytes,
    wanted: list[limits.Kind],
    *,
    shop: int,
    now: datetime,
    may_wait: bool,
    into: Writer | None,
) -> dict[limits.Kind, datetime]:
    """Judge a mailbox that was written to before."""
    connection = session.connection()
    # A counter that nobody touched for a month may have gone this moment.
    past = limits.from_text(connection.scalar(_KNOWN, {"key": key}) or "")
    allowed: dict[limits.Kind, datetime] = {}
    for kind in wanted:
        at = limits.turn(past, kind, shop=shop, now=now)
        if at and (may_wait or at == now):
            allowed[kind] = at
            past = (*past, limits.Sending(kind, at, shop))
    counted = {
        "key": key,
        "sendings": limits.as_text(limits.remember(past, now=now)),
        "touched_at": now,
    }
    (into or connection).execute(_count(connection.dialect.name), counted)
    return allowed


_mailbox = table(Mailbox)
_KNOWN = (
    select(_mailbox.c.sendings)
    .where(_mailbox.c.key == bindparam("key"))
    .with_for_update()
)


@cache
def _new_mailbox(dialect: Dialect) -> Spelled:
    """Make the counter of a mailbox where there is none."""
    insert = inserting(dialect.name)(_mailbox).on_conflict_do_nothing()
    return Spelled(
        insert.returning(_mailbox.c.key), dialect, ("key", "sendings", "touched_at")
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
