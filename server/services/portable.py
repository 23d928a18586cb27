"""All that a shop knows of a person, for them to have and to take along (DS-01).

It answers a request for access and one for portability alike (GDPR 15 and 20). Its form
is in `docs/rights.md`. Nothing of anybody else is in it, and no live link.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain import proof as proof_rules
from server.domain import receipt as receipt_rules
from server.domain.campaign import Campaign as CampaignFile
from server.domain.campaign import parse_campaign
from server.domain.ledger import moment
from server.domain.receipt import Record
from server.domain.seals import Own, Vault
from server.domain.shop import ShopFile, parse_shop
from server.models.attribute import Attribute
from server.models.audience import AudienceMember
from server.models.campaign import Campaign, CampaignVersion
from server.models.contact import Contact, Suppression
from server.models.entry import Entry
from server.models.outbox import Outbox
from server.models.placement import Placement
from server.models.preference import Preference
from server.models.prize import Prize
from server.models.purchase import Purchase
from server.models.raffle import Raffle, RafflePlace
from server.models.rights import AddressChange, RightsRequest
from server.models.shop import Shop
from server.models.voucher import Voucher
from server.services import contacts, delivery_lists, envelopes, proofs, receipts
from server.services.contacts import Person
from server.services.tools import Tools

FORMAT = "jawoord-person-1"
# What a platform knows somebody by.
HASHED = {"email": "address", "phone": "phone number"}


def holder(
    session: Session, shop_id: int, public_id: str, *, vault: Vault
) -> Person | None:
    """Return a person of this shop; None if it knows nobody, or has erased them."""
    contact = contacts.find(session, shop_id, public_id)
    if contact is None or contact.erased_at is not None:
        return None
    return contacts.person(session, contact.id, vault=vault)


def export(
    session: Session, who: Person, *, tools: Tools, now: datetime
) -> dict[str, Any]:
    """Return everything about a person as plain JSON (GDPR 15, 20; DS-01).

    Raises LookupError for somebody who was erased: there is nothing left to give.
    """
    contact = session.get_one(Contact, who.id)
    shop = parse_shop(session.get_one(Shop, who.shop_id).definition)
    proof = proofs.gather(session, who.shop_id, contact.public_id, tools=tools, now=now)
    if contact.erased_at is not None or proof is None:
        raise LookupError(contact.public_id)
    record = receipts.record(
        session,
        shop,
        shop_id=who.shop_id,
        contact_id=who.id,
        subject_ref=who.subject_ref,
        tools=tools,
    )
    return {
        "format": FORMAT,
        "made_at": moment(now),
        "controller": proof_rules.controller(shop.legal),
        "person": _person(contact, who),
        "attributes": _attributes(session, who),
        "entries": _entries(session, who),
        "consents": proof_rules.told(proof),
        "receipts": _receipts(record, tools=tools, now=now),
        "preferences": _preferences(session, who.id),
        "suppressions": _suppressions(session, who),
        "rights": _rights(session, who.id),
        "mails": _mails(session, who.id),
        "recipients": _recipients(session, who.id, shop, record),
    }


def _person(contact: Contact, who: Person) -> dict[str, Any]:
    return {
        "id": contact.public_id,
        "email": who.email,
        "locale": contact.locale,
        "known_since": moment(contact.created_at),
        "last_seen": moment(contact.seen_at),
        "restricted_at": _moment(contact.restricted_at),
        "subject": contact.subject_ref.hex(),
    }


def _attributes(session: Session, who: Person) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Attribute, Campaign.code)
        .join(Entry, Entry.id == Attribute.entry_id)
        .join(Campaign, Campaign.id == Entry.campaign_id)
        .where(Attribute.contact_id == who.id)
        .order_by(Attribute.purpose, Attribute.key)
    )
    return [
        {
            "key": row.key,
            "kind": row.kind,
            "value": envelopes.value_of(row, who.key, subject_ref=who.subject_ref),
            "purpose": row.purpose,
            "campaign": campaign,
            "told_at": moment(row.at),
        }
        for row, campaign in rows
    ]


def _entries(session: Session, who: Person) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Entry, Campaign.code, Placement, CampaignVersion.definition)
        .join(Campaign, Campaign.id == Entry.campaign_id)
        .join(Placement, Placement.id == Entry.placement_id)
        .join(
            CampaignVersion,
            (CampaignVersion.campaign_id == Entry.campaign_id)
            & (CampaignVersion.number == Entry.version),
        )
        .where(Entry.contact_id == who.id)
        .order_by(Entry.id)
    ).all()
    return [
        _entry(session, who, entry, campaign, placement, parse_campaign(definition))
        for entry, campaign, placement, definition in rows
    ]


def _entry(
    session: Session,
    who: Person,
    entry: Entry,
    campaign: str,
    placement: Placement,
    file: CampaignFile,
) -> dict[str, Any]:
    spoken, holder = file.language(entry.locale), Own(who.key)
    return {
        "receipt": entry.ticket.hex(),
        "campaign": campaign,
        "campaign_name": file.name[spoken],
        "version": entry.version,
        "placement": placement.code,
        "place": placement.channel,
        "device": entry.device,
        "locale": entry.locale,
        "state": entry.state,
        "played_at": moment(entry.played_at),
        "claimed_at": _moment(entry.claimed_at),
        "answers": envelopes.answers_of(entry, holder),
        "source": envelopes.source_of(entry, holder),
        "outcome": entry.outcome,
        "awarded": entry.awarded,
        "prize": _prize(session, entry, file),
        "paid_back_cents": session.scalar(
            select(Purchase.amount_cents).where(Purchase.entry_id == entry.id)
        ),
        "raffles": _raffles(session, entry, file),
    }


def _prize(session: Session, entry: Entry, file: CampaignFile) -> dict[str, Any] | None:
    """Return the voucher that an entry holds, in the words of its own campaign."""
    row = session.execute(
        select(Voucher, Prize.key)
        .join(Prize, Prize.id == Voucher.prize_id)
        .where(Voucher.entry_id == entry.id)
    ).one_or_none()
    if row is None:
        return None
    voucher, key = row
    return {
        "key": key,
        "label": file.prize(key).texts[file.language(entry.locale)].label,
        "code": voucher.code,
        "state": voucher.state,
        "awarded_at": _moment(voucher.awarded_at),
        "valid_until": _moment(voucher.valid_until),
        "redeemed_at": _moment(voucher.redeemed_at),
    }


def _raffles(
    session: Session, entry: Entry, file: CampaignFile
) -> list[dict[str, Any]]:
    rows = session.execute(
        select(RafflePlace, Raffle.key)
        .join(Raffle, Raffle.id == RafflePlace.raffle_id)
        .where(RafflePlace.entry_id == entry.id)
        .order_by(RafflePlace.id)
    )
    found = []
    for place, key in rows:
        raffle = file.raffle(key)
        won = raffle.units[place.unit - 1] if raffle and place.unit else None
        found.append(
            {
                "raffle": key,
                "state": place.state,
                "prize": won,
                "claim_by": _moment(place.claim_by),
                "claimed_at": _moment(place.claimed_at),
            }
        )
    return found


def _receipts(record: Record, *, tools: Tools, now: datetime) -> list[dict[str, Any]]:
    """Return the signed receipt; none of what was never said yes to."""
    if not record.given:
        return []
    return [receipt_rules.build(record, issued=now, notary=tools.notary)]


def _preferences(session: Session, contact_id: int) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(Preference)
        .where(Preference.contact_id == contact_id)
        .order_by(Preference.purpose)
    )
    return [
        {
            "purpose": row.purpose,
            "topics": row.topics,
            "rhythm": row.rhythm,
            "at": moment(row.at),
        }
        for row in rows
    ]


def _suppressions(session: Session, who: Person) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(Suppression)
        .where(
            Suppression.shop_id == who.shop_id,
            Suppression.email_hash == who.email_hash,
        )
        .order_by(Suppression.reason)
    )
    return [
        {
            "reason": row.reason,
            "since": moment(row.created_at),
            "until": _moment(row.until),
        }
        for row in rows
    ]


def _rights(session: Session, contact_id: int) -> list[dict[str, Any]]:
    """Return what was asked by right, and new addresses that were never confirmed."""
    asked = session.scalars(
        select(RightsRequest)
        .where(RightsRequest.contact_id == contact_id)
        .order_by(RightsRequest.id)
    )
    changes = session.scalars(
        select(AddressChange)
        .where(AddressChange.contact_id == contact_id)
        .order_by(AddressChange.id)
    )
    return [
        *(
            {
                "kind": row.kind,
                "by": "person" if row.member_id is None else "shop",
                "opened_at": moment(row.opened_at),
                "due_at": moment(row.due_at),
                "settled_at": _moment(row.settled_at),
                "outcome": row.outcome,
            }
            for row in asked
        ),
        *(
            {
                "kind": "new_address",
                "by": "person",
                "opened_at": moment(row.asked_at),
                "due_at": moment(row.expires_at),
                "settled_at": None,
                "outcome": None,
            }
            for row in changes
        ),
    ]


def _mails(session: Session, contact_id: int) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(Outbox).where(Outbox.contact_id == contact_id).order_by(Outbox.id)
    )
    return [
        {
            "letter": row.letter,
            "message_id": row.message_id,
            "state": row.state,
            "queued_at": moment(row.created_at),
            "settled_at": _moment(row.settled_at),
        }
        for row in rows
    ]


def _recipients(
    session: Session, contact_id: int, shop: ShopFile, record: Record
) -> list[dict[str, Any]]:
    """Return who got or gets the address besides the shop (GDPR 15(1)(c), 19)."""
    platforms = session.scalars(
        select(AudienceMember)
        .where(AudienceMember.contact_id == contact_id)
        .order_by(AudienceMember.id)
    )
    return [
        {"name": shop.legal.name, "as": "controller", "since": None, "until": None},
        *(
            {
                "name": consent.recipient,
                "as": f"named in the consent {consent.purpose}",
                "since": _moment(consent.given_at),
                "until": None if consent.is_yes else moment(consent.since),
            }
            for consent in record.consents
            if consent.recipient
        ),
        *(
            {
                "name": row.platform,
                "as": f"advertising platform, as a hash of the {HASHED[row.kind]}",
                "since": moment(row.added_at),
                "until": _moment(row.removed_at),
            }
            for row in platforms
        ),
        *_told(session, contact_id),
    ]


def _told(session: Session, contact_id: int) -> list[dict[str, Any]]:
    """Return who was told by webhook, and of what each was (GDPR 19)."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for line in delivery_lists.of_contact(session, contact_id):
        by_name.setdefault(line.recipient, []).append(
            {
                "event": line.event,
                "purpose": line.purpose or None,
                "queued_at": moment(line.created_at),
                "state": line.state,
                "acknowledged_at": _moment(line.acknowledged_at),
            }
        )
    return [
        {
            "name": name,
            "as": "told by webhook",
            "since": min(
                (e["acknowledged_at"] for e in events if e["acknowledged_at"]),
                default=None,
            ),
            "until": None,
            "told": events,
        }
        for name, events in by_name.items()
    ]


def _moment(at: datetime | None) -> str | None:
    return None if at is None else moment(at)
