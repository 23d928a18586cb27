"""The proof of every yes and no."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, row_id


class ConsentEvent(Base):
    """One fact about a consent, without personal data.

    Rows are only added: the database refuses to change or delete one. The worker gives
    each, once, its number in the ledger of the shop and the hash of its entry.
    """

    __tablename__ = "consent_event"
    __table_args__ = (
        Index("ix_consent_event_subject_ref_id", "subject_ref", "id"),
        # Also finds what has no number yet.
        Index("uq_consent_event_shop_id_seq", "shop_id", "seq", unique=True),
    )

    id: Mapped[int] = row_id()
    shop_id: Mapped[int] = mapped_column(ForeignKey("shop.id"))
    subject_ref: Mapped[bytes]
    purpose: Mapped[str]
    channel: Mapped[str]
    act: Mapped[str]
    method: Mapped[str]
    text_hash: Mapped[bytes]
    notice_hash: Mapped[bytes]
    form_hash: Mapped[bytes]
    locale: Mapped[str]
    context: Mapped[dict[str, Any]]
    evidence_hash: Mapped[bytes]
    # None where no mail was asked for: an import, a press in the preference centre.
    optin_id: Mapped[int | None] = mapped_column(ForeignKey("optin.id"), index=True)
    at: Mapped[datetime]
    seq: Mapped[int | None]
    entry_hash: Mapped[bytes | None]


class Ledger(Base):
    """How far the ledger of a shop is sealed: its size, and its last entry's hash."""

    __tablename__ = "ledger"

    shop_id: Mapped[int] = mapped_column(ForeignKey("shop.id"), primary_key=True)
    size: Mapped[int]
    head: Mapped[bytes]


class Checkpoint(Base):
    """What a ledger came to at the end of a day, signed; `edge` is where to go on.

    Rows are only added: the database refuses to change or delete one.
    """

    __tablename__ = "checkpoint"
    __table_args__ = (UniqueConstraint("shop_id", "day"),)

    id: Mapped[int] = row_id()
    shop_id: Mapped[int] = mapped_column(ForeignKey("shop.id"))
    day: Mapped[date]
    size: Mapped[int]
    root: Mapped[bytes]
    head: Mapped[bytes]
    edge: Mapped[bytes]
    key_id: Mapped[str]
    signature: Mapped[bytes]
    at: Mapped[datetime]


class Evidence(Base):
    """What proves an event and is about a person: sealed under that person's key.

    Its name is the SHA-256 of the sealed bytes, so the ledger outlives its erasure.
    """

    __tablename__ = "evidence"

    id: Mapped[int] = row_id()
    sha256: Mapped[bytes] = mapped_column(unique=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    sealed: Mapped[bytes]


class Standing(Base):
    """What a person wants today: the stored fold of their events (PR-06)."""

    __tablename__ = "standing"

    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    act: Mapped[str]
    text_hash: Mapped[bytes]
    event_id: Mapped[int] = mapped_column(ForeignKey("consent_event.id"))
