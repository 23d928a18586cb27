"""A shop's entries, newest first, a page at a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain import address
from server.domain.seals import Own, SealError, Vault
from server.models.campaign import Campaign
from server.models.contact import Contact
from server.models.entry import Entry
from server.models.placement import Placement
from server.services import contacts, envelopes
from server.services.office import campaigns, pager
from server.services.office.pager import Page


@dataclass(frozen=True, slots=True)
class EntryLine:
    """An entry in the list. Its ticket is its public name."""

    name: str
    played_at: datetime
    claimed_at: datetime | None
    campaign: str
    placement: str
    channel: str
    state: str
    awarded: str
    unit: int | None
    # What a quiz led to, and what the page around the game told.
    outcome: str | None
    source: dict[str, Any]
    answers: dict[str, Any]
    email: str | None
    contact: str | None
    # When its person was forgotten; then there is no address any more.
    erased_at: datetime | None


def page(
    session: Session,
    shop_id: int,
    *,
    campaign: str | None,
    after: str | None,
    vault: Vault,
) -> Page[EntryLine] | None:
    """Return entries older than the one named `after`, or the newest.

    None if the shop has no such campaign or entry.
    """
    wanted = _of_shop(shop_id)
    if campaign is not None:
        campaign_id = campaigns.find_id(session, shop_id, campaign)
        if campaign_id is None:
            return None
        wanted = wanted.where(Entry.campaign_id == campaign_id)
    if after is not None:
        last = _id_of(session, shop_id, after)
        if last is None:
            return None
        wanted = wanted.where(Entry.id < last)
    rows, has_older = pager.newest(session, wanted, Entry.id)
    lines = [_line(*row, vault=vault) for row in rows]
    return Page(lines, lines[-1].name if has_older else None)


def of_contact(
    session: Session, shop_id: int, contact_id: int, *, vault: Vault
) -> list[EntryLine]:
    """Return the entries of one person, newest first, as many as a page holds."""
    rows = session.execute(
        _of_shop(shop_id)
        .where(Entry.contact_id == contact_id)
        .order_by(Entry.id.desc())
        .limit(pager.LINES)
    )
    return [_line(*row, vault=vault) for row in rows]


def find_contact(
    session: Session, shop_id: int, email: str, *, vault: Vault
) -> str | None:
    """Return the public id of who has exactly this address. Raises `AddressError`."""
    has_address = contacts.has_address(shop_id, address.parse(email), vault=vault)
    return session.scalar(select(Contact.public_id).where(has_address))


def _of_shop(shop_id: int) -> Any:
    return (
        select(Entry, Campaign.code, Placement, Contact)
        .join(Campaign, Campaign.id == Entry.campaign_id)
        .join(Placement, Placement.id == Entry.placement_id)
        .outerjoin(Contact, Contact.id == Entry.contact_id)
        .where(Campaign.shop_id == shop_id)
    )


def _id_of(session: Session, shop_id: int, name: str) -> int | None:
    try:
        ticket = bytes.fromhex(name)
    except ValueError:
        return None
    return session.scalar(
        select(Entry.id)
        .join(Campaign, Campaign.id == Entry.campaign_id)
        .where(Entry.ticket == ticket, Campaign.shop_id == shop_id)
    )


def _line(
    entry: Entry,
    campaign: str,
    placement: Placement,
    contact: Contact | None,
    *,
    vault: Vault,
) -> EntryLine:
    told = _told(entry, contact, vault)
    return EntryLine(
        name=entry.ticket.hex(),
        played_at=entry.played_at,
        claimed_at=entry.claimed_at,
        campaign=campaign,
        placement=placement.code,
        channel=placement.channel,
        state=entry.state,
        awarded=entry.awarded,
        unit=entry.unit,
        outcome=entry.outcome,
        source=told[1],
        answers=told[0],
        email=envelopes.shown_email(contact, vault=vault) if contact else None,
        contact=contact.public_id if contact else None,
        erased_at=contact.erased_at if contact else None,
    )


def _told(
    entry: Entry, contact: Contact | None, vault: Vault
) -> tuple[dict[str, str], dict[str, str]]:
    """Return what an entry was answered with, and what the page around it told.

    Nothing where a key was lost: the list must show the others all the same.
    """
    try:
        holder = Own(envelopes.key_of(contact, vault=vault)) if contact else vault
        return (
            envelopes.answers_of(entry, holder),
            envelopes.source_of(entry, holder),
        )
    except SealError:
        return {}, {}
