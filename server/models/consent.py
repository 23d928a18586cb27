"""The proof of every yes and no."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, select
from sqlalchemy.ext.associationproxy import AssociationProxy, association_proxy
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from server.models.base import Base, RowId, row_id
from server.models.contact import Contact


class ConsentQuestion(Base):
    """What was asked for a consent, in which words, how it looked and where.

    Thousands of facts are about the same one, so it is kept once; its name is a hash of
    all that it says (`domain.consent.Question`). Rows are only added: the database
    refuses to change or delete one.
    """

    __tablename__ = "consent_question"

    # The first bits of its name.
    id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)
    sha256: Mapped[bytes] = mapped_column(unique=True)
    purpose: Mapped[str]
    channel: Mapped[str]
    text_hash: Mapped[bytes]
    notice_hash: Mapped[bytes]
    form_hash: Mapped[bytes]
    locale: Mapped[str]
    context: Mapped[dict[str, Any]]


class ConsentEvent(Base):
    """One fact about a consent, without personal data.

    Rows are only added: the database refuses to change or delete one. The worker gives
    each, once, its number in the ledger of the shop and the hash of its entry.
    """

    __tablename__ = "consent_event"
    __table_args__ = (
        # Also finds what has no number yet.
        Index("uq_consent_event_shop_id_seq", "shop_id", "seq", unique=True),
    )

    id: Mapped[int] = row_id()
    shop_id: Mapped[int] = mapped_column(ForeignKey("shop.id"))
    # Whose fact it is; that row stays, and so does what the ledger calls them.
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("consent_question.id"))
    act: Mapped[str]
    method: Mapped[str]
    evidence_hash: Mapped[bytes]
    # None where no mail was asked for: an import, a press in the preference centre.
    optin_id: Mapped[int | None] = mapped_column(ForeignKey("optin.id"))
    at: Mapped[datetime]
    seq: Mapped[int | None]
    entry_hash: Mapped[bytes | None]

    subject_ref: Mapped[bytes] = column_property(
        select(Contact.subject_ref)
        .where(Contact.id == contact_id)
        .correlate_except(Contact)
        .scalar_subquery()
    )
    question: Mapped[ConsentQuestion] = relationship(lazy="joined", innerjoin=True)
    purpose: AssociationProxy[str] = association_proxy("question", "purpose")
    channel: AssociationProxy[str] = association_proxy("question", "channel")
    text_hash: AssociationProxy[bytes] = association_proxy("question", "text_hash")
    notice_hash: AssociationProxy[bytes] = association_proxy("question", "notice_hash")
    form_hash: AssociationProxy[bytes] = association_proxy("question", "form_hash")
    locale: AssociationProxy[str] = association_proxy("question", "locale")
    context: AssociationProxy[dict[str, Any]] = association_proxy("question", "context")


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

    The ledger has the SHA-256 of the sealed bytes, and outlives their erasure; the row
    its first bytes (`domain.evidence.name_of`), by which the person's pieces are told
    apart. Whoever opens or checks one holds it against the whole hash.
    """

    __tablename__ = "evidence"
    # Nothing refers to a row.
    __table_args__ = {"sqlite_with_rowid": False}

    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), primary_key=True)
    name: Mapped[bytes] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]


class Standing(Base):
    """What a person wants today: the stored fold of their events (PR-06)."""

    __tablename__ = "standing"

    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    act: Mapped[str]
    text_hash: Mapped[bytes]
    event_id: Mapped[int] = mapped_column(ForeignKey("consent_event.id"))
