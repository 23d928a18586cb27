"""Signed, timed, purpose-bound strings: links in mails, tickets in pages.

The scheme is fixed: links in people's mails depend on it. A link holds a row id and
16 random bytes, of which the row keeps only the SHA-256; no personal data is inside.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from itsdangerous import (
    BadData,
    TimestampSigner,
    URLSafeTimedSerializer,
    base64_decode,
    base64_encode,
)

SECRET_BYTES = 16
# A node whose clock runs ahead of ours must not have its tickets refused (F14).
AHEAD = timedelta(minutes=5)
LONGEST_TOKEN = 1_000


class Salt(StrEnum):
    """What a token may be used for; one for another purpose does not fit."""

    CONFIRM = "doi.v1"
    UNSUBSCRIBE = "unsub.v1"
    PREFERENCES = "pref.v1"
    RECEIPT = "receipt.v1"
    RECTIFY = "rect.v1"
    PRIZE = "prize.v1"
    CLAIM = "claim.v1"
    TICKET = "ticket.v1"
    RENDER = "render.v1"


class BadTokenError(Exception):
    """The string was not made by us for this purpose."""


class ExpiredTokenError(Exception):
    """The string was ours, and its time is over."""


@dataclass(frozen=True, slots=True)
class LinkRef:
    """What a mailed link points to: a row, and the proof that it was mailed."""

    row: int
    secret: bytes

    def as_payload(self) -> list[Any]:
        """Return it as letters keep it and links carry it."""
        return [self.row, self.secret.hex()]

    @classmethod
    def from_payload(cls, payload: Any) -> "LinkRef":
        """Read what `as_payload` has written. Raises `BadTokenError`."""
        match payload:
            case [int(row), str(secret)] if len(secret) == 2 * SECRET_BYTES:
                return cls(row, bytes.fromhex(secret))
        raise BadTokenError

    def matches(self, kept: bytes) -> bool:
        """Return whether the row keeps the hash of this secret."""
        return hash_secret(self.secret) == kept


class Signer:
    """Signs with the newest key and reads what any of the keys has signed."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._keys = list(keys)
        self._serializers = {salt: self._serializer(salt) for salt in Salt}

    def _serializer(self, salt: Salt) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(
            self._keys,
            salt=salt,
            signer=_ToldTimeSigner,
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    def sign(self, salt: Salt, payload: Any, *, now: datetime) -> str:
        """Return the payload signed for one purpose."""
        serializer = self._serializers[salt]
        signer = cast("_ToldTimeSigner", serializer.make_signer(salt))
        signer.moment = now
        return signer.sign(serializer.dump_payload(payload)).decode()

    def read(
        self, salt: Salt, token: str, *, now: datetime, lasts: timedelta | None
    ) -> Any:
        """Return the payload. `lasts` None means for ever.

        Raises `BadTokenError` and `ExpiredTokenError`.
        """
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise BadTokenError
        try:
            payload, signed = self._serializers[salt].loads(
                token, return_timestamp=True
            )
        except BadData as error:
            raise BadTokenError from error
        signature = token.rpartition(".")[2]
        if base64_encode(base64_decode(signature)).decode() != signature:
            # The last letter has two spare bits: four spellings of one signature.
            raise BadTokenError
        if signed - now > AHEAD:
            raise BadTokenError
        if lasts is not None and now - signed > lasts:
            raise ExpiredTokenError
        return payload

    def sign_link(self, salt: Salt, ref: LinkRef, *, now: datetime) -> str:
        """Return the signed form of a mailed link."""
        return self.sign(salt, ref.as_payload(), now=now)

    def read_link(self, salt: Salt, token: str, *, now: datetime) -> LinkRef:
        """Return what a mailed link points to; its row says how long it lasts.

        Raises `BadTokenError`.
        """
        return LinkRef.from_payload(self.read(salt, token, now=now, lasts=None))


class _ToldTimeSigner(TimestampSigner):
    """Signs with the moment it is told, for the domain asks no clock."""

    moment: datetime

    def get_timestamp(self) -> int:
        return int(self.moment.timestamp())


def hash_secret(secret: bytes) -> bytes:
    """Return what a row keeps of a link's secret."""
    return hashlib.sha256(secret).digest()
