"""Plays that nobody claimed in time: what they won goes back into the game."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, literal_column, select, update
from sqlalchemy.orm import Session

from server.models.entry import Entry
from server.models.voucher import Voucher
from server.services import vouchers

RESERVED_FOR = timedelta(hours=1)

# Written out, because an index of some rows is only used where its words are met.
_OVER = (
    select(Entry.id)
    .where(
        Entry.state == literal_column("'played'"),
        Entry.played_at <= bindparam("moment"),
    )
    .limit(bindparam("most"))
)


def is_over(played_at: datetime, *, now: datetime) -> bool:
    """Return whether the hour in which a play can be claimed is over."""
    return played_at <= now - RESERVED_FOR


def is_awaited(*, now: datetime) -> ColumnElement[bool]:
    """Return the condition under which an entry can be claimed.

    It looks at the hour itself: the worker, which gives back what was won, may be late.
    """
    return (Entry.state == "played") & (Entry.played_at > now - RESERVED_FOR)


def lapse_due(session: Session, *, now: datetime, most: int = 200) -> int:
    """Give back what was won and not claimed in time, and return how many plays."""
    due = session.scalars(_OVER, {"moment": now - RESERVED_FOR, "most": most}).all()
    lapsed = session.scalars(
        update(Entry)
        .where(Entry.id.in_(due), Entry.state == "played")
        .values(state="lapsed", lapsed_at=now)
        .returning(Entry.id)
    ).all()
    released = session.scalars(
        update(Voucher)
        .where(Voucher.entry_id.in_(lapsed), Voucher.state == "reserved")
        .values(state="free", entry_id=None)
        .returning(Voucher.id)
    ).all()
    vouchers.note_released(session, released, now=now)
    return len(lapsed)
