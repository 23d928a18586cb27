"""Gather all that proves somebody's choices (PR-01, PR-02, PR-04; GDPR 7(1)).

It works for facts without a request, as of an import, and for a person who was erased:
then the facts are left, and the evidence is gone with its key.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain import proof as rules
from server.domain.consent import EVERYTHING, worded
from server.domain.proof import (
    Asking,
    Delivery,
    Evidence,
    Fact,
    Kept,
    Place,
    Proof,
    Shown,
    Today,
    Try,
)
from server.domain.seals import SealError, Vault
from server.models.consent import ConsentEvent, ConsentQuestion, Standing
from server.models.contact import Contact
from server.models.optin import OptIn
from server.models.outbox import Attempt, Outbox
from server.models.shop import Shop
from server.models.text import Text
from server.services import campaigns, consents, contacts, envelopes, places
from server.services.contacts import Person
from server.services.tools import Tools


def has(session: Session, shop_id: int, public_id: str, purpose: str | None) -> bool:
    """Return whether this shop has facts about somebody, of a purpose if one is named.

    Somebody about whom there is none can be asked about in whole.
    """
    contact = contacts.find(session, shop_id, public_id)
    if contact is None or purpose is None:
        return contact is not None
    found = session.scalar(
        select(ConsentEvent.id)
        .join(ConsentEvent.question)
        .where(
            ConsentEvent.contact_id == contact.id,
            ConsentQuestion.purpose == purpose,
        )
        .limit(1)
    )
    return found is not None


def gather(
    session: Session,
    shop_id: int,
    public_id: str,
    *,
    purpose: str | None = None,
    tools: Tools,
    now: datetime,
) -> Proof | None:
    """Return the proof of a person of this shop; None if the shop does not know them.

    With a purpose, what is about everything comes along, since it is about that purpose
    as well.
    """
    contact = contacts.find(session, shop_id, public_id)
    shop = session.get_one(Shop, shop_id)
    file = campaigns.shop_named(session, shop.code)
    if contact is None or file is None:
        return None
    events = [
        event
        for event in consents.history(session, contact.subject_ref)
        if purpose is None or event.purpose in {purpose, EVERYTHING}
    ]
    opened = evidence(session, contact.id, events, tools=tools)
    found = places.of_events(session, shop_id, shop.code, events)
    return Proof(
        shop=shop.code,
        legal=file.legal,
        person=_person(contact, vault=tools.vault),
        purpose=purpose,
        made_at=now,
        today=today(session, contact.id, purpose),
        facts=_facts(events, found, opened),
        requests=requests(session, [e.optin_id for e in events if e.optin_id]),
        texts=texts(session, events),
        evidence=opened,
        keys=tools.notary.publics,
    )


def today(
    session: Session, contact_id: int, purpose: str | None = None
) -> tuple[Today, ...]:
    """Return what stands for somebody, of one purpose or of each."""
    rows = session.execute(
        select(Standing, ConsentEvent.at)
        .join(ConsentEvent, ConsentEvent.id == Standing.event_id)
        .where(Standing.contact_id == contact_id)
        .order_by(Standing.purpose)
    )
    return tuple(
        Today(row.purpose, row.act, at, row.text_hash.hex())
        for row, at in rows
        if purpose in {None, row.purpose}
    )


def texts(session: Session, events: Iterable[ConsentEvent]) -> dict[str, Shown]:
    """Return the copies of all that these facts say was shown, by their hex hash.

    One that is not what its name says proves nothing, and is left out (PR-01).
    """
    hashes = {
        digest
        for event in events
        for digest in (event.text_hash, event.notice_hash, event.form_hash)
    }
    rows = session.scalars(select(Text).where(Text.sha256.in_(hashes)))
    return {
        row.sha256.hex(): Shown(row.kind, row.locale, row.body)
        for row in rows
        if worded(row.body).sha256 == row.sha256
    }


def evidence(
    session: Session, contact_id: int, events: Iterable[ConsentEvent], *, tools: Tools
) -> dict[str, Evidence]:
    """Open each piece of evidence that these facts name, by its hex hash."""
    who = _who(session, contact_id, tools)
    return {
        digest.hex(): _opened(session, who, digest, tools.vault)
        for digest in dict.fromkeys(event.evidence_hash for event in events)
    }


def requests(session: Session, optin_ids: Iterable[int]) -> tuple[Asking, ...]:
    """Return these requests with their mails, oldest first."""
    wanted = set(optin_ids)
    rows = session.scalars(
        select(OptIn).where(OptIn.id.in_(wanted)).order_by(OptIn.id)
    ).all()
    mails = _mails(session, wanted)
    return tuple(
        Asking(
            number=row.id,
            state=row.state,
            requested_at=row.requested_at,
            expires_at=row.expires_at,
            settled_at=row.settled_at,
            message_id=row.message_id,
            mails=tuple(mails.get(row.id, ())),
        )
        for row in rows
    )


def _mails(session: Session, optin_ids: set[int]) -> dict[int, list[Delivery]]:
    rows = session.scalars(
        select(Outbox).where(Outbox.optin_id.in_(optin_ids)).order_by(Outbox.id)
    ).all()
    tries: dict[int, list[Try]] = {}
    for each in session.scalars(
        select(Attempt)
        .where(Attempt.outbox_id.in_([row.id for row in rows]))
        .order_by(Attempt.id)
    ):
        tries.setdefault(each.outbox_id, []).append(
            Try(each.at, each.outcome, each.answer)
        )
    mails: dict[int, list[Delivery]] = {}
    for row in rows:
        mails.setdefault(row.optin_id or 0, []).append(
            Delivery(
                letter=row.letter,
                message_id=row.message_id,
                state=row.state,
                queued_at=row.created_at,
                settled_at=row.settled_at,
                tries=tuple(tries.get(row.id, ())),
            )
        )
    return mails


def _person(contact: Contact, *, vault: Vault) -> rules.Person:
    return rules.Person(
        public_id=contact.public_id,
        email=envelopes.shown_email(contact, vault=vault),
        subject=contact.subject_ref.hex(),
        locale=contact.locale,
        known_since=contact.created_at,
        restricted_at=contact.restricted_at,
        erased_at=contact.erased_at,
    )


def _who(session: Session, contact_id: int, tools: Tools) -> Person | None:
    """Return a person with their key; None if it was destroyed."""
    try:
        return contacts.person(session, contact_id, vault=tools.vault)
    except SealError:
        return None


def _opened(
    session: Session, who: Person | None, digest: bytes, vault: Vault
) -> Evidence:
    if who is None:
        return Evidence(Kept.ERASED, {})
    try:
        facts = consents.evidence(session, who, digest, vault=vault)
    except SealError:
        return Evidence(Kept.CHANGED, {})
    return Evidence(Kept.OPENED if facts else Kept.CHANGED, facts)


def _facts(
    events: Iterable[ConsentEvent],
    found: Mapping[int, Place],
    opened: Mapping[str, Evidence],
) -> tuple[Fact, ...]:
    return tuple(
        Fact(
            act=event.act,
            purpose=event.purpose,
            at=event.at,
            method=event.method,
            channel=event.channel,
            locale=event.locale,
            context=event.context,
            text=event.text_hash.hex(),
            notice=event.notice_hash.hex(),
            form=event.form_hash.hex(),
            evidence=event.evidence_hash.hex(),
            request=event.optin_id,
            place=found.get(event.id),
            doubts=rules.doubts(opened[event.evidence_hash.hex()]),
        )
        for event in events
    )
