"""What is sealed in a person's rows, and the one place where it is opened (T24).

Whoever reads such a column selects `KEY` of its person with it, and opens row by row:
some microseconds each. Nothing can be sought or sorted by what is sealed; a person is
found by the keyed hash of their exact address.
"""

import json
from collections.abc import Mapping
from typing import Any

import structlog

from server.domain.seals import (
    NONCE_BYTES,
    Column,
    Holder,
    Own,
    SealError,
    Vault,
    place,
)
from server.models.contact import Contact
from server.models.entry import Entry
from server.services.tools import Chance

log = structlog.get_logger()

# What opens the rest of a person.
KEY = (Contact.subject_ref, Contact.sealed_key)
# What tells somebody's address.
EMAIL = (*KEY, Contact.sealed_email)
# What tells what was answered in an entry, with the key of its person.
ANSWERS = (Entry.ticket, Entry.sealed_answers)


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


def left_out(contact_id: int) -> None:
    """Note that work on many people goes on without one whose key does not open.

    It was lost, or is put back later: so nothing of theirs is changed.
    """
    log.warning("the key of a person does not open", contact=contact_id)


def seal_told(
    holder: Holder,
    told: Mapping[str, str],
    *,
    column: Column,
    ticket: bytes,
    random: Chance,
) -> bytes | None:
    """Return what was told in an entry as its row keeps it; None for nothing."""
    if not told:
        return None
    plain = json.dumps(told, separators=(",", ":"), ensure_ascii=False)
    about = place(column, ticket)
    return holder.seal(plain.encode(), nonce=random(NONCE_BYTES), about=about)


def answers_of(row: Any, holder: Holder) -> dict[str, str]:
    """Return what was answered in an entry: in a row with `ANSWERS`.

    Raises `SealError`.
    """
    return _told(holder, row.sealed_answers, place(Column.ANSWERS, row.ticket))


def source_of(row: Any, holder: Holder) -> dict[str, str]:
    """Return what the page around an entry told. Raises `SealError`."""
    return _told(holder, row.sealed_source, place(Column.SOURCE, row.ticket))


def _told(holder: Holder, sealed: bytes | None, about: bytes) -> dict[str, str]:
    if not sealed:
        return {}
    told: dict[str, str] = json.loads(holder.open(sealed, about=about))
    return told


def seal_value(
    key: bytes, value: str, *, subject_ref: bytes, name: str, random: Chance
) -> bytes:
    """Return the value of a person's attribute of this name as its row keeps it."""
    about = place(Column.VALUE, subject_ref, name.encode())
    return Own(key).seal(value.encode(), nonce=random(NONCE_BYTES), about=about)


def value_of(row: Any, key: bytes, *, subject_ref: bytes) -> str:
    """Return the value of a person's attribute. Raises `SealError`."""
    about = place(Column.VALUE, subject_ref, row.key.encode())
    return Own(key).open(row.sealed_value, about=about).decode()
