"""Whether an entry looks as if no person made it (AB-02; SAFETY.md T15).

Nothing here looks at what we know of an address, so being asked for a proof tells
nobody whether we know it (AB-03).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from disposable_email_domains import blocklist

# A confirmation mail takes its time to arrive, to be seen and to be answered.
SETTLING = timedelta(minutes=10)
# Requests are judged that were sent within this long before that.
WATCHED = timedelta(hours=1)
LEAST_SENT = 50
LEAST_CONFIRMED = 0.2
# Each look that finds it still so starts this anew.
GUARDED_FOR = timedelta(hours=1)


class Sign(StrEnum):
    """What may be a person as well, but a person's browser can prove that."""

    TRAP = "trap"
    HASTE = "haste"
    THROWAWAY = "throwaway"
    CROWD = "crowd"
    RUSH = "rush"
    SPIKE = "spike"


@dataclass(frozen=True, slots=True)
class Traits:
    """How a submission came in.

    `trap` is what stands in the field that nobody sees; `took` is how long the form
    was there. Both are None where nobody is named, for then no mail follows.
    """

    trap: str | None
    took: timedelta | None
    address: str | None
    # Of its network: more plays than one household makes.
    is_crowd: bool = False
    # Of its campaign: more requests in an hour than expected, or hardly any confirmed.
    is_rush: bool = False
    is_spike: bool = False


def signs(traits: Traits, *, least: timedelta) -> list[Sign]:
    """Return what speaks against a person; empty means nothing does."""
    return list(_signs(traits, least))


def _signs(traits: Traits, least: timedelta) -> Iterator[Sign]:
    if traits.trap:
        yield Sign.TRAP
    if traits.took is not None and traits.took < least:
        yield Sign.HASTE
    if traits.address and is_throwaway(traits.address):
        yield Sign.THROWAWAY
    if traits.is_crowd:
        yield Sign.CROWD
    if traits.is_rush:
        yield Sign.RUSH
    if traits.is_spike:
        yield Sign.SPIKE


def is_throwaway(address: str) -> bool:
    """Return whether an address is one to throw away.

    Those who give them out do so at any name below theirs as well.
    """
    labels = address.rpartition("@")[2].lower().split(".")
    return any(".".join(labels[at:]) in blocklist for at in range(len(labels) - 1))


def is_spike(sent: int, confirmed: int) -> bool:
    """Return whether so many requests with so few answers look like an attack."""
    return sent >= LEAST_SENT and confirmed < LEAST_CONFIRMED * sent
