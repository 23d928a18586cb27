"""Box codes: make a batch, know a code again, let the play use it up (PZ-11, T14).

A scan, a preview and a page that is loaded only read; the transaction of a play is
what uses a code up. "Opened" is counted by the first form that the page of a code
sends, since a GET writes nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from server.domain import boxcodes as rules
from server.domain.boxcodes import Given, Kept, Label
from server.domain.codes import CodeError
from server.domain.seals import NONCE_BYTES, Vault
from server.models.base import rows_changed, table
from server.models.boxcode import BoxBatch, BoxCode
from server.models.campaign import Campaign
from server.models.entry import Entry
from server.models.placement import Placement
from server.services.tools import Chance

CHANNEL = "box"
PUBLIC_ID_BYTES = 6
# So many rows are in one transaction: visitors wait for it, and for no more of a batch.
RANGE = 5_000
# The size of a batch that is still being made. Its secret can be printed by nobody, so
# that nobody has its codes.
UNFINISHED = 0
# The biggest takes half a minute; who is not done by then has died.
LEFT_AFTER = timedelta(hours=1)


class UnknownPlacementError(Exception):
    """There is no placement of that code for the box."""


class NeverValidError(Exception):
    """Nobody could ever play these codes; the message says why."""


class SweptError(Exception):
    """The batch was not finished in time, and was taken for one that died."""


class SpentError(Exception):
    """The code cannot be played: it was used, revoked, or it is not its time."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A batch to be made; it is valid for as long as the campaign unless it says."""

    placement: str
    name: str
    size: int
    valid_from: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Making:
    """A batch that is being made."""

    batch_id: int
    public_id: str
    size: int
    secret: bytes

    def ranges(self, vault: Vault) -> Iterator[list[dict[str, Any]]]:
        """Yield the rows of its codes, as many at a time as visitors can wait for."""
        for first in range(1, self.size + 1, RANGE):
            numbers = range(first, min(first + RANGE, self.size + 1))
            labels = (rules.label(self.secret, number) for number in numbers)
            yield [_row(self.batch_id, label, vault) for label in labels]


@dataclass(frozen=True, slots=True)
class Found:
    """A code that we know, how it stands, and the play that used it."""

    reference: str
    placement: str
    kept: Kept
    # What was won with it waits for somebody's address under this ticket.
    unclaimed: bytes | None


@dataclass(frozen=True, slots=True)
class Sheets:
    """What is needed to print a batch."""

    campaign: str
    placement: str
    size: int
    secret: bytes

    def labels(self, start: int, end: int) -> Iterator[Label]:
        """Yield the labels of these numbers, the first included, the last not."""
        for number in range(start, end):
            yield rules.label(self.secret, number)


def create(
    session: Session, wanted: Wanted, *, vault: Vault, now: datetime, random: Chance
) -> str:
    """Make a small batch at once, and return its public id.

    Raises `UnknownPlacementError` and `NeverValidError`.
    """
    making = begin(session, wanted, vault=vault, now=now, random=random)
    for rows in making.ranges(vault):
        add(session, making, rows)
    finish(session, making)
    return making.public_id


def begin(
    session: Session, wanted: Wanted, *, vault: Vault, now: datetime, random: Chance
) -> Making:
    """Begin a batch that nobody can print, play or see until it is finished.

    Raises `UnknownPlacementError` and `NeverValidError`.
    """
    found = session.execute(
        select(Placement.id, Campaign.state, Campaign.opens_at, Campaign.closes_at)
        .join(Campaign, Campaign.id == Placement.campaign_id)
        .where(
            Placement.code == wanted.placement,
            Placement.channel == CHANNEL,
            Placement.is_retired.is_(False),
        )
    ).one_or_none()
    if found is None:
        raise UnknownPlacementError
    # The days of a draft are counted once it is published.
    is_open = None if found.state == "draft" else (found.opens_at, found.closes_at)
    if why := _never_valid(wanted, is_open, now=now):
        raise NeverValidError(why)
    public_id, secret = random(PUBLIC_ID_BYTES).hex(), random(rules.SECRET_BYTES)
    batch = BoxBatch(
        public_id=public_id,
        placement_id=found.id,
        name=wanted.name,
        size=UNFINISHED,
        sealed_secret=vault.seal(
            secret, nonce=random(NONCE_BYTES), about=seal_name(public_id)
        ),
        valid_from=wanted.valid_from,
        valid_until=wanted.valid_until,
        created_at=now,
    )
    session.add(batch)
    session.flush()
    return Making(batch.id, public_id, wanted.size, secret)


def _never_valid(
    wanted: Wanted, is_open: tuple[datetime, datetime] | None, *, now: datetime
) -> str | None:
    """Return why nobody could play these codes while the campaign is open."""
    if wanted.valid_until and wanted.valid_until <= now:
        return "they would have expired already"
    if is_open is None:
        return None
    opens_at, closes_at = is_open
    if wanted.valid_until and wanted.valid_until <= opens_at:
        return "they would expire before the campaign begins"
    if wanted.valid_from and wanted.valid_from >= closes_at:
        return "the campaign ends before they can be played"
    return None


def add(session: Session, making: Making, rows: Sequence[dict[str, Any]]) -> None:
    """Bring in a range of a batch. Raises `SweptError`."""
    _hold(session, making, size=UNFINISHED)
    session.execute(insert(table(BoxCode)), rows)


def finish(session: Session, making: Making) -> None:
    """Let all that was made count. Raises `SweptError`."""
    _hold(session, making, size=making.size)


def _hold(session: Session, making: Making, *, size: int) -> None:
    """Make sure that a batch is still there, and still in the making."""
    held = session.execute(
        update(BoxBatch)
        .where(BoxBatch.id == making.batch_id, BoxBatch.size == UNFINISHED)
        .values(size=size)
    )
    if rows_changed(held) != 1:
        raise SweptError


def sweep(session: Session, *, now: datetime) -> int:
    """Remove a range of what others left unfinished; 0 once nothing of it is there."""
    left = (
        select(BoxBatch.id)
        .where(BoxBatch.size == UNFINISHED, BoxBatch.created_at <= now - LEFT_AFTER)
        .order_by(BoxBatch.id)
        .limit(1)
    )
    batch_id = session.scalar(left.with_for_update())
    if batch_id is None:
        return 0
    some = select(BoxCode.id).where(BoxCode.batch_id == batch_id).limit(RANGE)
    gone = rows_changed(session.execute(delete(BoxCode).where(BoxCode.id.in_(some))))
    if gone < RANGE:
        session.execute(delete(BoxBatch).where(BoxBatch.id == batch_id))
    return gone + 1


def _row(batch_id: int, label: Label, vault: Vault) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "number": label.number,
        "qr_hash": rules.hashed(vault, Given("qr", label.qr)),
        "typed_hash": rules.hashed(vault, Given("typed", label.typed)),
    }


def sheets(session: Session, public_id: str, *, vault: Vault) -> Sheets | None:
    """Return what is needed to print a batch, or None if there is none of that id."""
    row = session.execute(
        select(BoxBatch, Placement.code, Campaign.code)
        .join(Placement, Placement.id == BoxBatch.placement_id)
        .join(Campaign, Campaign.id == Placement.campaign_id)
        .where(BoxBatch.public_id == public_id, BoxBatch.size != UNFINISHED)
    ).one_or_none()
    if row is None:
        return None
    batch, placement, campaign = row
    secret = vault.open(batch.sealed_secret, about=seal_name(public_id))
    return Sheets(campaign, placement, batch.size, secret)


def printed(session: Session, public_id: str, *, now: datetime) -> None:
    """Note that the sheets of a batch were written."""
    session.execute(
        update(BoxBatch).where(BoxBatch.public_id == public_id).values(printed_at=now)
    )


def revoke(session: Session, public_id: str, *, now: datetime) -> bool:
    """End a batch: what was not played stays unplayed. False if there is none to end.

    What was won with its other codes stays won.
    """
    ended = session.execute(
        update(BoxBatch)
        .where(
            BoxBatch.public_id == public_id,
            BoxBatch.revoked_at.is_(None),
            BoxBatch.size != UNFINISHED,
        )
        .values(revoked_at=now)
    )
    return rows_changed(ended) == 1


def find(session: Session, given: Given, *, vault: Vault) -> Found | None:
    """Return a code that we know, or None.

    Whatever the code, it is one search for a keyed hash: its time tells nothing.
    """
    hashes = {"qr": BoxCode.qr_hash, "typed": BoxCode.typed_hash}
    row = session.execute(
        select(
            BoxBatch.public_id,
            BoxCode.number,
            Placement.code,
            BoxBatch.revoked_at,
            BoxBatch.valid_from,
            BoxBatch.valid_until,
            Entry.played_at,
            Entry.state,
            Entry.ticket,
        )
        .select_from(BoxCode)
        .join(BoxBatch, BoxBatch.id == BoxCode.batch_id)
        .join(Placement, Placement.id == BoxBatch.placement_id)
        .outerjoin(Entry, Entry.id == BoxCode.entry_id)
        .where(
            hashes[given.form] == rules.hashed(vault, given),
            BoxBatch.size != UNFINISHED,
        )
    ).one_or_none()
    if row is None:
        return None
    return Found(
        reference=rules.reference(row.public_id, row.number),
        placement=row.code,
        kept=Kept(row.played_at, row.revoked_at, row.valid_from, row.valid_until),
        unclaimed=row.ticket if row.state == "played" else None,
    )


def kept(session: Session, reference: str) -> Kept | None:
    """Return how the code of a ticket's reference stands, or None if there is none."""
    batch, number = _parts(reference)
    row = session.execute(
        select(
            Entry.played_at,
            BoxBatch.revoked_at,
            BoxBatch.valid_from,
            BoxBatch.valid_until,
        )
        .select_from(BoxCode)
        .join(BoxBatch, BoxBatch.id == BoxCode.batch_id)
        .outerjoin(Entry, Entry.id == BoxCode.entry_id)
        .where(BoxBatch.public_id == batch, BoxCode.number == number)
    ).one_or_none()
    return None if row is None else Kept(*row)


def consume(
    session: Session,
    reference: str,
    *,
    placement_id: int,
    entry_id: int,
    now: datetime,
) -> None:
    """Use a code up for a play. Raises `SpentError`; then nothing may be committed.

    Of those who play one code at once, the row count says who was first.
    """
    batch, number = _parts(reference)
    used = session.connection().execute(
        _consuming(),
        {
            "batch": batch,
            "of_number": number,
            "of_placement": placement_id,
            "by_entry": entry_id,
            "moment": now,
        },
    )
    if rows_changed(used) != 1:
        raise SpentError


@cache
def _consuming() -> Any:
    code, batch = table(BoxCode).c, table(BoxBatch).c
    moment = bindparam("moment", type_=batch.valid_from.type)
    playable = select(batch.id).where(
        batch.public_id == bindparam("batch"),
        batch.placement_id == bindparam("of_placement"),
        batch.revoked_at.is_(None),
        or_(batch.valid_from.is_(None), batch.valid_from <= moment),
        or_(batch.valid_until.is_(None), batch.valid_until > moment),
    )
    return (
        update(table(BoxCode))
        .where(
            code.batch_id == playable.scalar_subquery(),
            code.number == bindparam("of_number"),
            code.entry_id.is_(None),
        )
        .values(
            entry_id=bindparam("by_entry"),
            opened_at=func.coalesce(code.opened_at, moment),
        )
    )


def opened(session: Session, reference: str, *, now: datetime) -> None:
    """Note that the page of a code was not only loaded, but sent something."""
    batch, number = _parts(reference)
    playable = select(BoxBatch.id).where(BoxBatch.public_id == batch)
    session.execute(
        update(BoxCode)
        .where(
            BoxCode.batch_id == playable.scalar_subquery(),
            BoxCode.number == number,
            BoxCode.opened_at.is_(None),
        )
        .values(opened_at=now)
    )


def fresh(session: Session, placement: str, *, vault: Vault) -> Label | None:
    """Return a label that nobody has played yet, for the demo to show."""
    row = session.execute(
        select(BoxBatch.public_id, BoxBatch.sealed_secret, BoxCode.number)
        .select_from(BoxCode)
        .join(BoxBatch, BoxBatch.id == BoxCode.batch_id)
        .join(Placement, Placement.id == BoxBatch.placement_id)
        .where(
            Placement.code == placement,
            BoxBatch.revoked_at.is_(None),
            BoxBatch.size != UNFINISHED,
            BoxCode.entry_id.is_(None),
        )
        .order_by(BoxCode.id)
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    secret = vault.open(row.sealed_secret, about=seal_name(row.public_id))
    return rules.label(secret, row.number)


def _parts(reference: str) -> tuple[str, int]:
    try:
        return rules.read_reference(reference)
    except CodeError:
        raise SpentError from None


def seal_name(public_id: str) -> bytes:
    return f"boxcodes|{public_id}".encode()
