"""Codes in the box: one label, one play (PZ-11, T14, G14).

A label carries the code twice: as 128 bits in a QR code, and as 60 bits with a check
character for who types. Both come from the secret of their batch, so a sheet can be
printed again while the database holds nothing but keyed hashes of what is on it.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import count
from typing import Literal

from server.domain import codes
from server.domain.codes import CodeError
from server.domain.seals import Vault

SECRET_BYTES = 32
QR_BYTES = 16
# What 16 bytes are in URL-safe letters.
QR = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
SIGNS = "*~$="
MOST_CODES = 100_000
LONGEST_NAME = 60
# A code with all its gaps; what is longer was never a code.
LONGEST_TYPED = 40

Form = Literal["qr", "typed"]


@dataclass(frozen=True, slots=True)
class Label:
    """What stands on one label."""

    number: int
    qr: str
    typed: str


@dataclass(frozen=True, slots=True)
class Given:
    """A code as somebody brought it, in the letters that we write it in."""

    form: Form
    text: str


class State(StrEnum):
    """How a code stands that we know."""

    FRESH = "fresh"
    USED = "used"
    REVOKED = "revoked"
    EARLY = "early"
    EXPIRED = "expired"


class Slip(StrEnum):
    """How what was typed differs from every code there can be."""

    EMPTY = "empty"
    LENGTH = "length"
    LETTER = "letter"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Kept:
    """What decides whether a code may be played."""

    used_at: datetime | None
    revoked_at: datetime | None
    valid_from: datetime | None
    valid_until: datetime | None


def label(secret: bytes, number: int) -> Label:
    """Return the codes of one label of a batch; the same each time."""
    chance = _bytes(secret, f"qr|{number}")[:QR_BYTES]
    letters = base64.urlsafe_b64encode(chance).decode().rstrip("=")
    return Label(number, letters, _typed(secret, number))


def _typed(secret: bytes, number: int) -> str:
    """Return the first code whose check character a phone has among its letters.

    Four of the 37 check characters are signs; doing without costs 0.2 of 60 bits.
    """
    tries = (codes.make(_bytes(secret, f"typed|{number}|{n}")) for n in count())
    return next(code for code in tries if code[-1] not in SIGNS)


def read(text: str) -> Given:
    """Return the code that a label's QR or somebody's typing stands for.

    Raises `CodeError`; `slip` then says what is wrong with it.
    """
    if QR.fullmatch(text):
        return Given("qr", text)
    return Given("typed", codes.read(text[:LONGEST_TYPED]))


def slip(text: str) -> tuple[Slip, str]:
    """Return what is wrong with a code that cannot be read, and the letter at fault."""
    plain = text.upper().replace("-", "").replace(" ", "")
    if not plain:
        return Slip.EMPTY, ""
    body = plain[: codes.LENGTH].translate(codes.READ_AS)
    for letter, typed in zip(body, plain, strict=False):
        if letter not in codes.ALPHABET:
            return Slip.LETTER, typed
    if len(plain) != codes.LENGTH + 1:
        return Slip.LENGTH, ""
    return Slip.CHECK, plain[-1]


def hashed(vault: Vault, given: Given) -> bytes:
    """Return under what a code is kept; without our key nobody can try codes on it."""
    return vault.hashed("boxcode", given.form, given.text)


def state(kept: Kept, *, now: datetime) -> State:
    """Return how a code stands; that it was played counts before all else."""
    if kept.used_at is not None:
        return State.USED
    if kept.revoked_at is not None:
        return State.REVOKED
    if kept.valid_from is not None and now < kept.valid_from:
        return State.EARLY
    if kept.valid_until is not None and now >= kept.valid_until:
        return State.EXPIRED
    return State.FRESH


def reference(batch: str, number: int) -> str:
    """Return by what a ticket names a code: the batch's public id and the number."""
    return f"{batch}.{number}"


def read_reference(text: str) -> tuple[str, int]:
    """Return batch and number of a ticket's reference. Raises `CodeError`."""
    batch, _, number = text.partition(".")
    if not (batch and number.isascii() and number.isdigit() and len(number) < 10):
        raise CodeError
    return batch, int(number)


def _bytes(secret: bytes, what: str) -> bytes:
    return hmac.digest(secret, f"boxcode|{what}".encode(), hashlib.sha256)
