"""Keep what people told about themselves, only while its purpose has their yes."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from server.domain.campaign import Campaign, parse_campaign
from server.domain.profile import Attribute, campaign_attributes, tells
from server.domain.seals import Own
from server.models import attribute as models
from server.models.base import inserting, table
from server.models.campaign import CampaignVersion
from server.models.entry import Entry
from server.services import envelopes
from server.services.contacts import Person
from server.services.links import Found
from server.services.tools import Chance


def learn(
    session: Session,
    found: Found,
    *,
    given: Iterable[str],
    random: Chance,
    now: datetime,
) -> None:
    """Keep what the entry behind a link told under purposes just confirmed.

    Who asks once more before confirming may have told something in each entry; the
    newer one has the last word.
    """
    purposes, kept = set(given), {}
    for entry_id, campaign, answers in _told(session, found):
        for told in campaign_attributes(campaign, answers):
            if told.purpose in purposes:
                kept[told.key] = _row(found.who, entry_id, told, random=random, now=now)
    if kept:
        connection = session.connection()
        connection.execute(_keep(connection.dialect.name), list(kept.values()))


def _told(
    session: Session, found: Found
) -> Iterable[tuple[int, Campaign, dict[str, str]]]:
    """Return the entries of a request, oldest first, each with its campaign."""
    holder = Own(found.who.key)
    if found.asked.entry_id == found.entry_id:
        # Nearly always; and most campaigns ask nothing that is kept.
        if tells(found.campaign):
            row = session.execute(_ANSWERS, {"entry": found.entry_id}).one()
            yield found.entry_id, found.campaign, envelopes.answers_of(row, holder)
        return
    both = [found.asked.entry_id, found.entry_id]
    for row in session.execute(_TOLD, {"ids": both}):
        yield row.id, parse_campaign(row.definition), envelopes.answers_of(row, holder)


def add(
    session: Session,
    who: Person,
    entry_id: int,
    campaign: Campaign,
    *,
    given: Iterable[str],
    random: Chance,
    now: datetime,
) -> None:
    """Keep what an entry told under purposes that have a yes already, if it is new.

    Nobody has shown that the mailbox is theirs, so nothing known is overwritten.
    """
    purposes = set(given)
    row = session.execute(_ANSWERS, {"entry": entry_id}).one()
    told = campaign_attributes(campaign, envelopes.answers_of(row, Own(who.key)))
    rows = [
        _row(who, entry_id, each, random=random, now=now)
        for each in told
        if each.purpose in purposes
    ]
    if rows:
        connection = session.connection()
        connection.execute(_add(connection.dialect.name), rows)


def forget(session: Session, who: Person, withdrawn: Iterable[str]) -> None:
    """Remove what was kept under purposes that have a yes no longer."""
    session.connection().execute(
        _FORGET, {"contact": who.id, "purposes": list(withdrawn)}
    )


_ANSWERS = select(*envelopes.ANSWERS).where(Entry.id == bindparam("entry"))
_TOLD = (
    select(Entry.id, *envelopes.ANSWERS, CampaignVersion.definition)
    .join(
        CampaignVersion,
        (CampaignVersion.campaign_id == Entry.campaign_id)
        & (CampaignVersion.number == Entry.version),
    )
    .where(Entry.id.in_(bindparam("ids", expanding=True)))
    .order_by(Entry.id)
)
_attribute = table(models.Attribute)
_FORGET = delete(_attribute).where(
    _attribute.c.contact_id == bindparam("contact"),
    _attribute.c.purpose.in_(bindparam("purposes", expanding=True)),
)


@cache
def _keep(dialect: str) -> Any:
    insert = inserting(dialect)(_attribute)
    names = ("kind", "sealed_value", "purpose", "entry_id", "at")
    return insert.on_conflict_do_update(
        index_elements=["contact_id", "key"],
        set_={name: getattr(insert.excluded, name) for name in names},
    )


@cache
def _add(dialect: str) -> Any:
    return inserting(dialect)(_attribute).on_conflict_do_nothing()


def _row(
    who: Person, entry_id: int, told: Attribute, *, random: Chance, now: datetime
) -> dict[str, Any]:
    return {
        "contact_id": who.id,
        "key": told.key,
        "kind": told.kind,
        "sealed_value": envelopes.seal_value(
            who.key,
            told.value,
            subject_ref=who.subject_ref,
            name=told.key,
            random=random,
        ),
        "purpose": told.purpose,
        "entry_id": entry_id,
        "at": now,
    }
