"""The people of the office."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, row_id


class Member(Base):
    """A person who may sign in to the office."""

    __tablename__ = "member"

    id: Mapped[int] = row_id()
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    created_at: Mapped[datetime]


class Membership(Base):
    """What a member may do in one shop."""

    __tablename__ = "membership"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'staff', 'viewer')", name="role"),
    )

    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shop.id"), primary_key=True)
    role: Mapped[str]


class MemberSession(Base):
    """One signed-in browser. The cookie holds the secret, the row only its hash."""

    __tablename__ = "member_session"

    id: Mapped[int] = row_id()
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    secret_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
