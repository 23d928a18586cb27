"""People as they are stored, with what is sealed in their rows opened (T24)."""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.seals import Vault
from server.models import Contact
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
