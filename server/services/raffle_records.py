"""The public record of a raffle, as far as it has come, and its balance."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.domain import raffle as rules
from server.domain import raffle_record
from server.domain.campaign import Campaign as CampaignFile
from server.domain.parts import Locale
from server.domain.raffle import Balance
from server.domain.raffle import Raffle as RaffleFile
from server.domain.raffle_record import Drawn, Listed, Promise
from server.models.campaign import Campaign
from server.models.entry import Entry
from server.models.raffle import Raffle, RaffleExclusion, RafflePlace
from server.services import campaigns, raffle_places, raffles


@dataclass(frozen=True, slots=True)
class Record:
    """What anybody may know of a raffle; nothing in it is about a person."""

    raffle_id: int
    campaign_id: int
    names: dict[Locale, str]
    file: RaffleFile
    promise: Promise
    listed: Listed | None
    listed_at: datetime | None
    drawn: Drawn | None
    drawn_at: datetime | None
    balance: Balance
    # Whether the campaign draws at once as well, so that it has a page for that.
    has_draws: bool


def of_campaign(session: Session, code: str) -> list[Record]:
    """Return the raffles of a published campaign, in the order of its file."""
    row = session.scalar(select(Campaign).where(Campaign.code == code))
    file = campaigns.load(session, code)
    if row is None or file is None or row.state == "draft":
        return []
    rows = {
        found.key: found
        for found in session.scalars(select(Raffle).where(Raffle.campaign_id == row.id))
    }
    return [
        _record(session, rows[raffle.key], raffle, code=code, file=file)
        for raffle in file.raffles
    ]


def find(session: Session, code: str, key: str) -> Record | None:
    """Return one raffle of a published campaign; None if there is none."""
    known = of_campaign(session, code)
    return next((record for record in known if record.file.key == key), None)


def _record(
    session: Session,
    row: Raffle,
    raffle: RaffleFile,
    *,
    code: str,
    file: CampaignFile,
) -> Record:
    return Record(
        raffle_id=row.id,
        campaign_id=row.campaign_id,
        names=file.name,
        file=raffle,
        promise=Promise(
            campaign=code,
            draw=raffle.key,
            at=row.draws_at,
            commitment=row.commitment,
            prizes=tuple((prize.key, prize.number) for prize in raffle.prizes),
            reserves=raffle.reserves,
            randomness=_named(raffle),
        ),
        listed=_listed(session, row),
        listed_at=row.listed_at,
        drawn=_drawn(session, row),
        drawn_at=row.drawn_at,
        balance=raffle_places.balance(
            session, row.id, len(raffle.units), is_drawn=row.state == "drawn"
        ),
        has_draws=file.is_drawn,
    )


def _named(raffle: RaffleFile) -> str | None:
    """Return the name of the public number; of its languages always the same one."""
    return next((text for _, text in sorted(raffle.randomness.items())), None)


def _listed(session: Session, row: Raffle) -> Listed | None:
    if row.list_hash is None:
        return None
    return Listed(row.labels or 0, row.list_hash, excluded(session, row.id))


def excluded(session: Session, raffle_id: int) -> Counter[str]:
    """Return how many entries were left out, by reason."""
    rows = session.execute(
        select(RaffleExclusion.reason, func.count().label("times"))
        .where(RaffleExclusion.raffle_id == raffle_id)
        .group_by(RaffleExclusion.reason)
        .order_by(RaffleExclusion.reason)
    )
    return Counter({row.reason: row.times for row in rows})


def _drawn(session: Session, row: Raffle) -> Drawn | None:
    if row.secret is None:
        return None
    tickets = session.scalars(
        select(Entry.ticket)
        .join(RafflePlace, RafflePlace.entry_id == Entry.id)
        .where(RafflePlace.raffle_id == row.id)
        .order_by(RafflePlace.number)
    )
    return Drawn(row.secret, row.randomness or b"", tuple(map(rules.label, tickets)))


def lines(session: Session, record: Record) -> Iterator[bytes]:
    """Yield the file of a raffle, line by line."""
    tickets: Iterator[bytes] = iter(())
    if record.listed is not None:
        tickets = raffles.listed(session, record.raffle_id)
    return raffle_record.stream(
        record.promise, record.listed, map(rules.label, tickets), record.drawn
    )
