"""The life of a voucher: its states, what may follow what, and what is told of it.

    free -> reserved -> awarded -> redeemed | lapsed | revoked      (PZ-04)

A reserved one that nobody claims is free again. The last three are the end: a unit
that returns to the game after it was mailed comes back under a new code.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from server.domain import codes

DAY = timedelta(days=1)
# A day of the shop ends at most this long after a day of UTC began.
NIGHT = timedelta(hours=3)
LONGEST_CODE = 60
LONGEST_PLACE = 60
LONGEST_NOTE = 200


class State(StrEnum):
    """Where a voucher is in its life."""

    FREE = "free"
    RESERVED = "reserved"
    AWARDED = "awarded"
    REDEEMED = "redeemed"
    LAPSED = "lapsed"
    REVOKED = "revoked"


FOLLOWS: dict[State, frozenset[State]] = {
    State.FREE: frozenset({State.RESERVED}),
    State.RESERVED: frozenset({State.FREE, State.AWARDED}),
    State.AWARDED: frozenset({State.REDEEMED, State.LAPSED, State.REVOKED}),
    State.REDEEMED: frozenset(),
    State.LAPSED: frozenset(),
    State.REVOKED: frozenset(),
}
# Those that somebody was given, whatever came of them.
GIVEN = (State.AWARDED, State.REDEEMED, State.LAPSED, State.REVOKED)


class Step(StrEnum):
    """What happened to a voucher. Those in `KEPT` have a row of their own."""

    RESERVED = "reserved"
    RELEASED = "released"
    AWARDED = "awarded"
    MAILED = "mailed"
    MAILED_AGAIN = "mailed_again"
    REDEEMED = "redeemed"
    LAPSED = "lapsed"
    REVOKED = "revoked"


KEPT = (Step.RELEASED, Step.MAILED_AGAIN, Step.LAPSED, Step.REVOKED)


class Verdict(StrEnum):
    """What a try to redeem comes to."""

    REDEEMED = "redeemed"
    ALREADY = "already_redeemed"
    LAPSED = "lapsed"
    REVOKED = "revoked"
    # One code for everybody: a till cannot tell whose it is.
    SHARED = "shared"
    # It pays an order back, and this is not the number of that one.
    OTHER_ORDER = "other_order"
    # Not handed out, another shop's, or nobody's: nobody is told which.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Happened:
    """One step of a voucher's life. `by` is who did it, if it was a person."""

    step: Step
    at: datetime
    by: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Moments:
    """The steps that an entry and a voucher tell by themselves."""

    reserved_at: datetime | None = None
    awarded_at: datetime | None = None
    mailed_at: datetime | None = None
    redeemed_at: datetime | None = None
    redeemed_by: str | None = None
    place: str | None = None


def history(moments: Moments, kept: Iterable[Happened]) -> list[Happened]:
    """Return a voucher's whole life in order.

    What every voucher goes through costs no row of its own, so it is folded from the
    moments of entry and voucher and from the steps that are kept.
    """
    told = [
        Happened(step, at)
        for step, at in (
            (Step.RESERVED, moments.reserved_at),
            (Step.AWARDED, moments.awarded_at),
            (Step.MAILED, moments.mailed_at),
        )
        if at is not None
    ]
    if moments.redeemed_at is not None:
        told.append(
            Happened(
                Step.REDEEMED, moments.redeemed_at, moments.redeemed_by, moments.place
            )
        )
    order = list(Step)
    return sorted([*told, *kept], key=lambda one: (one.at, order.index(one.step)))


def valid_until(awarded: datetime, *, days: int | None) -> datetime | None:
    """Return when a voucher lapses: after its last day is over, wherever the shop is.

    That is counted in whole days of UTC, an hour or two in the winner's favour.
    """
    if days is None:
        return None
    last = awarded.date() + days * DAY
    return datetime.combine(last + DAY, time(), awarded.tzinfo)


def last_day(until: datetime) -> datetime:
    """Return a moment on the last whole day before that, to write its date."""
    return until - NIGHT


def stands(state: State, until: datetime | None, *, now: datetime) -> State:
    """Return the state as of now; the worker may not have closed it yet."""
    is_over = until is not None and until <= now
    return State.LAPSED if state is State.AWARDED and is_over else state


def verdict(state: State, *, is_shared: bool) -> Verdict:
    """Return what stands in the way of redeeming a voucher in this state."""
    if is_shared and state in GIVEN:
        return Verdict.SHARED
    return {
        State.REDEEMED: Verdict.ALREADY,
        State.LAPSED: Verdict.LAPSED,
        State.REVOKED: Verdict.REVOKED,
    }.get(state, Verdict.UNKNOWN)


def spellings(typed: str) -> list[str]:
    """Return how a typed code may be written here, the likeliest first.

    Imported codes are kept as they came; ours forgive case, gaps and look-alikes.
    """
    plain = "".join(typed.split())[: LONGEST_CODE + 1]
    if not plain or len(plain) > LONGEST_CODE or not plain.isprintable():
        return []
    found = [plain, plain.upper()]
    with suppress(codes.CodeError):
        found.append(codes.read(plain))
    return list(dict.fromkeys(found))


def read_as(code: str) -> str:
    """Return what is the same for two codes of which one may be redeemed as the other.

    That is where some way to type the one is a spelling of both.
    """
    return codes.read(code) if is_ours(code) else code.upper()


def is_ours(code: str) -> bool:
    """Return whether it reads as a code of our own making."""
    with suppress(codes.CodeError):
        codes.read(code)
        return True
    return False
