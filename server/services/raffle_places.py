"""What becomes of those who were drawn: an offer, a claim, or the next reserve.

A prize is held by one at a time; that, and who was first, is decided by the database
(PZ-04). Every step is kept, and so is each try to reach a winner (PZ-13).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from server.domain import raffle as rules
from server.domain import voucher
from server.domain.campaign import Campaign as CampaignFile
from server.domain.raffle import Balance, Place, RafflePrize
from server.domain.seals import Own
from server.models.base import rows_changed
from server.models.campaign import Campaign
from server.models.contact import Contact
from server.models.entry import Entry
from server.models.raffle import Raffle, RafflePlace, RaffleStep
from server.services import contacts, envelopes, links, outbox
from server.services.campaigns import Directory
from server.services.contacts import Person
from server.services.outbox import Claimed, Mail
from server.services.tools import Tools

LETTER = "won"


@dataclass(frozen=True, slots=True)
class Win:
    """A prize that an entry was drawn for, as its winner sees it."""

    place_id: int
    raffle: str
    prize: RafflePrize
    state: Place
    claim_by: datetime
    claimed_at: datetime | None


def offer_next(
    session: Session,
    raffle_id: int,
    unit: int,
    *,
    directory: Directory,
    tools: Tools,
    now: datetime,
) -> bool:
    """Offer a prize to the first who waits, by mail; False if nobody is left.

    The caller has locked the raffle's row, so two prizes never go to one person.
    """
    of_raffle = _NEXT.where(RafflePlace.raffle_id == raffle_id)
    row = session.execute(of_raffle).first()
    if row is None:
        return False
    file = directory.campaign(session, row.campaign_id, row.version)
    raffle = file.raffle(row.key)
    if raffle is None:
        raise LookupError(row.key)
    claim_by = voucher.valid_until(now, days=raffle.claim_days)
    session.execute(
        update(RafflePlace)
        .where(RafflePlace.id == row.id)
        .values(state=Place.OFFERED, unit=unit, claim_by=claim_by)
    )
    note(session, row.id, "offered", now=now)
    _write_to(session, row, raffle.units[unit - 1], claim_by, tools=tools, now=now)
    return True


def write_again(
    session: Session,
    who: Person,
    *,
    directory: Directory,
    tools: Tools,
    now: datetime,
) -> None:
    """Queue the letter anew for each prize that waits for somebody who moved (PZ-04).

    The link in the one they have opens nothing any more.
    """
    waiting = _DRAWN.where(
        Entry.contact_id == who.id,
        RafflePlace.state == Place.OFFERED,
        RafflePlace.claim_by > now,
    )
    for row in session.execute(waiting.order_by(RafflePlace.id)).all():
        file = directory.campaign(session, row.campaign_id, row.version)
        if raffle := file.raffle(row.key):
            prize = raffle.units[row.unit - 1]
            _write_to(session, row, prize, row.claim_by, tools=tools, now=now)


_DRAWN = (
    select(
        RafflePlace.id,
        RafflePlace.entry_id,
        RafflePlace.unit,
        RafflePlace.claim_by,
        Raffle.key,
        Raffle.campaign_id,
        Campaign.version,
        Campaign.shop_id,
        Entry.contact_id,
        *envelopes.ANSWERS,
    )
    .join(Raffle, Raffle.id == RafflePlace.raffle_id)
    .join(Campaign, Campaign.id == Raffle.campaign_id)
    .join(Entry, Entry.id == RafflePlace.entry_id)
)
_NEXT = (
    _DRAWN.where(RafflePlace.state == Place.RESERVE)
    .order_by(RafflePlace.number)
    .limit(1)
)


def _write_to(
    session: Session,
    row: Any,
    prize: str,
    claim_by: datetime | None,
    *,
    tools: Tools,
    now: datetime,
) -> None:
    """Queue the letter to a winner. No limit holds it back: nobody asked for it."""
    if session.get_one(Contact, row.contact_id, populate_existing=True).erased_at:
        # Their days run all the same, and then it is the next one's turn (T30).
        note(session, row.id, "undeliverable", now=now, why="their data was erased")
        return
    who = contacts.whoever(session, row.contact_id, vault=tools.vault)
    if who.is_lost:
        # Nobody knows where to write to: as above.
        envelopes.left_out(who.id)
        note(session, row.id, "undeliverable", now=now, why="their key is lost")
        return
    ref = links.make(
        session,
        contact_id=who.id,
        entry_id=row.entry_id,
        optin_id=None,
        tools=tools,
        now=now,
    )
    params = {
        "to": who.email,
        "link": ref.as_payload(),
        "first_name": envelopes.answers_of(row, Own(who.key)).get("first_name", ""),
        "raffle": row.key,
        "place": row.id,
        "prize": prize,
        "until": voucher.last_day(claim_by).isoformat() if claim_by else None,
    }
    outbox.put_mails(
        session,
        [Mail(LETTER, row.shop_id, who.id, None, params)],
        tools=tools,
        now=now,
    )


def note(
    session: Session,
    place_id: int,
    step: str,
    *,
    now: datetime,
    by: str | None = None,
    why: str | None = None,
) -> None:
    """Keep a step of somebody who was drawn."""
    session.execute(
        insert(RaffleStep),
        {"place_id": place_id, "step": step, "at": now, "by": by, "note": why},
    )


def note_mailed(session: Session, entry_id: int, raffle: str, *, now: datetime) -> None:
    """Keep that a mail server has accepted the letter to a winner."""
    for row in session.execute(_OF_ENTRY.where(RafflePlace.entry_id == entry_id)):
        if row.key == raffle:
            note(session, row.id, "mailed", now=now)


def note_unreached(session: Session, mail: Claimed, why: str, *, now: datetime) -> None:
    """Keep that a letter to a winner was given up; nothing for any other letter."""
    # Those that were queued by an older version do not say whose they are.
    if mail.letter == LETTER and (place_id := mail.params.get("place")):
        note(session, place_id, "undeliverable", now=now, why=why)


def offered_to(session: Session, entry_ids: Iterable[int]) -> set[tuple[int, str]]:
    """Return which of these entries hold an offer, and of which raffle."""
    rows = session.execute(
        _OF_ENTRY.where(
            RafflePlace.entry_id.in_(list(entry_ids)),
            RafflePlace.state == Place.OFFERED,
        )
    )
    return {(row.entry_id, row.key) for row in rows}


_OF_ENTRY = (
    select(
        RafflePlace.id,
        RafflePlace.entry_id,
        RafflePlace.state,
        RafflePlace.unit,
        RafflePlace.claim_by,
        RafflePlace.claimed_at,
        Raffle.key,
    )
    .join(Raffle, Raffle.id == RafflePlace.raffle_id)
    .order_by(RafflePlace.id)
)


def wins(
    session: Session, entry_id: int, file: CampaignFile, *, now: datetime
) -> list[Win]:
    """Return what an entry was drawn for, whatever has become of it."""
    rows = session.execute(
        _OF_ENTRY.where(RafflePlace.entry_id == entry_id, RafflePlace.unit.is_not(None))
    )
    found = []
    for row in rows:
        if (raffle := file.raffle(row.key)) is None:
            continue
        # The worker may not have come by yet.
        is_over = row.state == Place.OFFERED and row.claim_by <= now
        found.append(
            Win(
                place_id=row.id,
                raffle=row.key,
                prize=raffle.prize(raffle.units[row.unit - 1]),
                state=Place.LAPSED if is_over else Place(row.state),
                claim_by=row.claim_by,
                claimed_at=row.claimed_at,
            )
        )
    return found


def claim(session: Session, place_id: int, *, now: datetime) -> bool:
    """Let a winner have their prize, once and in time; it costs nothing (PZ-07)."""
    changed = session.execute(
        update(RafflePlace)
        .where(
            RafflePlace.id == place_id,
            RafflePlace.state == Place.OFFERED,
            RafflePlace.claim_by > now,
        )
        .values(state=Place.CLAIMED, claimed_at=now)
    )
    if rows_changed(changed) != 1:
        return False
    note(session, place_id, "claimed", now=now)
    return True


def lapse_due(
    session: Session, *, directory: Directory, tools: Tools, now: datetime
) -> int:
    """Take back what was not claimed in time and offer it to the next reserve.

    Returns how many lapsed.
    """
    due = session.scalars(
        select(RafflePlace.raffle_id)
        .where(RafflePlace.state == Place.OFFERED, RafflePlace.claim_by <= now)
        .distinct()
    ).all()
    return sum(
        _lapse(session, raffle_id, directory=directory, tools=tools, now=now)
        for raffle_id in sorted(due)
    )


def _lapse(
    session: Session,
    raffle_id: int,
    *,
    directory: Directory,
    tools: Tools,
    now: datetime,
) -> int:
    # Whoever else lets prizes of this raffle lapse waits here.
    session.execute(select(Raffle.id).where(Raffle.id == raffle_id).with_for_update())
    lapsed = session.execute(
        update(RafflePlace)
        .where(
            RafflePlace.raffle_id == raffle_id,
            RafflePlace.state == Place.OFFERED,
            RafflePlace.claim_by <= now,
        )
        .values(state=Place.LAPSED)
        .returning(RafflePlace.id, RafflePlace.unit)
    ).all()
    for row in sorted(lapsed, key=lambda row: row.unit):
        is_offered = offer_next(
            session,
            raffle_id,
            row.unit,
            directory=directory,
            tools=tools,
            now=now,
        )
        why = None if is_offered else "no reserve is left"
        note(session, row.id, "lapsed", now=now, why=why)
    return len(lapsed)


def balance(session: Session, raffle_id: int, units: int, *, is_drawn: bool) -> Balance:
    """Return where the prizes of a raffle are (PZ-04)."""
    counted = session.execute(
        select(RafflePlace.state, func.count().label("times"))
        .where(RafflePlace.raffle_id == raffle_id)
        .group_by(RafflePlace.state)
    )
    states = {row.state: row.times for row in counted}
    return rules.balance(units, states, is_drawn=is_drawn)
