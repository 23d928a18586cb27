"""A raffle: what its file promises, and the draw `rf-1` (a fixed scheme).

The draw is fixed by three things that nobody has in hand alone: a secret `o`, to which
the shop is bound by `C = SHA256(o)` before the first entry; the list of all labels,
by its hash `L`; and, where it is named, public randomness `R` that comes after both.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from heapq import nsmallest

from pydantic import Field

from server.domain.parts import Key, Line, Locale, Moment, Part, Sentence

SCHEME = "rf-1"
SECRET_BYTES = 32
LABEL_MARK = "e_"
LABEL_LETTERS = 26
TICKET_BYTES = 16
MOST_UNITS = 1_000
LONGEST_CLAIM_DAYS = 366
# What was won at once is claimed for an hour after the end; then a list can be made.
LEAST_HOURS = 2
MOST_HOURS = 24 * 92
LONGEST_RANDOMNESS = 64


class RaffleText(Part):
    """A raffle's prize in one language: its name, and how the winner gets it."""

    label: Line
    claim: Sentence


class RafflePrize(Part):
    """So many of one thing. The prizes are drawn in the order of the file."""

    key: Key
    number: int = Field(ge=1, le=MOST_UNITS)
    value_cents: int = Field(default=0, ge=0, le=100_000_00)
    texts: dict[Locale, RaffleText]


class Raffle(Part):
    """A draw after the campaign has closed.

    Every entry takes part, unless a prize of the campaign is a ticket to it. With
    `randomness`, which names a public draw or beacon, it waits for that number.
    """

    key: Key
    draws: Moment | None = None
    draws_after_hours: int | None = Field(default=None, ge=LEAST_HOURS, le=MOST_HOURS)
    reserves: int = Field(ge=0, le=MOST_UNITS)
    claim_days: int = Field(ge=1, le=LONGEST_CLAIM_DAYS)
    once_per_person: bool = True
    randomness: dict[Locale, Line] = {}
    prizes: tuple[RafflePrize, ...] = Field(min_length=1, max_length=50)

    @property
    def units(self) -> tuple[str, ...]:
        """Return the key of each thing to win, in the order of drawing."""
        return tuple(prize.key for prize in self.prizes for _ in range(prize.number))

    @property
    def places(self) -> int:
        """Return how many are drawn: winners and reserves."""
        return len(self.units) + self.reserves

    def prize(self, key: str) -> RafflePrize:
        """Return the prize of that key; raises StopIteration for a foreign one."""
        return next(prize for prize in self.prizes if prize.key == key)

    def draws_at(self, closes: datetime) -> datetime:
        """Return when it draws; `closes` is when the campaign does."""
        return self.draws or closes + timedelta(hours=self.draws_after_hours or 0)


class Place(StrEnum):
    """What became of somebody who was drawn."""

    RESERVE = "reserve"
    OFFERED = "offered"
    CLAIMED = "claimed"
    LAPSED = "lapsed"


class Reason(StrEnum):
    """Why an entry is left out, before the list is made."""

    # More than one entry of a person, where each person counts once.
    DUPLICATE = "duplicate"
    # The owner of the address said that it was not them.
    NOT_ME = "not_me"
    # What the entry had won was taken back.
    REVOKED = "revoked"
    # They were erased since, and could not be told that they won.
    ERASED = "erased"
    # Somebody of the shop decided so, and said why.
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class Balance:
    """Where every prize is (PZ-04)."""

    offered: int
    claimed: int
    # Drawn and not claimed yet, or not drawn yet.
    waiting: int
    # Nobody was left to offer it to.
    unawarded: int

    @property
    def is_settled(self) -> bool:
        """Return whether each was claimed, or could be given to nobody any more."""
        return self.waiting == 0


def label(ticket: bytes) -> str:
    """Return the label of an entry: the number of its play, as people read it.

    It is the entry's ticket in other letters, so no entry carries one more, and the
    record of the plays shows which of them are tickets to the raffle.
    """
    letters = base64.b32encode(ticket).decode().lower().rstrip("=")
    return f"{LABEL_MARK}{letters}"


def ticket_of(text: str) -> bytes | None:
    """Return the ticket behind a label; None for what is no label."""
    letters = text.strip().lower().removeprefix(LABEL_MARK)
    padding = "=" * (-len(letters) % 8)
    try:
        ticket = base64.b32decode((letters + padding).upper())
    except ValueError:
        return None
    return ticket if len(ticket) == TICKET_BYTES else None


def commitment(secret: bytes) -> bytes:
    """Return `C`, which binds to a secret without telling it."""
    return hashlib.sha256(secret).digest()


def list_hash(labels: Iterable[str]) -> bytes:
    """Return `L` of labels that are sorted: each ends with a line feed."""
    whole = hashlib.sha256()
    for one in labels:
        whole.update(one.encode() + b"\n")
    return whole.digest()


class Urn:
    """Gives each label of a list its position."""

    def __init__(
        self,
        *,
        secret: bytes,
        randomness: bytes,
        listed: bytes,
        campaign: str,
        draw: str,
    ) -> None:
        """`listed` is the hash of the list; the rest is HKDF (RFC 5869)."""
        self._key = hmac.digest(secret, randomness + listed, "sha256")
        self._info = f"{SCHEME}|{campaign}|{draw}|".encode()

    def position(self, label: str) -> bytes:
        """Return where a label stands: 32 bytes, of which one block is enough."""
        block = self._info + label.encode() + b"\x01"
        return hmac.digest(self._key, block, "sha256")

    def first(self, labels: Iterable[str], many: int) -> list[str]:
        """Return so many labels in the order of their positions."""
        return nsmallest(many, labels, key=self.position)


def balance(units: int, states: Mapping[str, int], *, is_drawn: bool) -> Balance:
    """Return where the prizes are, from how many places are in each state."""
    claimed = states.get(Place.CLAIMED, 0)
    waiting = states.get(Place.OFFERED, 0) if is_drawn else units
    return Balance(units, claimed, waiting, units - claimed - waiting)
