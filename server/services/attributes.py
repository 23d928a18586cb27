"""Keep what people told about themselves, only while its purpose has their yes."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from server.domain.campaign import parse_campaign
from server.domain.profile import Attribute, campaign_attributes
from server.models import attribute as models
from server.models.base import inserting, table
from server.models.campaign import CampaignVersion
from server.models.entry import Entry
from server.services.contacts import Person


def learn(
    session: Session,
    who: Person,
    entry_ids: Iterable[int],
    *,
    given: Iterable[str],
    now: datetime,
) -> None:
    """Keep what these entries told under the purposes that were just confirmed.

    The newest entry has the last word on what several of them told.
    """
    purposes, found = set(given), {}
    rows = session.execute(_TOLD, {"ids": sorted(set(entry_ids))})
    for entry_id, answers, definition in rows:
        # Reading a file takes a millisecond; most have nothing to tell.
        asked = [
            *definition["fields"],
            *definition.get("quiz", {}).get("questions", ()),
        ]
        if not answers or not any(each.get("purpose") for each in asked):
            continue
        for told in campaign_attributes(parse_campaign(definition), answers):
            if told.purpose in purposes:
                found[told.key] = _row(who, entry_id, told, now)
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


def forget(session: Session, who: Person, withdrawn: Iterable[str]) -> None:
    """Remove what was kept under purposes that have a yes no longer."""
    session.connection().execute(
        _FORGET, {"contact": who.id, "purposes": list(withdrawn)}
    )


_TOLD = (
    select(Entry.id, Entry.answers, CampaignVersion.definition)
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
