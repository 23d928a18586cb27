"""The person, as far as a shop knows them."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base, row_id


class Contact(Base):
    """A person, by their exact address, at one shop.

    Of one who was erased only the row is left: no address, no key, and a hash that
    nothing leads to.
    """

    __tablename__ = "contact"
    __table_args__ = (UniqueConstraint("shop_id", "email_hash"),)

    id: Mapped[int] = row_id()
    public_id: Mapped[str] = mapped_column(unique=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shop.id"))
    # Under the person's own key: whoever has the file alone reads no address (T24).
    sealed_email: Mapped[bytes]
    email_hash: Mapped[bytes]
    # By this, and nothing else, the ledger knows the person; the database lets nobody
    # change it.
    subject_ref: Mapped[bytes] = mapped_column(unique=True)
    # Destroying this key erases what is sealed under it, evidence too (GDPR 17).
    sealed_key: Mapped[bytes]
    locale: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    # Since when their data is kept and not used (GDPR 18).
    restricted_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    # Since when they have this address: mails to an earlier one open nothing of theirs.
    moved_at: Mapped[datetime | None]


class Mailbox(Base):
    """The mails lately queued for one mailbox, however its address was spelled."""

    __tablename__ = "mailbox"
    # SQLite keeps each key twice where rows have ids.
    __table_args__ = {"sqlite_with_rowid": False}

    key: Mapped[bytes] = mapped_column(primary_key=True)
    sendings: Mapped[str]
    touched_at: Mapped[datetime]


class Suppression(Base):
    """An address that must not be asked or written to until a moment, or ever.

    It outlives the erasure of its person, whose facts in the ledger it still names: so
    no import brings them back, and who asks by the address finds the proof (DS-02).
    """

    __tablename__ = "suppression"

    shop_id: Mapped[int] = mapped_column(ForeignKey("shop.id"), primary_key=True)
    email_hash: Mapped[bytes] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    subject_ref: Mapped[bytes | None]
    until: Mapped[datetime | None]
    created_at: Mapped[datetime]
