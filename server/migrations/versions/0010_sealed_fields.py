"""Seal each person's address under their own key (T24).

It reads every row once, in ranges, and is one transaction: a person whose key does not
open leaves everything as it was. Keys and fields are sealed as `server/domain/seals.py`
does it; that is written out here, since a step never changes.

Revision ID: 0010
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import context, op
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.migrations import KeysError

revision = "0010"
down_revision = "0008"

AT_ONCE = 1_000
NONCE_BYTES = 12
KEY_ID_BYTES = 4
Bar = Callable[[int, str], AbstractContextManager[Callable[[int], None]]]

contact = sa.table(
    "contact",
    sa.column("id", sa.BigInteger()),
    sa.column("subject_ref", sa.LargeBinary()),
    sa.column("sealed_key", sa.LargeBinary()),
    sa.column("email", sa.String()),
    sa.column("sealed_email", sa.LargeBinary()),
)


def upgrade() -> None:
    """Seal what can be read, and leave no copy of it."""
    op.add_column("contact", sa.Column("sealed_email", sa.LargeBinary(), nullable=True))
    keys = _Keys()
    _seal_people(keys)
    keys.check()
    with op.batch_alter_table("contact") as batch:
        batch.alter_column(
            "sealed_email", existing_type=sa.LargeBinary(), nullable=False
        )
        batch.drop_column("email")
    _ask_to_compact()


def downgrade() -> None:
    """Open it all again, as an earlier version reads it."""
    op.add_column("contact", sa.Column("email", sa.String(), nullable=True))
    keys = _Keys()
    _open_people(keys)
    keys.check()
    with op.batch_alter_table("contact") as batch:
        batch.alter_column("email", existing_type=sa.String(), nullable=False)
        batch.drop_column("sealed_email")


def _ask_to_compact() -> None:
    """Let what was taken out be taken out of SQLite's file as well, after the commit.

    As a mark in the file: who is interrupted does it at the next `init`.
    """
    if op.get_bind().dialect.name == "sqlite":
        op.execute("PRAGMA user_version = 1")


class _Keys:
    """The keys of people, opened with the data keys that the command brings."""

    def __init__(self) -> None:
        data_keys = context.config.attributes.get("data_keys", ())
        self._data_keys = {_key_id(key): AESGCM(key) for key in data_keys}
        self._lost: set[int] = set()

    def seal(self, person: Any, plain: str, about: bytes) -> bytes:
        """Return what seals a text; nothing of who was erased."""
        key, nonce = self._of(person), os.urandom(NONCE_BYTES)
        return nonce + key.encrypt(nonce, plain.encode(), about) if key else b""

    def open(self, person: Any, sealed: bytes, about: bytes) -> str:
        """Return a text; an empty one of who was erased."""
        key = self._of(person)
        if key is None or not sealed:
            return ""
        try:
            return _opened(key, sealed, about).decode()
        except (InvalidTag, ValueError):
            self._lost.add(person.id)
            return ""

    def _of(self, person: Any) -> AESGCM | None:
        """Return a person's key; None for who was erased, and where it is lost."""
        if not person.sealed_key:
            return None
        key_id, sealed = _parted(person.sealed_key, KEY_ID_BYTES)
        try:
            return AESGCM(_opened(self._data_keys[key_id], sealed, person.subject_ref))
        except (KeyError, InvalidTag, ValueError):
            self._lost.add(person.id)
            return None

    def check(self) -> None:
        """Take the step back if anybody's key did not open."""
        if self._lost:
            raise KeysError(
                f"{len(self._lost):,} people cannot be opened with the data keys at "
                "hand; nothing was changed. Put the key that is missing back in its "
                "place in JAWOORD_DATA_KEYS, or in the file data_keys, oldest first, "
                "and run it again"
            )


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"jawoord|key-id|" + key).digest()[:KEY_ID_BYTES]


def _opened(key: AESGCM, sealed: bytes, about: bytes) -> bytes:
    nonce, rest = _parted(sealed, NONCE_BYTES)
    return key.decrypt(nonce, rest, about)


def _parted(whole: bytes, at: int) -> tuple[bytes, bytes]:
    return bytes(whole[:at]), bytes(whole[at:])


def _seal_people(keys: _Keys) -> None:
    for rows in _ranges(contact, sa.select(contact), "sealing addresses"):
        _change(
            contact,
            "sealed_email",
            [(row.id, keys.seal(row, row.email, _of_contact(row))) for row in rows],
        )


def _open_people(keys: _Keys) -> None:
    for rows in _ranges(contact, sa.select(contact), "opening addresses"):
        _change(
            contact,
            "email",
            [
                (row.id, keys.open(row, row.sealed_email, _of_contact(row)))
                for row in rows
            ],
        )


def _of_contact(row: Any) -> bytes:
    return b"contact.email|" + bytes(row.subject_ref)


def _ranges(table: Any, wanted: Any, label: str) -> Iterator[list[Any]]:
    """Yield the rows of a table in ranges of their ids, and show how far it is."""
    connection = op.get_bind()
    length = connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
    if not length:
        return
    show: Bar = context.config.attributes.get("bar", _no_bar)
    in_order = wanted.order_by(table.c.id).limit(AT_ONCE)
    with show(length, label) as step:
        rows = connection.execute(in_order).all()
        while rows:
            yield list(rows)
            step(len(rows))
            rows = connection.execute(in_order.where(table.c.id > rows[-1].id)).all()


@contextmanager
def _no_bar(_length: int, _label: str) -> Iterator[Callable[[int], None]]:
    yield lambda _rows: None


def _change(table: Any, column: str, values: list[tuple[int, Any]]) -> None:
    """Write a column of rows that are named by their ids."""
    if values:
        op.get_bind().execute(
            sa.update(table)
            .where(table.c.id == sa.bindparam("row"))
            .values({column: sa.bindparam("value")}),
            [{"row": row, "value": value} for row, value in values],
        )
