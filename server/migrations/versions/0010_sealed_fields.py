"""Seal what is a person's under their own key: address, answers, attributes (T24);
and the hashes by which platforms know people under the data key.

It reads every row once, in ranges, and is one transaction: a person whose key does not
open leaves everything as it was. Keys and fields are sealed as `server/domain/seals.py`
does it; that is written out here, since a step never changes.

Revision ID: 0010
"""

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

import sqlalchemy as sa
from alembic import context, op
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.migrations import KeysError

revision = "0010"
down_revision = "0009"

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
entry = sa.table(
    "entry",
    sa.column("id", sa.BigInteger()),
    sa.column("contact_id", sa.BigInteger()),
    sa.column("ticket", sa.LargeBinary()),
    sa.column("answers", sa.JSON(none_as_null=True)),
    sa.column("source", sa.JSON(none_as_null=True)),
    sa.column("sealed_answers", sa.LargeBinary()),
    sa.column("sealed_source", sa.LargeBinary()),
)
attribute = sa.table(
    "attribute",
    sa.column("contact_id", sa.BigInteger()),
    sa.column("key", sa.String()),
    sa.column("value", sa.String()),
    sa.column("sealed_value", sa.LargeBinary()),
)
audience = sa.table(
    "audience_member",
    sa.column("id", sa.BigInteger()),
    sa.column("platform", sa.String()),
    sa.column("hashed", sa.String()),
    sa.column("mark", sa.LargeBinary()),
    sa.column("sealed_hash", sa.LargeBinary()),
)
TOLD = ("answers", "source")
ONE_ROW = "uq_audience_member_contact_id_platform_{}"
LOST = (
    "cannot be opened with the data keys at hand; nothing was changed. Put the key "
    "that is missing back in its place in JAWOORD_DATA_KEYS, or in the file "
    "data_keys, oldest first, and run it again; docs/settings.md says what to do where "
    "it is lost"
)


def upgrade() -> None:
    """Seal what can be read, and leave no copy of it."""
    op.add_column("contact", _bytes("sealed_email"))
    op.add_column("attribute", _bytes("sealed_value"))
    for name in TOLD:
        op.add_column("entry", _bytes(f"sealed_{name}"))
    for name in ("mark", "sealed_hash"):
        op.add_column("audience_member", _bytes(name))
    keys = _Keys()
    _seal_people(keys)
    _seal_entries(keys)
    _seal_attributes(keys)
    _seal_audiences(keys)
    keys.check()
    _replace("contact", "email", by="sealed_email", kind=sa.LargeBinary())
    _replace("attribute", "value", by="sealed_value", kind=sa.LargeBinary())
    for name in TOLD:
        op.drop_column("entry", name)
    _replace_hashes(before="hashed", by="mark")
    _ask_to_compact()


def downgrade() -> None:
    """Open it all again, as an earlier version reads it."""
    op.add_column("contact", sa.Column("email", sa.String(), nullable=True))
    op.add_column("attribute", sa.Column("value", sa.String(), nullable=True))
    for name in TOLD:
        op.add_column("entry", sa.Column(name, sa.JSON(), nullable=True))
    op.add_column("audience_member", sa.Column("hashed", sa.String(), nullable=True))
    keys = _Keys()
    _open_people(keys)
    _open_entries(keys)
    _open_attributes(keys)
    _open_audiences(keys)
    keys.check()
    _replace("contact", "sealed_email", by="email", kind=sa.String())
    _replace("attribute", "sealed_value", by="value", kind=sa.String())
    for name in TOLD:
        op.drop_column("entry", f"sealed_{name}")
    _replace_hashes(before="mark", by="hashed")


def _bytes(name: str) -> "sa.Column[Any]":
    return sa.Column(name, sa.LargeBinary(), nullable=True)


def _replace(table: str, column: str, *, by: str, kind: Any) -> None:
    """Drop a column, and let none be without what took its place."""
    with op.batch_alter_table(table) as batch:
        batch.alter_column(by, existing_type=kind, nullable=False)
        batch.drop_column(column)


def _replace_hashes(*, before: str, by: str) -> None:
    """Let a platform's hash be known by its keyed mark, or by itself again."""
    op.drop_index(ONE_ROW.format(before), table_name="audience_member")
    if by == "mark":
        _replace("audience_member", "hashed", by="sealed_hash", kind=sa.LargeBinary())
        with op.batch_alter_table("audience_member") as batch:
            batch.alter_column("mark", existing_type=sa.LargeBinary(), nullable=False)
    else:
        _replace("audience_member", "sealed_hash", by="hashed", kind=sa.String())
        op.drop_column("audience_member", "mark")
    op.create_index(
        ONE_ROW.format(by),
        "audience_member",
        ["contact_id", "platform", by],
        unique=True,
    )


def _ask_to_compact() -> None:
    """Let what was taken out be taken out of SQLite's file as well, after the commit.

    As a mark in the file: who is interrupted does it at the next `init`.
    """
    if op.get_bind().dialect.name == "sqlite":
        op.execute("PRAGMA user_version = 1")


class _Keys:
    """The keys of people, opened with the data keys that the command brings.

    What nobody has claimed is under the newest data key, with the key's id in front.
    """

    def __init__(self) -> None:
        data_keys = context.config.attributes.get("data_keys", ())
        self._data_keys = {_key_id(key): AESGCM(key) for key in data_keys}
        self._newest = _key_id(data_keys[-1]) if data_keys else b""
        # The oldest makes the hashes, which must stay what they are.
        self._hash_key = hmac.digest(
            data_keys[0] if data_keys else b"", b"jawoord|address", "sha256"
        )
        self._lost: set[int] = set()

    def seal(self, person: Any, plain: str, about: bytes) -> bytes:
        """Return a sealed text; nothing of who was erased."""
        key = self._of(person)
        return _sealed(key, plain, about) if key else b""

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

    def mark(self, *parts: str) -> bytes:
        """Return a keyed hash."""
        return hmac.digest(self._hash_key, "|".join(parts).encode(), "sha256")

    def seal_ours(self, plain: str, about: bytes) -> bytes:
        """Return a text that is under no person's key, sealed. Raises `KeysError`."""
        if not self._newest:
            raise KeysError("this step needs the data keys; run: python -m server init")
        return self._newest + _sealed(self._data_keys[self._newest], plain, about)

    def open_ours(self, sealed: bytes, about: bytes) -> str:
        """Return a text that is under no person's key. Raises `KeysError`."""
        key_id, rest = _parted(sealed, KEY_ID_BYTES)
        try:
            return _opened(self._data_keys[key_id], rest, about).decode()
        except (KeyError, InvalidTag, ValueError):
            raise KeysError(f"what is under no person's key {LOST}") from None

    def miss(self, people: Iterable[int]) -> None:
        """Count people whose key is not there."""
        self._lost.update(people)

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
            raise KeysError(f"what is of {len(self._lost):,} people {LOST}")


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"jawoord|key-id|" + key).digest()[:KEY_ID_BYTES]


def _sealed(key: AESGCM, plain: str, about: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + key.encrypt(nonce, plain.encode(), about)


def _opened(key: AESGCM, sealed: bytes, about: bytes) -> bytes:
    nonce, rest = _parted(sealed, NONCE_BYTES)
    return key.decrypt(nonce, rest, about)


def _parted(whole: bytes, at: int) -> tuple[bytes, bytes]:
    return bytes(whole[:at]), bytes(whole[at:])


def _seal_people(keys: _Keys) -> None:
    for rows in _ranges(contact, sa.select(contact), "sealing addresses"):
        # Who was erased has no address either; of anybody else none may be lost here.
        keys.miss(row.id for row in rows if row.email and not row.sealed_key)
        _change(
            contact,
            [
                {
                    "row": row.id,
                    "sealed_email": keys.seal(row, row.email, _of_contact(row)),
                }
                for row in rows
            ],
        )


def _open_people(keys: _Keys) -> None:
    for rows in _ranges(contact, sa.select(contact), "opening addresses"):
        _change(
            contact,
            [
                {
                    "row": row.id,
                    "email": keys.open(row, row.sealed_email, _of_contact(row)),
                }
                for row in rows
            ],
        )


def _of_contact(row: Any) -> bytes:
    return b"contact.email|" + bytes(row.subject_ref)


def _entries() -> Any:
    """Select entries with the keys of who claimed them."""
    return sa.select(
        entry, contact.c.id.label("person"), contact.c.subject_ref, contact.c.sealed_key
    ).select_from(entry.outerjoin(contact, contact.c.id == entry.c.contact_id))


def _seal_entries(keys: _Keys) -> None:
    for rows in _ranges(entry, _entries(), "sealing entries"):
        _change(
            entry,
            [
                {"row": row.id}
                | {
                    f"sealed_{name}": _seal_told(keys, row, name, getattr(row, name))
                    for name in TOLD
                }
                for row in rows
                if row.answers or row.source
            ],
        )


def _seal_told(keys: _Keys, row: Any, name: str, told: Any) -> bytes | None:
    if not told:
        return None
    plain = json.dumps(told, separators=(",", ":"), ensure_ascii=False)
    if row.contact_id is None:
        return keys.seal_ours(plain, _of_entry(row, name))
    return keys.seal(_person(row), plain, _of_entry(row, name)) or None


def _open_entries(keys: _Keys) -> None:
    for rows in _ranges(entry, _entries(), "opening entries"):
        _change(
            entry,
            [
                {"row": row.id}
                | {
                    name: _open_told(keys, row, name, getattr(row, f"sealed_{name}"))
                    for name in TOLD
                }
                for row in rows
                if row.sealed_answers or row.sealed_source
            ],
        )


def _open_told(keys: _Keys, row: Any, name: str, sealed: bytes | None) -> Any:
    if not sealed:
        return None
    about = _of_entry(row, name)
    if row.contact_id is None:
        return json.loads(keys.open_ours(sealed, about))
    return json.loads(keys.open(_person(row), sealed, about) or "null")


def _of_entry(row: Any, name: str) -> bytes:
    return b"|".join((b"entry." + name.encode(), bytes(row.ticket)))


def _person(row: Any) -> "_Person":
    return _Person(row.person, row.subject_ref, row.sealed_key)


class _Person(NamedTuple):
    """Whose a row is."""

    id: int
    subject_ref: bytes
    sealed_key: bytes


def _attributes() -> Any:
    """Select attributes with the keys of their people."""
    return sa.select(
        attribute,
        contact.c.id.label("person"),
        contact.c.subject_ref,
        contact.c.sealed_key,
    ).select_from(attribute.join(contact, contact.c.id == attribute.c.contact_id))


def _seal_attributes(keys: _Keys) -> None:
    for rows in _ranges(attribute, _attributes(), "sealing attributes"):
        _change(
            attribute,
            [
                {"row": row.contact_id, "name": row.key}
                | {"sealed_value": keys.seal(_person(row), row.value, _of_value(row))}
                for row in rows
            ],
        )


def _open_attributes(keys: _Keys) -> None:
    for rows in _ranges(attribute, _attributes(), "opening attributes"):
        _change(
            attribute,
            [
                {"row": row.contact_id, "name": row.key}
                | {"value": keys.open(_person(row), row.sealed_value, _of_value(row))}
                for row in rows
            ],
        )


def _seal_audiences(keys: _Keys) -> None:
    for rows in _ranges(audience, sa.select(audience), "sealing audiences"):
        marks = {
            row.id: keys.mark("audience", row.platform, row.hashed) for row in rows
        }
        _change(
            audience,
            [
                {
                    "row": row.id,
                    "mark": marks[row.id],
                    "sealed_hash": keys.seal_ours(row.hashed, marks[row.id]),
                }
                for row in rows
            ],
        )


def _open_audiences(keys: _Keys) -> None:
    for rows in _ranges(audience, sa.select(audience), "opening audiences"):
        _change(
            audience,
            [
                {"row": row.id, "hashed": keys.open_ours(row.sealed_hash, row.mark)}
                for row in rows
            ],
        )


def _of_value(row: Any) -> bytes:
    return b"|".join((b"attribute.value", bytes(row.subject_ref), row.key.encode()))


# By what a row is named: in the table, and in what is written.
NAMED = {
    "contact": {"id": "row"},
    "entry": {"id": "row"},
    "attribute": {"contact_id": "row", "key": "name"},
    "audience_member": {"id": "row"},
}


def _ranges(table: Any, wanted: Any, label: str) -> Iterator[Sequence[Any]]:
    """Yield the rows of a table in ranges, and show how far it is."""
    connection = op.get_bind()
    length = connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
    if not length:
        return
    show: Bar = context.config.attributes.get("bar", _no_bar)
    names = NAMED[table.name]
    key = [table.c[name] for name in names]
    in_order = wanted.order_by(*key).limit(AT_ONCE)
    with show(length, label) as step:
        rows = connection.execute(in_order).all()
        while rows:
            yield rows
            step(len(rows))
            last = [getattr(rows[-1], name) for name in names]
            after = sa.tuple_(*key) > sa.tuple_(*last)
            rows = connection.execute(in_order.where(after)).all()


@contextmanager
def _no_bar(_length: int, _label: str) -> Iterator[Callable[[int], None]]:
    yield lambda _rows: None


def _change(table: Any, rows: list[dict[str, Any]]) -> None:
    """Write columns of rows that are named as `NAMED` says."""
    if not rows:
        return
    named = NAMED[table.name]
    written = rows[0].keys() - set(named.values())
    op.get_bind().execute(
        sa.update(table)
        .where(*(table.c[name] == sa.bindparam(given) for name, given in named.items()))
        .values({name: sa.bindparam(f"new_{name}") for name in written}),
        [
            {f"new_{name}" if name in written else name: row[name] for name in row}
            for row in rows
        ],
    )
