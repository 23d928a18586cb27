"""Rows and files for tests, complete but for what the test is about.

`make(session, OptIn, state="sent")` makes an opt-in and, where they are not given,
the entry, contact, campaign and shop it belongs to. A parent is given by the name of
its table: `make(session, Entry, contact=contact)`. Everything made in one call, or
reached from what was given, belongs to one shop.
"""

import copy
import functools
import hashlib
import itertools
import os
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import JSON, Column, Date, Integer, LargeBinary, inspect
from sqlalchemy.orm import Session

from server.adapters import pictures
from server.domain.campaign import Campaign as CampaignFile
from server.domain.campaign import parse_campaign
from server.domain.consent import Question
from server.domain.picture import Picture, pictures_in, renamed
from server.domain.seals import Vault
from server.domain.shop import ShopFile, parse_shop
from server.models import (
    AudienceMember,
    Base,
    Campaign,
    ConsentEvent,
    ConsentQuestion,
    Contact,
    Entry,
    Membership,
    OptIn,
    Outbox,
    Voucher,
)
from server.models.base import Instant
from server.services import campaigns, images

M = TypeVar("M", bound=Base)
F = TypeVar("F", CampaignFile, ShopFile)

CAMPAIGNS = Path(__file__).parents[1] / "server" / "campaigns"
STATES: dict[type[Base], dict[str, Any]] = {
    AudienceMember: {"kind": "email"},
    Campaign: {"state": "published", "version": 1, "epochs": 90},
    # As of who was erased: a test that is about a key gives one.
    Contact: {"sealed_key": b"", "sealed_email": b""},
    Entry: {"state": "played"},
    Membership: {"role": "owner"},
    OptIn: {"state": "requested"},
    Outbox: {"state": "waiting", "attempts": 0},
    Voucher: {"state": "free"},
}
# What a fact is made with and its question keeps.
ASKED = set(ConsentQuestion.__table__.columns.keys()) - {"id", "sha256"}
_numbers = itertools.count(1)


def make(session: Session, model: type[M], *, now: datetime, **values: Any) -> M:
    """Add a row with these values, flush it and return it."""
    family: dict[str, Base] = {}
    for name, value in list(values.items()):
        if isinstance(value, Base):
            _join(session, family, values.pop(name))
    return _make(session, model, family, now, values)


def _make(
    session: Session,
    model: type[M],
    family: dict[str, Base],
    now: datetime,
    values: dict[str, Any],
) -> M:
    filled = STATES.get(model, {}) | values
    if model is ConsentEvent and (shared := ASKED & filled.keys()):
        told = {name: filled.pop(name) for name in shared}
        filled["question_id"] = _make(session, ConsentQuestion, family, now, told).id
    if model is Entry and filled["state"] == "claimed":
        filled.setdefault("contact_id", _parent(session, Contact, family, now))
    for column in model.__table__.columns:
        if column.name in filled or column.nullable or _is_counted(column):
            continue
        if column.foreign_keys:
            parent = _model_of(next(iter(column.foreign_keys)).column.table.name)
            filled[column.name] = _parent(session, parent, family, now)
        else:
            filled[column.name] = _example(column, now)
    if model is ConsentQuestion and "sha256" not in values:
        # Its name has to be that of what it says.
        del filled["sha256"]
        question = Question(**filled)
        filled |= {"id": question.key, "sha256": question.sha256}
    row = model(**filled)
    session.add(row)
    session.flush()
    family[model.__tablename__] = row
    return row


def _parent(
    session: Session, model: type[Base], family: dict[str, Base], now: datetime
) -> int:
    """Return the id of the family's row of that table, making it if need be."""
    row = family.get(model.__tablename__)
    row = row or _make(session, model, family, now, {})
    key: int = inspect(row).identity[0]
    return key


def _join(session: Session, family: dict[str, Base], row: Base) -> None:
    """Add a row, and all that it belongs to, to the family."""
    family[row.__tablename__] = row
    for column in row.__table__.columns:
        key = getattr(row, column.name)
        if column.foreign_keys and key is not None:
            parent = _model_of(next(iter(column.foreign_keys)).column.table.name)
            found = session.get(parent, key)
            if found is not None and parent.__tablename__ not in family:
                _join(session, family, found)


def _model_of(table: str) -> type[Base]:
    models = {mapper.class_.__tablename__: mapper.class_ for mapper in _mappers()}
    return models[table]


def _mappers() -> Any:
    return Base.registry.mappers


def _is_counted(column: Column[Any]) -> bool:
    return column.name == "id" or column.default is not None


def _example(column: Column[Any], now: datetime) -> Any:
    """Return a value of the column's kind, different each time where that can be."""
    number = next(_numbers)
    match column.type:
        case Instant():
            return now
        case Date():
            return now.date()
        case LargeBinary():
            return number.to_bytes(32, "big")
        case JSON():
            return {}
        case Integer():
            return number
    if column.name == "locale":
        return "nl"
    tail = "@home.test" if column.name == "email" else ""
    return f"{column.name}-{number}{tail}"


def campaign_tables(name: str = "lucky-scratch", **changes: Any) -> dict[str, Any]:
    """Return a demo campaign's tables. `a__b=1` changes `b` of `a`; None removes it.

    A step that is a number picks from a list: `prizes__0__weight=5`.
    """
    tables = tomllib.loads((CAMPAIGNS / f"{name}.toml").read_text())
    for path, value in changes.items():
        *steps, last = path.split("__")
        place: Any = tables
        for step in steps:
            place = place[int(step)] if step.isdigit() else place.setdefault(step, {})
        key: Any = int(last) if last.isdigit() else last
        if value is None:
            del place[key]
        else:
            place[key] = copy.deepcopy(value)
    return tables


def campaign_file(name: str = "lucky-scratch", **changes: Any) -> CampaignFile:
    """Return a demo campaign, changed, as the domain knows it."""
    return parse_campaign(campaign_tables(name, **changes))


def shop_file(**changes: Any) -> ShopFile:
    """Return the demo shop, changed, as the domain knows it."""
    return parse_shop(campaign_tables("demo-shop", **changes))


def prize_table(key: str = "mug", **changes: Any) -> dict[str, Any]:
    """Return a limited prize as a campaign file says it."""
    text = {"label": key.title(), "claim": "Show the code at the till."}
    return {
        "key": key,
        "kind": "voucher",
        "weight": 1,
        "stock": 1,
        "texts": {"nl": text, "en": text},
    } | changes


def publish(
    session: Session,
    campaign: CampaignFile | None = None,
    *,
    shop: ShopFile | None = None,
    vault: Vault,
    now: datetime,
) -> CampaignFile:
    """Publish a campaign (the demo's lucky one) and its shop, as the command does."""
    campaign = with_pictures(session, campaign or campaign_file(), now=now)
    shop = with_pictures(session, shop or shop_file(code=campaign.shop), now=now)
    campaigns.save_shop(session, shop, now=now)
    campaigns.save(session, campaign, vault=vault, now=now, random=os.urandom)
    return campaign


def with_pictures(session: Session, part: F, *, now: datetime) -> F:
    """Return a ready-made file with the pictures beside it kept, as the command does.

    Each is made anew once a run: that takes a process of its own.
    """
    fresh = {
        (type(name), name): _developed(name, type(name))
        for name in pictures_in(part).values()
        if not name.is_stored
    }
    images.keep(session, fresh.values(), now=now)
    names = {key: made.name for key, made in fresh.items()}
    return renamed(part, lambda name: names.get((type(name), name), name))


@functools.cache
def _developed(picture: str, use: type[Picture]) -> images.New:
    body = (CAMPAIGNS / picture).read_bytes()
    made = pictures.develop(body, use)
    source = hashlib.sha256(use.__name__.encode() + body).hexdigest()
    return images.New(source, made.body, made.width, made.height)
