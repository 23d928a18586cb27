"""What a shop keeps about a person beside their address, as they find it (GDPR 15, 16).

Each is there while its purpose has their yes, and is asked for by the newest form that
asked it: by its words and rules it is read and corrected.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from server.domain import profile as rules
from server.domain.campaign import Campaign as CampaignFile
from server.domain.consent import Act
from server.domain.profile import Asking
from server.domain.seals import SealError
from server.models.attribute import Attribute
from server.models.base import rows_changed, table
from server.models.campaign import Campaign
from server.models.consent import Standing
from server.models.entry import Entry
from server.services import envelopes
from server.services.campaigns import Directory
from server.services.contacts import Person
from server.services.tools import Chance


@dataclass(frozen=True, slots=True)
class Kept:
    """One fact about a person, and the campaign whose field or question asks for it."""

    key: str
    kind: str
    value: str
    purpose: str
    at: datetime
    campaign: CampaignFile
    asked: Asking
    sealed: bytes

    @property
    def mark(self) -> str:
        """Return what a form says of what it showed; it is another after any change."""
        return hashlib.sha256(self.sealed).hexdigest()

    @property
    def country(self) -> str:
        """Return where a phone number without `+` is from (two letters, ISO 3166)."""
        return self.campaign.countries[0]


def keeps_any(session: Session, who: Person) -> bool:
    """Return whether anything about somebody is kept under a yes of today."""
    told = {"contact": who.id}
    return session.connection().execute(_KEPT.limit(1), told).first() is not None


def kept(session: Session, who: Person, *, directory: Directory) -> list[Kept]:
    """Return what is kept about somebody under a yes of today, by purpose.

    What does not open is left out, since nobody could say what would be changed.
    """
    rows = session.connection().execute(_KEPT, {"contact": who.id})
    found = [_kept(session, who, row, directory=directory) for row in rows.all()]
    return [each for each in found if each is not None]


def change(
    session: Session,
    who: Person,
    shown: Kept,
    value: str,
    *,
    random: Chance,
    now: datetime,
) -> bool:
    """Let something say another thing; False unless it is still what was shown."""
    sealed = envelopes.seal_value(
        who.key, value, subject_ref=who.subject_ref, name=shown.key, random=random
    )
    changed = session.connection().execute(
        _CHANGE,
        {
            **_as_shown(who, shown),
            "new_kind": rules.kind_of(shown.asked),
            "new_value": sealed,
            "moment": now,
        },
    )
    return rows_changed(changed) == 1


def remove(session: Session, who: Person, shown: Kept) -> bool:
    """Keep something no more; False unless it is still what was shown."""
    removed = session.connection().execute(_REMOVE, _as_shown(who, shown))
    return rows_changed(removed) == 1


def _as_shown(who: Person, shown: Kept) -> dict[str, Any]:
    return {"contact": who.id, "name": shown.key, "shown": shown.sealed}


def _kept(
    session: Session, who: Person, row: Any, *, directory: Directory
) -> Kept | None:
    try:
        value = envelopes.value_of(row, who.key, subject_ref=who.subject_ref)
    except SealError:
        envelopes.left_out(who.id)
        return None
    for number in range(row.newest, row.version - 1, -1):
        campaign = directory.campaign(session, row.campaign_id, number)
        if asked := rules.asking(campaign, row.key, value):
            return Kept(
                key=row.key,
                kind=row.kind,
                value=value,
                purpose=row.purpose,
                at=row.at,
                campaign=campaign,
                asked=asked,
                sealed=row.sealed_value,
            )
    raise LookupError(f"no form asks for {row.key!r}")


_attribute, _standing = table(Attribute), table(Standing)
_KEPT = (
    select(
        *(_attribute.c.key, _attribute.c.kind, _attribute.c.sealed_value),
        *(_attribute.c.purpose, _attribute.c.at),
        *(Entry.campaign_id, Entry.version, Campaign.version.label("newest")),
    )
    .join(Entry, Entry.id == _attribute.c.entry_id)
    .join(Campaign, Campaign.id == Entry.campaign_id)
    .join(
        _standing,
        (_standing.c.contact_id == _attribute.c.contact_id)
        & (_standing.c.purpose == _attribute.c.purpose),
    )
    .where(
        _attribute.c.contact_id == bindparam("contact"),
        _standing.c.act == Act.GIVEN.value,
    )
    .order_by(_attribute.c.purpose, _attribute.c.key)
)
_IS_AS_SHOWN = (
    _attribute.c.contact_id == bindparam("contact"),
    _attribute.c.key == bindparam("name"),
    _attribute.c.sealed_value == bindparam("shown"),
)
_CHANGE = (
    update(_attribute)
    .where(*_IS_AS_SHOWN)
    .values(
        kind=bindparam("new_kind"),
        sealed_value=bindparam("new_value"),
        at=bindparam("moment"),
    )
)
_REMOVE = delete(_attribute).where(*_IS_AS_SHOWN)
