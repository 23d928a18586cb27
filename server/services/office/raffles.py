"""Who was drawn in a raffle and who was left out, as the shop's own people see it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain import raffle as rules
from server.domain.parts import Locale
from server.domain.raffle import Place, Reason
from server.domain.seals import Vault
from server.models.contact import Contact
from server.models.entry import Entry
from server.models.raffle import RaffleExclusion, RafflePlace, RaffleStep
from server.services import envelopes, raffle_places
from server.services.campaigns import Directory
from server.services.raffle_records import Record
from server.services.raffles import Known, find


@dataclass(frozen=True, slots=True)
class Happened:
    """One step of somebody who was drawn."""

    step: str
    at: datetime
    by: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody who was drawn, as the office sees them. `prize` is a key."""

    id: int
    number: int
    label: str
    state: Place
    prize: str | None
    claim_by: datetime | None
    contact: str
    email: str
    erased_at: datetime | None
    steps: tuple[Happened, ...]


@dataclass(frozen=True, slots=True)
class Out:
    """An entry that was left out because somebody of the shop said so."""

    label: str
    at: datetime
    by: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """A raffle with everything that the shop's own people may know."""

    record: Record
    state: str
    standings: list[Standing]
    out: list[Out]

    @property
    def prizes(self) -> dict[str, dict[Locale, str]]:
        """Return what each prize is called, by its key."""
        return {
            prize.key: {locale: text.label for locale, text in prize.texts.items()}
            for prize in self.record.file.prizes
        }

    @property
    def people(self) -> list[str]:
        """Return who did something in it."""
        steps = [step.by for one in self.standings for step in one.steps]
        return [by for by in [*steps, *(out.by for out in self.out)] if by]


def told(
    session: Session, record: Record, *, directory: Directory, vault: Vault
) -> Told:
    """Return a raffle as its page in the office shows it."""
    known = find(session, record.promise.campaign, record.file.key)
    if known is None:
        raise LookupError(record.file.key)
    rows = session.execute(
        select(
            Entry.ticket, RaffleExclusion.at, RaffleExclusion.by, RaffleExclusion.note
        )
        .join(Entry, Entry.id == RaffleExclusion.entry_id)
        .where(
            RaffleExclusion.raffle_id == known.id,
            RaffleExclusion.reason == Reason.EXCLUDED,
        )
        .order_by(RaffleExclusion.id)
    )
    return Told(
        record,
        known.state,
        standings(session, known, directory=directory, vault=vault),
        [Out(rules.label(row.ticket), row.at, row.by, row.note) for row in rows],
    )


def note_contact(
    session: Session,
    raffle: Known,
    label: str,
    *,
    said: str,
    by: str,
    directory: Directory,
    vault: Vault,
    now: datetime,
) -> bool:
    """Keep that somebody tried to reach a winner; False if that label has won nothing.

    PZ-13.
    """
    drawn = standings(session, raffle, directory=directory, vault=vault)
    place = next((one for one in drawn if one.label == label and one.prize), None)
    if place is None:
        return False
    raffle_places.note(session, place.id, "contacted", by=by, why=said, now=now)
    return True


def standings(
    session: Session, raffle: Known, *, directory: Directory, vault: Vault
) -> list[Standing]:
    """Return all who were drawn, in order, with what happened to each."""
    file = directory.campaign(session, raffle.campaign_id, raffle.version)
    of_file = file.raffle(raffle.key)
    units = of_file.units if of_file else ()
    steps: dict[int, list[Happened]] = {}
    for row in session.execute(_STEPS.where(RafflePlace.raffle_id == raffle.id)):
        happened = Happened(row.step, row.at, row.by, row.note)
        steps.setdefault(row.place_id, []).append(happened)
    return [
        Standing(
            id=row.id,
            number=row.number,
            label=rules.label(row.ticket),
            state=Place(row.state),
            prize=units[row.unit - 1] if row.unit else None,
            claim_by=row.claim_by,
            contact=row.public_id,
            email=envelopes.shown_email(row, vault=vault),
            erased_at=row.erased_at,
            steps=tuple(steps.get(row.id, ())),
        )
        for row in session.execute(_DRAWN.where(RafflePlace.raffle_id == raffle.id))
    ]


_STEPS = (
    select(
        RaffleStep.place_id,
        RaffleStep.step,
        RaffleStep.at,
        RaffleStep.by,
        RaffleStep.note,
    )
    .join(RafflePlace, RafflePlace.id == RaffleStep.place_id)
    .order_by(RaffleStep.id)
)
_DRAWN = (
    select(
        RafflePlace.id,
        RafflePlace.number,
        RafflePlace.state,
        RafflePlace.unit,
        RafflePlace.claim_by,
        Entry.ticket,
        Contact.public_id,
        *envelopes.EMAIL,
        Contact.erased_at,
    )
    .join(Entry, Entry.id == RafflePlace.entry_id)
    .join(Contact, Contact.id == Entry.contact_id)
    .order_by(RafflePlace.number)
)
