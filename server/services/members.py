"""The people of the office: make them, sign them in, know them again.

A session is a row. The cookie holds its secret, 256 random bits, and the row only
the SHA-256 of it, so neither a stolen database nor a backup signs anybody in (T19).
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.domain import address
from server.models.member import Member, MemberSession, Membership
from server.models.shop import Shop
from server.services import passwords, shops
from server.services.tools import Chance

SECRET_BYTES = 32
IDLE = timedelta(hours=12)
ABSOLUTE = timedelta(days=7)
# A session's last use is kept to within this, so that not every press writes it.
SEEN_EVERY = timedelta(minutes=5)
LONGEST_NAME = 160
# Each role may do what those before it may.
ROLES = ("viewer", "staff", "owner")
# How a step of a voucher names a member.
ACTOR = "member:"


class MemberNameError(Exception):
    """A name is one line of 1 to 160 characters."""


class UnknownRoleError(Exception):
    """A role is one of `ROLES`."""


class AlreadyMemberError(Exception):
    """This person already belongs to this shop."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of a person who wants to sign in."""

    member_id: int
    password_hash: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whose session a cookie is."""

    session_id: int
    member_id: int
    name: str
    email: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Workplace:
    """A shop, and what a member may do in it."""

    shop_id: int
    code: str
    name: str
    role: str

    def allows(self, role: str) -> bool:
        """Return whether this role may do what that role may."""
        return ROLES.index(self.role) >= ROLES.index(role)


def add(
    session: Session,
    *,
    email: str,
    name: str,
    password: str,
    shop_code: str,
    role: str,
    now: datetime,
) -> Member:
    """Make somebody a member of a shop, and a member at all if they are new.

    Who has an account keeps its name and password. Raises `AddressError`,
    `MemberNameError`, `UnknownRoleError`, `shops.UnknownShopError`,
    `AlreadyMemberError` and `PasswordError`.
    """
    if role not in ROLES:
        raise UnknownRoleError
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise MemberNameError
    email = address.identity(address.parse(email))
    shop_id = shops.id_of(session, shop_code)
    member = session.scalar(select(Member).where(Member.email == email))
    if member is None:
        member = Member(
            email=email,
            name=name,
            password_hash=passwords.made(password),
            created_at=now,
        )
        session.add(member)
        session.flush()
    elif session.get(Membership, (member.id, shop_id)):
        raise AlreadyMemberError
    session.add(Membership(member_id=member.id, shop_id=shop_id, role=role))
    session.flush()
    return member


def find(session: Session, email: str) -> Known | None:
    """Return what is kept of the member with this address, however it was typed."""
    try:
        email = address.identity(address.parse(email))
    except address.AddressError:
        return None
    row = session.execute(
        select(Member.id, Member.password_hash).where(Member.email == email)
    ).one_or_none()
    return None if row is None else Known(row.id, row.password_hash)


def sign_in(session: Session, member_id: int, *, random: Chance, now: datetime) -> str:
    """Open a session and return its secret.

    The caller has compared the password before, outside of any transaction: a hash
    takes longer than a whole entry, and SQLite has one writer.
    """
    secret = random(SECRET_BYTES).hex()
    session.add(
        MemberSession(
            member_id=member_id,
            secret_hash=_hashed(secret),
            created_at=now,
            seen_at=now,
        )
    )
    session.flush()
    return secret


def signed_in(session: Session, secret: str, *, now: datetime) -> SignedIn | None:
    """Return whose session a secret opens; None if none, or its time is over."""
    row = session.execute(
        select(MemberSession.id, MemberSession.seen_at, Member)
        .join(Member, Member.id == MemberSession.member_id)
        .where(
            MemberSession.secret_hash == _hashed(secret),
            MemberSession.ended_at.is_(None),
            MemberSession.seen_at > now - IDLE,
            MemberSession.created_at > now - ABSOLUTE,
        )
    ).one_or_none()
    if row is None:
        return None
    session_id, seen_at, member = row
    return SignedIn(session_id, member.id, member.name, member.email, seen_at)


def seen(session: Session, who: SignedIn, *, now: datetime) -> None:
    """Note that a session is in use."""
    session.execute(
        update(MemberSession)
        .where(MemberSession.id == who.session_id)
        .values(seen_at=now)
    )


def sign_out(session: Session, secret: str, *, now: datetime) -> None:
    """End the session of a secret, if it has one."""
    session.execute(
        update(MemberSession)
        .where(
            MemberSession.secret_hash == _hashed(secret),
            MemberSession.ended_at.is_(None),
        )
        .values(ended_at=now)
    )


def workplaces(session: Session, member_id: int) -> list[Workplace]:
    """Return the shops a member belongs to, by name."""
    rows = session.execute(
        select(Shop.id, Shop.code, Shop.name, Membership.role)
        .join(Membership, Membership.shop_id == Shop.id)
        .where(Membership.member_id == member_id)
        .order_by(Shop.name, Shop.id)
    )
    return [Workplace(row.id, row.code, row.name, row.role) for row in rows]


def names(session: Session, actors: Collection[str]) -> dict[str, str]:
    """Return the names behind `member:7`, as steps of a voucher name who did them."""
    ids = [
        int(actor.removeprefix(ACTOR)) for actor in actors if actor.startswith(ACTOR)
    ]
    rows = session.execute(select(Member.id, Member.name).where(Member.id.in_(ids)))
    return {f"{ACTOR}{row.id}": row.name for row in rows}


def _hashed(secret: str) -> bytes:
    # The secret is as random as a key, so a fast hash keeps it well.
    return hashlib.sha256(secret.encode()).digest()
