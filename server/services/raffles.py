"""Leave entries out of a raffle, close its list, and draw.

A list is made and drawn from beside any transaction, since it may be long. What came
of it is then written in one that a guarded UPDATE opens: of several workers one
succeeds, and one that is killed has done nothing (PZ-08).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select, tuple_, update
from sqlalchemy.orm import Session

from server.domain import raffle as rules
from server.domain.campaign import Campaign as CampaignFile
from server.domain.raffle import Place, Reason, Urn
from server.domain.seals import SealError, Vault
from server.models.base import inserting, rows_changed
from server.models.campaign import Campaign
from server.models.contact import Contact
from server.models.entry import Entry
from server.models.optin import OptIn
from server.models.prize import Prize
from server.models.raffle import Raffle, RaffleExclusion, RaffleList, RafflePlace
from server.models.voucher import Voucher
from server.services import envelopes, raffle_places
from server.services.campaigns import Directory
from server.services.raffle_promises import seal_name
from server.services.tools import Tools

AT_ONCE = 5_000
# SQLite takes some thousands of values in one statement.
IN_ONE_QUESTION = 500


class ClosedError(Exception):
    """The list of this raffle has been made, so nobody can be left out any more."""


class UnknownLabelError(Exception):
    """No entry of this campaign that takes part has this label."""


class NotAwaitedError(Exception):
    """This raffle does not wait for a public number now."""


@dataclass(frozen=True, slots=True)
class Known:
    """A raffle as a look found it. `version` is its campaign's."""

    id: int
    campaign_id: int
    version: int
    code: str
    key: str
    state: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """Who takes part and who does not, as of one look."""

    due: Known
    changes: int
    tickets: list[bytes]
    list_hash: bytes
    left_out: list[tuple[int, Reason]]


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What a draw comes to: the tickets in the order of their places."""

    due: Known
    secret: bytes
    tickets: list[bytes]


def due(session: Session, *, now: datetime) -> list[Known]:
    """Return the raffles whose list can be made or which can be drawn."""
    rows = session.execute(
        _DUE.where(
            Campaign.state != "draft",
            or_(
                (Raffle.state == "waiting") & (Raffle.draws_at <= now),
                (Raffle.state == "listed")
                & (Raffle.randomness.is_not(None) | ~Raffle.needs_randomness),
            ),
        ).order_by(Raffle.draws_at, Raffle.id)
    )
    return [Known(*row) for row in rows]


_DUE = select(
    Raffle.id,
    Raffle.campaign_id,
    Campaign.version,
    Campaign.code,
    Raffle.key,
    Raffle.state,
).join(Campaign, Campaign.id == Raffle.campaign_id)


def find(session: Session, code: str, key: str | None = None) -> Known | None:
    """Return a campaign's raffle of that key, or its only one; None without one."""
    wanted = _DUE.where(Campaign.code == code)
    if key is not None:
        wanted = wanted.where(Raffle.key == key)
    rows = session.execute(wanted).all()
    return Known(*rows[0]) if len(rows) == 1 else None


def exclude(
    session: Session,
    raffle: Known,
    label: str,
    *,
    why: str,
    by: str,
    directory: Directory,
    now: datetime,
) -> bool:
    """Leave an entry out, with the reason; False if it was left out before.

    Raises `ClosedError` and `UnknownLabelError`.
    """
    file = directory.campaign(session, raffle.campaign_id, raffle.version)
    entry_id = session.scalar(
        _taking_part(
            select(Entry.id), raffle, tickets_to=file.tickets_to(raffle.key)
        ).where(Entry.ticket == rules.ticket_of(label))
    )
    if entry_id is None:
        raise UnknownLabelError
    changed = session.execute(
        update(Raffle)
        .where(Raffle.id == raffle.id, Raffle.state == "waiting")
        .values(changes=Raffle.changes + 1)
    )
    if rows_changed(changed) != 1:
        raise ClosedError
    put = inserting(session.get_bind().dialect.name)(RaffleExclusion)
    made = session.scalar(
        put.on_conflict_do_nothing(index_elements=["raffle_id", "entry_id"]).returning(
            RaffleExclusion.id
        ),
        {
            "raffle_id": raffle.id,
            "entry_id": entry_id,
            "reason": Reason.EXCLUDED,
            "at": now,
            "by": by,
            "note": why,
        },
    )
    return made is not None


def gather(
    session: Session, due: Known, *, directory: Directory, vault: Vault
) -> Gathered:
    """Return who takes part, and whom a rule leaves out. It writes nothing."""
    file = directory.campaign(session, due.campaign_id, due.version)
    changes = session.scalars(select(Raffle.changes).where(Raffle.id == due.id)).one()
    tickets: list[bytes] = []
    left_out: list[tuple[int, Reason]] = []
    for ticket, entry_id, reason in _judged(session, due, file, vault=vault):
        if reason is None:
            tickets.append(ticket)
        elif reason is not Reason.EXCLUDED:
            left_out.append((entry_id, reason))
    tickets.sort(key=rules.label)
    list_hash = rules.list_hash(map(rules.label, tickets))
    return Gathered(due, changes, tickets, list_hash, left_out)


def _judged(
    session: Session, due: Known, file: CampaignFile, *, vault: Vault
) -> Iterator[tuple[bytes, int, Reason | None]]:
    """Yield each entry that may take part, and why it does not, if so."""
    raffle = file.raffle(due.key)
    excluded = _ids(
        session, RaffleExclusion.entry_id, RaffleExclusion.raffle_id, due.id
    )
    revoked = set(
        session.scalars(
            select(Voucher.entry_id)
            .join(Prize, Prize.id == Voucher.prize_id)
            .where(Prize.campaign_id == due.campaign_id, Voucher.state == "revoked")
        )
    )
    strangers = set(
        session.scalars(
            select(Entry.contact_id)
            .join(OptIn, OptIn.entry_id == Entry.id)
            .where(Entry.campaign_id == due.campaign_id, OptIn.state == "declined")
        )
    )
    seen: set[str] = set()
    for row in _entries(session, due, file.tickets_to(due.key)):
        person = _known_as(row, file, vault=vault)
        is_known = raffle is not None and raffle.once_per_person and person in seen
        if row.id in excluded:
            yield row.ticket, row.id, Reason.EXCLUDED
        elif row.erased_at is not None:
            yield row.ticket, row.id, Reason.ERASED
        elif row.id in revoked:
            yield row.ticket, row.id, Reason.REVOKED
        elif row.contact_id in strangers:
            yield row.ticket, row.id, Reason.NOT_ME
        elif is_known:
            yield row.ticket, row.id, Reason.DUPLICATE
        else:
            seen.add(person)
            yield row.ticket, row.id, None


def _known_as(row: Any, file: CampaignFile, *, vault: Vault) -> str:
    """Return by what the entries of one person are told to be one person's.

    An entry whose person cannot be read takes part all the same, as it was promised.
    """
    try:
        return file.known_as(envelopes.email_of(row, vault=vault))
    except SealError:
        envelopes.left_out(row.contact_id)
        return f"contact {row.contact_id}"


def _ids(session: Session, column: Any, of: Any, key: int) -> set[int]:
    return set(session.scalars(select(column).where(of == key)))


def _entries(session: Session, due: Known, tickets_to: frozenset[str]) -> Iterator[Any]:
    """Yield the entries that may take part, the first of a person first."""
    wanted = (
        _taking_part(
            select(
                Entry.id,
                Entry.ticket,
                Entry.contact_id,
                Entry.played_at,
                *envelopes.EMAIL,
                Contact.erased_at,
            ),
            due,
            tickets_to=tickets_to,
        )
        .join(Contact, Contact.id == Entry.contact_id)
        .order_by(Entry.played_at, Entry.id)
        .limit(AT_ONCE)
    )
    rows = session.execute(wanted).all()
    while rows:
        yield from rows
        last = (rows[-1].played_at, rows[-1].id)
        rows = session.execute(
            wanted.where(tuple_(Entry.played_at, Entry.id) > last)
        ).all()


def _taking_part(wanted: Any, due: Known, *, tickets_to: frozenset[str]) -> Any:
    """Narrow a question to the entries that may take part."""
    wanted = wanted.where(
        Entry.campaign_id == due.campaign_id, Entry.state == "claimed"
    )
    return wanted.where(Entry.awarded.in_(tickets_to)) if tickets_to else wanted


def close(session: Session, gathered: Gathered, *, now: datetime) -> bool:
    """Fix the list; False if it was fixed before, or somebody was left out since."""
    changed = session.execute(
        update(Raffle)
        .where(
            Raffle.id == gathered.due.id,
            Raffle.state == "waiting",
            Raffle.changes == gathered.changes,
        )
        .values(
            state="listed",
            labels=len(gathered.tickets),
            list_hash=gathered.list_hash,
            listed_at=now,
        )
    )
    if rows_changed(changed) != 1:
        return False
    session.add(
        RaffleList(raffle_id=gathered.due.id, tickets=b"".join(gathered.tickets))
    )
    for start in range(0, len(gathered.left_out), AT_ONCE):
        session.execute(
            insert(RaffleExclusion),
            [
                {
                    "raffle_id": gathered.due.id,
                    "entry_id": entry_id,
                    "reason": reason,
                    "at": now,
                }
                for entry_id, reason in gathered.left_out[start : start + AT_ONCE]
            ],
        )
    session.flush()
    return True


def tell_randomness(session: Session, raffle: Known, value: bytes) -> None:
    """Keep the public number that was named beforehand; the worker draws with it.

    Raises `NotAwaitedError`: the list comes first, and the number only once.
    """
    changed = session.execute(
        update(Raffle)
        .where(
            Raffle.id == raffle.id,
            Raffle.state == "listed",
            Raffle.needs_randomness,
            Raffle.randomness.is_(None),
        )
        .values(randomness=value)
    )
    if rows_changed(changed) != 1:
        raise NotAwaitedError


def reckon(
    session: Session, due: Known, *, directory: Directory, vault: Vault
) -> Reckoned | None:
    """Do the draw; None if another worker has done it. It writes nothing."""
    row = session.get_one(Raffle, due.id)
    file = directory.campaign(session, due.campaign_id, due.version).raffle(due.key)
    if row.state != "listed" or row.list_hash is None or file is None:
        return None
    secret = vault.open(row.sealed_secret, about=seal_name(due.code, due.key))
    urn = Urn(
        secret=secret,
        randomness=row.randomness or b"",
        listed=row.list_hash,
        campaign=due.code,
        draw=due.key,
    )
    by_label = {rules.label(ticket): ticket for ticket in listed(session, due.id)}
    drawn = urn.first(by_label, file.places)
    return Reckoned(due, secret, [by_label[label] for label in drawn])


def listed(session: Session, raffle_id: int) -> Iterator[bytes]:
    """Yield the tickets of a list that was closed, in the order of their labels."""
    found = select(RaffleList.tickets).where(RaffleList.raffle_id == raffle_id)
    whole = session.scalars(found).one()
    size = rules.TICKET_BYTES
    return (whole[at : at + size] for at in range(0, len(whole), size))


def draw(
    session: Session,
    reckoned: Reckoned,
    *,
    directory: Directory,
    tools: Tools,
    now: datetime,
) -> bool:
    """Keep what the draw came to, and offer the prizes; False if it was done before."""
    due = reckoned.due
    changed = session.execute(
        update(Raffle)
        .where(Raffle.id == due.id, Raffle.state == "listed")
        .values(state="drawn", secret=reckoned.secret, drawn_at=now)
    )
    if rows_changed(changed) != 1:
        return False
    entries = _entry_ids(session, reckoned.tickets)
    places = [
        {
            "raffle_id": due.id,
            "number": number,
            "entry_id": entries[ticket],
            "state": Place.RESERVE,
        }
        for number, ticket in enumerate(reckoned.tickets, 1)
    ]
    if places:
        session.execute(insert(RafflePlace), places)
    file = directory.campaign(session, due.campaign_id, due.version)
    raffle = file.raffle(due.key)
    for unit in range(1, len(raffle.units) + 1 if raffle else 1):
        raffle_places.offer_next(
            session, due.id, unit, directory=directory, tools=tools, now=now
        )
    return True


def _entry_ids(session: Session, tickets: list[bytes]) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for start in range(0, len(tickets), IN_ONE_QUESTION):
        some = tickets[start : start + IN_ONE_QUESTION]
        rows = session.execute(
            select(Entry.ticket, Entry.id).where(Entry.ticket.in_(some))
        )
        found |= {row.ticket: row.id for row in rows}
    return found
