"""What somebody decided at a shop, for their receipt (PR-09)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain import receipt as rules
from server.domain.claim import SOFT
from server.domain.consent import Act, deciding, told_in
from server.domain.proof import Shown
from server.domain.receipt import Consent, Customer, Event, Record
from server.domain.retention import soft_until, sold_at
from server.domain.shop import ShopFile
from server.models.attribute import Attribute
from server.models.consent import ConsentEvent
from server.models.text import Text
from server.services import consents, places, proofs
from server.services.tools import Tools

NOTICE = "notice"
DAY = timedelta(days=1)


def record(
    session: Session,
    shop: ShopFile,
    *,
    shop_id: int,
    contact_id: int,
    subject_ref: bytes,
    tools: Tools,
) -> Record:
    """Return all that somebody decided, with the words as they were shown.

    What a sale allows is beside it: it is no consent, also once it has ended (SO-02).
    """
    history = consents.history(session, subject_ref)
    sales = [event for event in history if event.purpose.startswith(SOFT)]
    events = [
        event for event in history if event.act in rules.STATES and event not in sales
    ]
    texts = proofs.texts(session, events)
    told = _told(session, contact_id)
    found = places.of_events(session, shop_id, shop.code, events)
    decided = {
        purpose: event
        for purpose, event in deciding(events).items()
        if event.act in rules.DECIDED
    }
    return Record(
        shop=shop.code,
        legal=shop.legal,
        subject=subject_ref.hex(),
        consents=tuple(
            _consent(
                shop,
                event,
                [each for each in events if each.purpose == purpose],
                texts=texts,
                told=told.get(purpose, ()),
                tools=tools,
            )
            for purpose, event in decided.items()
        ),
        events=tuple(
            Event(event.at, event.purpose, event.act, event.method, found.get(event.id))
            for event in events
            if event.purpose in decided
        ),
        proof_months=shop.retention.proof_months,
        lapse_months=shop.retention.lapse_months,
        bought=_bought(session, sales, months=shop.retention.soft_months),
    )


def _bought(
    session: Session, sales: Sequence[ConsentEvent], *, months: int
) -> tuple[Customer, ...]:
    texts = proofs.texts(session, sales)
    found = []
    for purpose, event in deciding(sales).items():
        shown, sold = texts.get(event.text_hash.hex()), sold_at(event.context)
        is_on = event.act == Act.SOFT_OPT_IN
        # It says when that day was over.
        day = (sold - DAY).date() if sold else None
        found.append(
            Customer(
                category=purpose.removeprefix(SOFT),
                body=shown.body if shown else "",
                locale=event.locale,
                is_on=is_on,
                since=event.at,
                until=soft_until(day, months) if is_on and day else None,
            )
        )
    return tuple(found)


def notice(session: Session, digest: bytes) -> Shown | None:
    """Return a privacy notice as it once was shown; other copies are not public."""
    row = session.scalar(select(Text).where(Text.sha256 == digest, Text.kind == NOTICE))
    return None if row is None else Shown(row.kind, row.locale, row.body)


def _consent(
    shop: ShopFile,
    event: ConsentEvent,
    events: Iterable[ConsentEvent],
    *,
    texts: Mapping[str, Shown],
    told: Iterable[str],
    tools: Tools,
) -> Consent:
    shown = texts.get(event.text_hash.hex())
    told_there = told_in(shown.body if shown else "")
    notice = event.notice_hash.hex()
    given = [each.at for each in events if each.act == Act.GIVEN]
    return Consent(
        purpose=event.purpose,
        title=told_there.title or event.purpose,
        body=shown.body if shown else "",
        text=event.text_hash.hex(),
        notice=notice,
        notice_url=(
            f"{tools.public_url}/notice/{notice}"
            if notice in texts
            else str(shop.legal.privacy_url)
        ),
        locale=event.locale,
        collected=_collected(event),
        recipient=told_there.recipient,
        stands=event.act,
        since=event.at,
        given_at=given[-1] if given else None,
        told=tuple(told),
    )


def _collected(event: ConsentEvent) -> str:
    """Return how it was asked, in words that stay the same in every language."""
    place, campaign = event.context.get("place"), event.context.get("campaign")
    if not campaign:
        return event.method
    asked = f"{place or 'web'}:{campaign}"
    return f"{asked}, double opt-in by e-mail" if event.optin_id else asked


def _told(session: Session, contact_id: int) -> dict[str, list[str]]:
    rows = session.execute(
        select(Attribute.purpose, Attribute.key)
        .where(Attribute.contact_id == contact_id)
        .order_by(Attribute.purpose, Attribute.key)
    )
    told: dict[str, list[str]] = {}
    for purpose, key in rows:
        told.setdefault(purpose, []).append(key)
    return told
