"""Keep what people told about themselves, only while its purpose has their yes."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from server.domain.campaign import Campaign, parse_campaign
from server.domain.profile import Attribute, campaign_attributes
from server.models import attribute as models
from server.models.base import inserting, table
from server.models.campaign import CampaignVersion
from server.models.entry import Entry
from server.services.contacts import Person


@dataclass(frozen=True, slots=True)
class Told:
    """What an entry answered, with the campaign that asked."""

    entry_id: int
    campaign: Campaign
    answers: Mapping[str, Any] | None


def told_in(session: Session, entry_id: int) -> Told:
    """Return what an entry told, for one whose campaign is not at hand."""
    row = session.connection().execute(_TOLD, {"entry": entry_id}).one()
    return Told(entry_id, parse_campaign(row.definition), row.answers)


def learn(
    session: Session,
    who: Person,
    told: Iterable[Told],
    *,
    given: Iterable[str],
    now: datetime,
) -> None:
    """Keep what these entries told under the purposes that were just confirmed.

    Where several tell of the same, the last one has the last word.
    """
    purposes = set(given)
    found = {
        each.key: _row(who, one.entry_id, each, now)
        for one in told
        if one.answers
        for each in campaign_attributes(one.campaign, one.answers)
        if each.purpose in purposes
    }
    if found:
        connection = session.connection()
        connection.execute(_keep(connection.dialect.name), list(found.values()))


def add(
    session: Session,
    who: Person,
    entry_id: int,
    told: Iterable[Attribute],
    *,
    given: Iterable[str],
    now: datetime,
) -> None:
    """Keep what was told under purposes that have a yes already, if it is new.

    Nobody has shown that the mailbox is theirs, so nothing known is overwritten.
    """
    purposes = set(given)
    rows = [_row(who, entry_id, each, now) for each in told if each.purpose in purposes]
    if rows:
        connection = session.connection()
        connection.execute(_add(connection.dialect.name), rows)


def forget(session: Session, who: Person, withdrawn: Collection[str]) -> None:
    """Remove what was kept under purposes that have a yes no longer."""
    if not withdrawn:
        return
    session.connection().execute(
        _FORGET, {"contact": who.id, "purposes": list(withdrawn)}
    )


_TOLD = (
    select(Entry.answers, CampaignVersion.definition)
    .join(
        CampaignVersion,
        (CampaignVersion.campaign_id == Entry.campaign_id)
        & (CampaignVersion.number == Entry.version),
    )
    .where(Entry.id == bindparam("entry"))
)
_attribute = table(models.Attribute)
_FORGET = delete(_attribute).where(
    _attribute.c.contact_id == bindparam("contact"),
    _attribute.c.purpose.in_(bindparam("purposes", expanding=True)),
)


@cache
def _keep(dialect: str) -> Any:
    insert = inserting(dialect)(_attribute)
    names = ("kind", "value", "purpose", "entry_id", "at")
    return insert.on_conflict_do_update(
        index_elements=["contact_id", "key"],
        set_={name: getattr(insert.excluded, name) for name in names},
    )


@cache
def _add(dialect: str) -> Any:
    return inserting(dialect)(_attribute).on_conflict_do_nothing()


def _row(who: Person, entry_id: int, told: Attribute, now: datetime) -> dict[str, Any]:
    return {
        "contact_id": who.id,
        "key": told.key,
        "kind": told.kind,
        "value": told.value,
        "purpose": told.purpose,
        "entry_id": entry_id,
        "at": now,
    }
