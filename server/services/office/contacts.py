"""One person: what they want today, and the proof of every yes and no (PR-02)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.evidence import name_of
from server.domain.retention import Verdict, judge
from server.domain.seals import SealError, Vault
from server.models.attribute import Attribute
from server.models.campaign import Campaign
from server.models.consent import ConsentEvent, Evidence, Standing
from server.models.contact import Contact, Suppression
from server.models.entry import Entry
from server.models.optin import OptIn
from server.models.placement import Placement
from server.models.text import Text
from server.services import (
    acquaintances,
    consents,
    contacts,
    delivery_lists,
    envelopes,
)
from server.services.campaigns import Directory
from server.services.contacts import Reason
from server.services.delivery_lists import Listed
from server.services.office import entries
from server.services.office.entries import EntryLine
from server.services.tools import Tools


@dataclass(frozen=True, slots=True)
class StandingLine:
    """What a person wants today for one purpose, and since when."""

    purpose: str
    act: str
    at: datetime
    text_hash: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One act, on one or more purposes, under one piece of evidence."""

    act: str
    at: datetime
    method: str
    channel: str
    locale: str
    context: dict[str, Any]
    notice_hash: str
    form_hash: str
    evidence: str
    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class RequestFile:
    """A double opt-in request with all that happened to it, oldest first."""

    state: str
    requested_at: datetime
    expires_at: datetime
    settled_at: datetime | None
    message_id: str | None
    facts: list[Fact]


@dataclass(frozen=True, slots=True)
class AttributeLine:
    """One fact about a person, what it is kept for, and where and when it was told."""

    key: str
    kind: str
    value: str
    purpose: str
    campaign: str
    placement: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Dossier:
    """A person as one shop knows them. `bodies` maps hex hashes to what was shown.

    Of one who was erased there is no address, and no verdict on how long they are kept.
    """

    public_id: str
    email: str
    locale: str
    created_at: datetime
    seen_at: datetime
    restricted_at: datetime | None
    objected_at: datetime | None
    erased_at: datetime | None
    verdict: Verdict | None
    standing: list[StandingLine]
    attributes: list[AttributeLine]
    requests: list[RequestFile]
    # What followed no form: claims of the shop, their own page of wishes, rights.
    loose: list[Fact]
    bodies: dict[str, str]
    entries: list[EntryLine]
    # Who else was told about them, and what.
    told: list[Listed]


def find(
    session: Session,
    shop_id: int,
    public_id: str,
    *,
    directory: Directory,
    vault: Vault,
    now: datetime,
) -> Dossier | None:
    """Return a person of this shop with everything that proves their choices."""
    contact = contacts.find(session, shop_id, public_id)
    if contact is None:
        return None
    events = consents.history(session, contact.subject_ref)
    return Dossier(
        public_id=contact.public_id,
        email=envelopes.shown_email(contact, vault=vault),
        locale=contact.locale,
        created_at=contact.created_at,
        seen_at=contact.seen_at,
        restricted_at=contact.restricted_at,
        objected_at=_objected_at(session, contact),
        erased_at=contact.erased_at,
        verdict=_verdict(session, contact.id, directory=directory, now=now),
        standing=_standing(session, contact.id),
        attributes=_attributes(session, contact, vault=vault),
        requests=_requests(session, contact.id, events),
        loose=_facts([event for event in events if event.optin_id is None]),
        bodies=_bodies(session, events),
        entries=entries.of_contact(session, shop_id, contact.id, vault=vault),
        told=delivery_lists.of_contact(session, contact.id),
    )


def _verdict(
    session: Session, contact_id: int, *, directory: Directory, now: datetime
) -> Verdict | None:
    """Return how long somebody is kept, and what of theirs grows too old (DS-05)."""
    someone = acquaintances.one(session, contact_id, directory=directory)
    return judge(someone.known, someone.terms, now=now) if someone else None


def _objected_at(session: Session, contact: Contact) -> datetime | None:
    return session.scalar(
        select(Suppression.created_at).where(
            Suppression.shop_id == contact.shop_id,
            Suppression.email_hash == contact.email_hash,
            Suppression.reason == Reason.NEVER.value,
        )
    )


def has_evidence(session: Session, shop_id: int, public_id: str, name: str) -> bool:
    """Return whether a person of this shop has a piece of evidence of that name."""
    contact = contacts.find(session, shop_id, public_id)
    digest = _digest(name)
    if contact is None or digest is None:
        return False
    found = session.scalar(
        select(Evidence.name).where(
            Evidence.contact_id == contact.id, Evidence.name == name_of(digest)
        )
    )
    return found is not None


def evidence(
    session: Session, shop_id: int, public_id: str, name: str, *, tools: Tools
) -> dict[str, Any]:
    """Open a piece of evidence; empty if its key was destroyed or it was changed."""
    contact, digest = contacts.find(session, shop_id, public_id), _digest(name)
    if contact is None or digest is None:
        return {}
    try:
        who = contacts.person(session, contact.id, vault=tools.vault)
        return consents.evidence(session, who, digest, vault=tools.vault)
    except SealError:
        return {}


def _digest(name: str) -> bytes | None:
    try:
        return bytes.fromhex(name)
    except ValueError:
        return None


def _standing(session: Session, contact_id: int) -> list[StandingLine]:
    rows = session.execute(
        select(Standing, ConsentEvent.at)
        .join(ConsentEvent, ConsentEvent.id == Standing.event_id)
        .where(Standing.contact_id == contact_id)
        .order_by(Standing.purpose)
    )
    return [
        StandingLine(row.purpose, row.act, at, row.text_hash.hex()) for row, at in rows
    ]


def _attributes(
    session: Session, contact: Contact, *, vault: Vault
) -> list[AttributeLine]:
    rows = session.execute(
        select(Attribute, Campaign.code, Placement.code)
        .join(Entry, Entry.id == Attribute.entry_id)
        .join(Campaign, Campaign.id == Entry.campaign_id)
        .join(Placement, Placement.id == Entry.placement_id)
        .where(Attribute.contact_id == contact.id)
        .order_by(Attribute.purpose, Attribute.key)
    )
    return [
        AttributeLine(
            key=row.key,
            kind=row.kind,
            value=_value(row, contact, vault),
            purpose=row.purpose,
            campaign=campaign,
            placement=placement,
            at=row.at,
        )
        for row, campaign, placement in rows
    ]


def _value(row: Attribute, contact: Contact, vault: Vault) -> str:
    """Return what somebody told; empty where their key was lost."""
    try:
        key = envelopes.key_of(contact, vault=vault)
        return envelopes.value_of(row, key, subject_ref=contact.subject_ref)
    except SealError:
        return ""


def _requests(
    session: Session, contact_id: int, events: list[ConsentEvent]
) -> list[RequestFile]:
    rows = session.scalars(
        select(OptIn).where(OptIn.contact_id == contact_id).order_by(OptIn.id.desc())
    )
    return [
        RequestFile(
            state=row.state,
            requested_at=row.requested_at,
            expires_at=row.expires_at,
            settled_at=row.settled_at,
            message_id=row.message_id,
            facts=_facts([event for event in events if event.optin_id == row.id]),
        )
        for row in rows
    ]


def _facts(events: list[ConsentEvent]) -> list[Fact]:
    """Return one fact for each act; its purposes share the evidence."""
    facts: dict[tuple[bytes, str], Fact] = {}
    for event in events:
        key = (event.evidence_hash, event.act)
        if key not in facts:
            facts[key] = Fact(
                act=event.act,
                at=event.at,
                method=event.method,
                channel=event.channel,
                locale=event.locale,
                context=event.context,
                notice_hash=event.notice_hash.hex(),
                form_hash=event.form_hash.hex(),
                evidence=event.evidence_hash.hex(),
                texts={},
            )
        facts[key].texts[event.purpose] = event.text_hash.hex()
    return list(facts.values())


def _bodies(session: Session, events: list[ConsentEvent]) -> dict[str, str]:
    hashes = {
        digest
        for event in events
        for digest in (event.text_hash, event.notice_hash, event.form_hash)
    }
    rows = session.execute(
        select(Text.sha256, Text.body).where(Text.sha256.in_(hashes))
    )
    return {sha256.hex(): body for sha256, body in rows}
