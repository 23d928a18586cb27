"""Box codes: make a batch, know a code again, let the play use it up (PZ-11, T14).

A scan, a preview and a page that is loaded only read; the transaction of a play is
what uses a code up. "Opened" is counted by the first form that the page of a code
sends, since a GET writes nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, func, insert, or_, select, update
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
# So many rows are made at a time, whatever the size of a batch.
ROWS_AT_ONCE = 500


class UnknownPlacementError(Exception):
    """There is no placement of that code for the box."""


class NeverValidError(Exception):
    """Nobody could ever play these codes; the message says why."""


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
    session: Session,
    wanted: Wanted,
    *,
    vault: Vault,
    now: datetime,
    random: Chance,
    tell: Callable[[int], None] = lambda made: None,
) -> str:
    """Make a batch and its codes, and return its public id.

    `tell` hears how many more were made. Raises `UnknownPlacementError` and
    `NeverValidError`.
    """
    found = session.execute(
        select(Placement.id, Campaign.state, Campaign.closes_at)
        .join(Campaign, Campaign.id == Placement.campaign_id)
        .where(
            Placement.code == wanted.placement,
            Placement.channel == CHANNEL,
            Placement.is_retired.is_(False),
        )
    ).one_or_none()
    if found is None:
        raise UnknownPlacementError
    placement_id, state, closes_at = found
    if wanted.valid_until and wanted.valid_until <= now:
        raise NeverValidError("they would have expired already")
    # The days of a draft are counted once it is published.
    if state != "draft" and wanted.valid_from and wanted.valid_from >= closes_at:
        raise NeverValidError("the campaign ends before they can be played")
    public_id, secret = random(PUBLIC_ID_BYTES).hex(), random(rules.SECRET_BYTES)
    batch = BoxBatch(
        public_id=public_id,
        placement_id=placement_id,
        name=wanted.name,
        size=wanted.size,
        sealed_secret=vault.seal(
            secret, nonce=random(NONCE_BYTES), about=seal_name(public_id)
        ),
        valid_from=wanted.valid_from,
        valid_until=wanted.valid_until,
        created_at=now,
    )
    session.add(batch)
    session.flush()
    for start in range(1, wanted.size + 1, ROWS_AT_ONCE):
        numbers = range(start, min(start + ROWS_AT_ONCE, wanted.size + 1))
        rows = [_row(batch.id, rules.label(secret, n), vault) for n in numbers]
        session.execute(insert(table(BoxCode)), rows)
        tell(len(rows))
    return public_id


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
        .where(BoxBatch.public_id == public_id)
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
        .where(BoxBatch.public_id == public_id, BoxBatch.revoked_at.is_(None))
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
        .where(hashes[given.form] == rules.hashed(vault, given))
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
