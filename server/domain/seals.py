"""Encryption of what is about a person, and keyed hashes of their address.

A person's evidence is sealed under a key of that person, which is itself sealed
under the newest data key: destroying the person's key erases the evidence while the
ledger, which holds only its hash, still verifies (GDPR 17; SAFETY.md T24).
"""

import hashlib
import hmac

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


def seal_for(key: bytes, plain: bytes, *, nonce: bytes, about: bytes) -> bytes:
    """Seal under a person's own key."""
    return nonce + AESGCM(key).encrypt(nonce, plain, about)


def open_for(key: bytes, sealed: bytes, *, about: bytes) -> bytes:
    """Open what was sealed under a person's own key. Raises `SealError`."""
    return _decrypt(AESGCM(key), sealed, about)


def _decrypt(cipher: AESGCM, sealed: bytes, about: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
    except (InvalidTag, ValueError) as error:
        # A torn row has too few bytes even for the nonce.
        raise SealError("the sealed bytes were changed or belong elsewhere") from error


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"jawoord|key-id|" + key).digest()[:KEY_ID_BYTES]
