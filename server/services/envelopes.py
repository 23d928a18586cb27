"""What is sealed in a person's rows, and the one place where it is opened (T24).

Whoever reads such a column selects `KEY` of its person with it, and opens row by row:
some microseconds each. Nothing can be sought or sorted by what is sealed; a person is
found by the keyed hash of their exact address.
"""

from typing import Any

from server.domain.seals import NONCE_BYTES, Column, Own, SealError, Vault, place
from server.models.contact import Contact
from server.services.tools import Chance

# What opens the rest of a person.
KEY = (Contact.subject_ref, Contact.sealed_key)
# What tells somebody's address.
EMAIL = (*KEY, Contact.sealed_email)


def key_of(row: Any, *, vault: Vault) -> bytes:
    """Return the key of a person, by a row with `KEY`. Raises `SealError`.

    So it does for who was erased: their key is destroyed.
    """
    return vault.open(row.sealed_key, about=row.subject_ref)


def seal_email(key: bytes, email: str, *, subject_ref: bytes, random: Chance) -> bytes:
    """Return an address as a contact's row keeps it."""
    about = place(Column.EMAIL, subject_ref)
    return Own(key).seal(email.encode(), nonce=random(NONCE_BYTES), about=about)


def open_email(key: bytes, sealed: bytes, *, subject_ref: bytes) -> str:
    """Return an address, opened with the key of its person. Raises `SealError`."""
    return Own(key).open(sealed, about=place(Column.EMAIL, subject_ref)).decode()


def email_of(row: Any, *, vault: Vault) -> str:
    """Return the address in a row with `EMAIL`; empty for who was erased.

    Raises `SealError` where the key was lost or the row was changed.
    """
    if not row.sealed_email:
        return ""
    key = key_of(row, vault=vault)
    return open_email(key, row.sealed_email, subject_ref=row.subject_ref)


def shown_email(row: Any, *, vault: Vault) -> str:
    """Return the address for a page, which one row that does not open must not break.

    It is empty then: what the ledger knows of somebody can be shown all the same.
    """
    try:
        return email_of(row, vault=vault)
    except SealError:
        return ""
