"""Instant win `iw-1`: the draw that anybody can recompute (a fixed scheme).

A draw knows the table, the epoch's seed, the ticket and the browser's bytes. It is
told nothing of consents, so that a yes cannot buy odds (CR-02; GDPR 7(4)).
"""

import hashlib
import hmac
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import rfc8785

SCHEME = "iw-1"
WORD = 2**64
SEED_BYTES = 32
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Slot:
    """One outcome. `stock` is None where it never runs out.

    With `release` no more than so many units are to be had up to each epoch.
    """

    id: str
    weight: int
    stock: int | None
    release: tuple[int, ...] | None = None

    def released(self, epoch: int) -> int:
        """Return how many units of a limited prize are to be had in an epoch.

        Units are numbered from 1, so this is also the last number of those.
        """
        if self.release is None:
            return self.stock or 0
        return self.release[min(epoch, len(self.release)) - 1]

    def epoch_of(self, unit: int) -> int:
        """Return in which epoch a unit of it is released."""
        return 1 if self.release is None else bisect_left(self.release, unit) + 1

    def as_json(self) -> dict[str, Any]:
        """Return the slot as it is published."""
        told = {"id": self.id, "weight": self.weight, "stock": self.stock}
        return told if self.release is None else told | {"release": [*self.release]}


@dataclass(frozen=True, slots=True)
class Table:
    """What a draw can give, in order, and what replaces a slot that has run out."""

    slots: tuple[Slot, ...]
    fallback: str

    def as_json(self) -> dict[str, Any]:
        """Return the table as it is published."""
        return {
            "v": 1,
            "fallback": self.fallback,
            "slots": [slot.as_json() for slot in self.slots],
        }

    def slot(self, key: str) -> Slot:
        """Return the slot of that id; raises StopIteration for a foreign one."""
        return next(slot for slot in self.slots if slot.id == key)

    @lru_cache(maxsize=1_000)  # noqa: B019  # tables are few and live long
    def digest(self) -> str:
        """Return `P`: the hex SHA-256 of the table's canonical JSON (RFC 8785)."""
        return hashlib.sha256(rfc8785.dumps(self.as_json())).hexdigest()


@lru_cache(maxsize=1_000)
def seed_for(last: bytes, *, epochs: int, epoch: int) -> bytes:
    """Return `S_epoch` of the chain that ends in `last` (`S_epochs`); 0 is the anchor.

    Raises ValueError for an epoch outside the chain.
    """
    if not 0 <= epoch <= epochs:
        raise ValueError(f"epoch {epoch} is outside 0..{epochs}")
    seed = last
    for _ in range(epochs - epoch):
        seed = hashlib.sha256(seed).digest()
    return seed


def epoch_of(moment: datetime, *, opens: datetime) -> int:
    """Return the campaign's day number, from 1."""
    return (moment - opens) // DAY + 1


def begins(epoch: int, *, opens: datetime) -> datetime:
    """Return when a day of the campaign begins."""
    return opens + DAY * (epoch - 1)


def epochs_between(opens: datetime, closes: datetime) -> int:
    """Return how many days, begun or whole, a campaign is open."""
    return -((opens - closes) // DAY)


def draw(
    table: Table, *, seed: bytes, campaign: str, epoch: int, ticket: str, browser: str
) -> str:
    """Return the id of the drawn slot. Stock is somebody else's concern.

    `ticket` and `browser` are 16 bytes in hex; `browser` is empty without script.
    """
    total = sum(slot.weight for slot in table.slots)
    message = f"{SCHEME}|{campaign}|{table.digest()}|{epoch}|{ticket}|{browser}|"
    for word in _words(seed, message):
        # The last, incomplete round of `total` would favour the first slots.
        if word < WORD - WORD % total:
            return _slot_at(table, word % total)
    raise AssertionError("the words never end")


def _words(seed: bytes, message: str) -> Iterator[int]:
    counter = 0
    while True:
        block = hmac.digest(seed, f"{message}{counter}".encode(), "sha256")
        for start in range(0, len(block), 8):
            yield int.from_bytes(block[start : start + 8], "big")
        counter += 1


def _slot_at(table: Table, point: int) -> str:
    for slot in table.slots:
        if point < slot.weight:
            return slot.id
        point -= slot.weight
    raise AssertionError("the point lies within the sum of the weights")
