"""People as they are stored, with what is sealed in their rows opened (T24)."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.seals import Column, Holder, Own, Vault
from server.models import Attribute, Contact, Entry
from server.services import envelopes


def vault_of(instance: Path) -> Vault:
    """Return the vault of a service that has made its own keys in this folder."""
    keys = (instance / "data_keys").read_text().split()
    return Vault(tuple(bytes.fromhex(key) for key in keys))


def email_of(row: Any, vault: Vault) -> str:
    """Return the address in a row; empty for who was erased or whose key is lost."""
    return envelopes.shown_email(row, vault=vault)


def contact_of(session: Session, email: str, vault: Vault) -> Contact:
    """Return who has this address, of all shops."""
    rows = session.scalars(select(Contact))
    (found,) = (row for row in rows if email_of(row, vault) == email)
    return found


def give_email(contact: Contact, email: str, vault: Vault) -> None:
    """Write another address into a row, as nothing but a test does."""
    contact.sealed_email = envelopes.seal_email(
        envelopes.key_of(contact, vault=vault),
        email,
        subject_ref=contact.subject_ref,
        random=os.urandom,
    )


def holder_of(session: Session, entry: Entry, vault: Vault) -> Holder:
    """Return what opens an entry: its person's key, or the vault if it has none."""
    if entry.contact_id is None:
        return vault
    person = session.get_one(Contact, entry.contact_id)
    return Own(envelopes.key_of(person, vault=vault))


def answers_of(session: Session, entry: Entry, vault: Vault) -> dict[str, str]:
    """Return what was answered in an entry."""
    return envelopes.answers_of(entry, holder_of(session, entry, vault))


def source_of(session: Session, entry: Entry, vault: Vault) -> dict[str, str]:
    """Return what the page around an entry told."""
    return envelopes.source_of(entry, holder_of(session, entry, vault))


def tell(
    session: Session,
    entry: Entry,
    vault: Vault,
    *,
    answers: Mapping[str, str] | None = None,
    source: Mapping[str, str] | None = None,
) -> None:
    """Let an entry tell what no form of ours would let in."""
    holder = holder_of(session, entry, vault)
    given = {Column.ANSWERS: answers, Column.SOURCE: source}
    sealed = {
        column: envelopes.seal_told(
            holder, told, column=column, ticket=entry.ticket, random=os.urandom
        )
        for column, told in given.items()
        if told is not None
    }
    entry.sealed_answers = sealed.get(Column.ANSWERS, entry.sealed_answers)
    entry.sealed_source = sealed.get(Column.SOURCE, entry.sealed_source)


def add_attribute(
    session: Session,
    entry: Entry,
    contact: Contact,
    vault: Vault,
    *,
    at: datetime,
    key: str,
    value: str,
    kind: str = "text",
    purpose: str = "newsletter",
) -> None:
    """Let something be known about a person, as if they had told it in an entry."""
    sealed = envelopes.seal_value(
        envelopes.key_of(contact, vault=vault),
        value,
        subject_ref=contact.subject_ref,
        name=key,
        random=os.urandom,
    )
    session.add(
        Attribute(
            contact_id=contact.id,
            key=key,
            kind=kind,
            sealed_value=sealed,
            purpose=purpose,
            entry_id=entry.id,
            at=at,
        )
    )
