"""The public record of a campaign's draws, read from its entries (PZ-08).

Read in ranges, each in a look of its own: one long look would hold the log of a
database back for as long as somebody's line is slow.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from server.domain import chance, transcript
from server.domain.parts import Locale
from server.domain.seals import Vault
from server.domain.transcript import Play, Promise
from server.models.campaign import Campaign
from server.models.entry import Entry
from server.services import campaigns

Reading = Callable[[], AbstractContextManager[Session]]

# What was begun before midnight is committed by then, and clocks differ a little.
SETTLED_AFTER = timedelta(minutes=10)
AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Record:
    """A campaign whose draws are published, and how far they are by now."""

    campaign_id: int
    promise: Promise
    names: dict[Locale, str]
    labels: dict[str, dict[Locale, str]]
    days: int
    closes: datetime
    last_seed: bytes

    def seed(self, epoch: int) -> bytes:
        """Return the seed of a day that is over."""
        if not 0 <= epoch <= self.days:
            raise LookupError(epoch)
        return chance.seed_for(self.last_seed, epochs=self.promise.epochs, epoch=epoch)

    def begins(self, epoch: int) -> datetime:
        """Return when a day of the campaign began."""
        return self.promise.opens + chance.DAY * (epoch - 1)


def find(session: Session, code: str, *, vault: Vault, now: datetime) -> Record | None:
    """Return the record of a campaign; None where nothing is left to chance."""
    row = session.scalar(select(Campaign).where(Campaign.code == code))
    if row is None or row.state == "draft":
        return None
    file = campaigns.load(session, code)
    if file is None or not file.is_drawn:
        return None
    over = (now - SETTLED_AFTER - row.opens_at) // chance.DAY
    if now - SETTLED_AFTER >= row.closes_at:
        over = row.epochs
    return Record(
        campaign_id=row.id,
        promise=Promise(
            campaign=row.code,
            opens=row.opens_at,
            epochs=row.epochs,
            anchor=row.anchor,
            table=campaigns.table_of(file),
        ),
        names=file.name,
        labels={
            prize.key: {locale: text.label for locale, text in prize.texts.items()}
            for prize in file.outcomes
        },
        days=max(0, min(over, row.epochs)),
        closes=row.closes_at,
        last_seed=vault.open(row.sealed_seed, about=row.code.encode()),
    )


def lines(record: Record, reading: Reading) -> Iterator[bytes]:
    """Yield the file, line by line, up to the last day that is over."""
    days = (
        (epoch, record.seed(epoch), _happened(record, epoch, reading))
        for epoch in range(1, record.days + 1)
    )
    return transcript.stream(record.promise, days)


def _happened(record: Record, epoch: int, reading: Reading) -> Iterator[Play | str]:
    """Yield a day's plays and lapses in the order of their moments."""
    since, until = record.begins(epoch), record.begins(epoch + 1)
    # The last day is published when it may still be going on; what lapses after the
    # end is won by nobody any more, and would change lines that somebody has.
    seen = min(until, record.closes)
    plays = (
        ((row.played_at, 1, row.id), _play(row))
        for row in _ranges(record, reading, _PLAYED, Entry.played_at, since, until)
    )
    lapses = (
        ((row.lapsed_at, 0, row.id), row.ticket.hex())
        for row in _ranges(record, reading, _LAPSED, Entry.lapsed_at, since, seen)
    )
    for _, one in merge(plays, lapses, key=lambda pair: pair[0]):
        yield one


def _play(row: Any) -> Play:
    return Play(
        ticket=row.ticket.hex(),
        browser=row.browser_seed.hex(),
        drawn=row.drawn,
        awarded=row.awarded,
        unit=row.unit,
    )


_PLAYED = select(
    Entry.id,
    Entry.ticket,
    Entry.browser_seed,
    Entry.drawn,
    Entry.awarded,
    Entry.unit,
    Entry.played_at,
)
_LAPSED = select(Entry.id, Entry.ticket, Entry.lapsed_at)


def _ranges(
    record: Record,
    reading: Reading,
    query: Any,
    moment: Any,
    since: datetime,
    until: datetime,
) -> Iterator[Any]:
    """Yield a day's rows by their moment, so many at once."""
    last: tuple[datetime, int] = (since, 0)
    while True:
        page = (
            query.where(
                Entry.campaign_id == record.campaign_id,
                moment < until,
                tuple_(moment, Entry.id) > last,
            )
            .order_by(moment, Entry.id)
            .limit(AT_ONCE)
        )
        with reading() as session:
            rows = session.execute(page).all()
        yield from rows
        if len(rows) < AT_ONCE:
            return
        last = (rows[-1][-1], rows[-1].id)
