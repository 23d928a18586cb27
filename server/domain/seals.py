"""Encryption of what is about a person, and keyed hashes of their address.

What is a person's is sealed under a key of that person, which is itself sealed under
the newest data key: destroying the person's key erases it, also in copies, while the
ledger, which holds only the hash of evidence, still verifies (GDPR 17; SAFETY.md T24).
"""

import hashlib
import hmac
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
KEY_ID_BYTES = 4


class SealError(Exception):
    """The sealed bytes were not made by one of our keys, or were changed."""


class Vault:
    """Seals under the newest data key and opens what any of them has sealed."""

    def __init__(self, data_keys: tuple[bytes, ...]) -> None:
        self._keys = {_key_id(key): AESGCM(key) for key in data_keys}
        self._newest = _key_id(data_keys[-1])
        # Hashes must stay comparable when keys rotate, so the oldest key makes them.
        self._hash_key = hmac.digest(data_keys[0], b"jawoord|address", "sha256")
        self._print_key = hmac.digest(data_keys[0], b"jawoord|print", "sha256")

    @property
    def key_ids(self) -> tuple[bytes, ...]:
        """Return by what each key is named in front of what it sealed, oldest first."""
        return tuple(self._keys)

    @property
    def print_key(self) -> bytes:
        """Return the key under which submissions are fingerprinted."""
        return self._print_key

    def hashed(self, *parts: str | int) -> bytes:
        """Return a keyed hash by which a row is found without keeping the text."""
        message = "|".join(str(part) for part in parts).encode()
        return hmac.digest(self._hash_key, message, hashlib.sha256)

    def seal(self, plain: bytes, *, nonce: bytes, about: bytes = b"") -> bytes:
        """Return key id, nonce and ciphertext. `nonce` is 12 fresh random bytes."""
        sealed = self._keys[self._newest].encrypt(nonce, plain, about)
        return self._newest + nonce + sealed

    def open(self, sealed: bytes, *, about: bytes = b"") -> bytes:
        """Return the plain bytes. Raises `SealError`."""
        cipher = self._keys.get(sealed[:KEY_ID_BYTES])
        if cipher is None:
            raise SealError("sealed under a key that is no longer in JAWOORD_DATA_KEYS")
        return _decrypt(cipher, sealed[KEY_ID_BYTES:], about)


class Own:
    """A person's own key. Destroying it erases all that it has sealed."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, *, nonce: bytes, about: bytes = b"") -> bytes:
        """Return nonce and ciphertext. `nonce` is 12 fresh random bytes."""
        return nonce + self._cipher.encrypt(nonce, plain, about)

    def open(self, sealed: bytes, *, about: bytes = b"") -> bytes:
        """Return the plain bytes. Raises `SealError`."""
        return _decrypt(self._cipher, sealed, about)


# Who is known has a key of their own. What nobody has claimed yet is the house's.
Holder = Own | Vault


class Column(StrEnum):
    """A column whose fields are sealed one by one (T24)."""

    EMAIL = "contact.email"
    ANSWERS = "entry.answers"
    SOURCE = "entry.source"
    VALUE = "attribute.value"
    NEW_EMAIL = "address_change.email"
    WEBHOOK_SECRET = "webhook.secret"  # noqa: S105  # its name, no secret
    FORMER_WEBHOOK_SECRET = "webhook.before"  # noqa: S105  # its name, no secret


def place(column: Column, *row: bytes) -> bytes:
    """Return what a field is bound to: it opens in this column of this row alone.

    A row is named by what is known before it is there and never changes, so it can be
    written at once: a person by `subject_ref`, which is random, unique and what the
    ledger knows them by; an entry by its ticket. A row id would bind no better: what
    can be moved to another row is the whole person, key and all, and that is the same
    as to let all that refers to them refer to somebody else.
    """
    return b"|".join((column.encode(), *row))


def seal_for(key: bytes, plain: bytes, *, nonce: bytes, about: bytes) -> bytes:
    """Seal under a person's own key."""
    return Own(key).seal(plain, nonce=nonce, about=about)


def open_for(key: bytes, sealed: bytes, *, about: bytes) -> bytes:
    """Open what was sealed under a person's own key. Raises `SealError`."""
    return Own(key).open(sealed, about=about)


def _decrypt(cipher: AESGCM, sealed: bytes, about: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
    except (InvalidTag, ValueError) as error:
        # A torn row has too few bytes even for the nonce.
        raise SealError("the sealed bytes were changed or belong elsewhere") from error


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"jawoord|key-id|" + key).digest()[:KEY_ID_BYTES]
