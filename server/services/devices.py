"""Tablets at the till: hand out a code, register one tablet by it, know it again.

The code is good once and for a day; after that the tablet is known by the secret in
its cookie, of which the row keeps only a hash.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.domain import codes
from server.domain.seals import Vault
from server.models.base import rows_changed
from server.models.campaign import Campaign
from server.models.device import Device
from server.models.placement import Placement
from server.models.shop import Shop
from server.services import shops
from server.services.tools import Chance

CODE_LIFE = timedelta(days=1)
SECRET_BYTES = 32
PUBLIC_ID_BYTES = 9
# So that a key that leaked into a log or a repository is known for what it is.
KEY_BEGINS = "jawoord_key_"


@dataclass(frozen=True, slots=True)
class Known:
    """A registered tablet."""

    public_id: str
    shop_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A tablet as the operator sees it."""

    public_id: str
    name: str
    state: str


def add(
    session: Session,
    *,
    shop_code: str,
    name: str,
    vault: Vault,
    now: datetime,
    random: Chance,
) -> str:
    """Make a tablet's row and return the code by which it is registered once.

    Raises `shops.UnknownShopError`.
    """
    shop_id = shops.id_of(session, shop_code)
    code = codes.make(random(8))
    session.add(
        Device(
            public_id=random(PUBLIC_ID_BYTES).hex(),
            shop_id=shop_id,
            name=name,
            code_hash=_code_hash(vault, code),
            code_expires_at=now + CODE_LIFE,
            created_at=now,
        )
    )
    session.flush()
    return code


def register(
    session: Session, code: str, *, vault: Vault, now: datetime, random: Chance
) -> str | None:
    """Return the secret of the tablet that this code stands for; None if for none.

    Two tablets that try one code at once are decided by the row count.
    """
    try:
        written = codes.read(code)
    except codes.CodeError:
        return None
    secret = random(SECRET_BYTES).hex()
    registered = session.execute(
        update(Device)
        .where(
            Device.code_hash == _code_hash(vault, written),
            Device.code_expires_at > now,
            Device.revoked_at.is_(None),
        )
        .values(code_hash=None, secret_hash=_secret_hash(secret), registered_at=now)
    )
    return secret if rows_changed(registered) == 1 else None


def give_key(session: Session, public_id: str, *, random: Chance) -> str | None:
    """Return a new key for a till's own program; None if there is no such device.

    It takes the place of an older one. A tablet's cookie is no key, and the other way
    round: a program cannot read the one, and a browser never sees the other.
    """
    key = KEY_BEGINS + random(SECRET_BYTES).hex()
    given = session.execute(
        update(Device)
        .where(Device.public_id == public_id, Device.revoked_at.is_(None))
        .values(key_hash=_secret_hash(key))
    )
    return key if rows_changed(given) == 1 else None


def known_by_key(session: Session, key: str) -> Known | None:
    """Return the device that this key was given to, unless it was revoked."""
    row = session.execute(
        select(Device.public_id, Device.shop_id, Device.name).where(
            Device.key_hash == _secret_hash(key), Device.revoked_at.is_(None)
        )
    ).one_or_none()
    return None if row is None else Known(*row)


def known(session: Session, secret: str) -> Known | None:
    """Return the tablet whose cookie holds this secret, unless it was revoked."""
    row = session.execute(
        select(Device.public_id, Device.shop_id, Device.name).where(
            Device.secret_hash == _secret_hash(secret), Device.revoked_at.is_(None)
        )
    ).one_or_none()
    return None if row is None else Known(*row)


def revoke(session: Session, public_id: str, *, now: datetime) -> bool:
    """Let a tablet play no more; False if there is none of that id that could."""
    revoked = session.execute(
        update(Device)
        .where(Device.public_id == public_id, Device.revoked_at.is_(None))
        .values(revoked_at=now, code_hash=None, secret_hash=None, key_hash=None)
    )
    return rows_changed(revoked) == 1


def listed(session: Session, shop_code: str, *, now: datetime) -> list[Listed]:
    """Return the tablets of a shop, oldest first."""
    rows = session.scalars(
        select(Device)
        .join(Shop, Shop.id == Device.shop_id)
        .where(Shop.code == shop_code)
        .order_by(Device.id)
    )
    return [Listed(row.public_id, row.name, _state(row, now)) for row in rows]


def games(session: Session, shop_id: int) -> list[str]:
    """Return the codes of a shop's placements for the till, in order."""
    return list(
        session.scalars(
            select(Placement.code)
            .join(Campaign, Campaign.id == Placement.campaign_id)
            .where(
                Campaign.shop_id == shop_id,
                Placement.channel == "till",
                Placement.is_retired.is_(False),
            )
            .order_by(Placement.code)
        )
    )


def _state(row: Device, now: datetime) -> str:
    if row.revoked_at is not None:
        return "revoked"
    if row.registered_at is not None:
        return "registered"
    if row.key_hash is not None:
        return "has a key"
    return "waiting" if row.code_expires_at > now else "code expired"


def _code_hash(vault: Vault, code: str) -> bytes:
    """Codes are short enough to be guessed from a plain hash, so it is keyed."""
    return vault.hashed("device", code)


def _secret_hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
