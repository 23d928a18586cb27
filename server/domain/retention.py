"""Until when a person is kept: the latest of their reasons (GDPR 5(1)(e); DS-04).

A reason without an end holds for as long as it is there. Who has none that still holds
is erased; what they had longest is why they were kept, so that a report can say it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from server.domain.consent import LASTING, Act
from server.domain.months import months_after
from server.domain.optin import RENEW_FOR
from server.domain.shop import Retention

# An expired request can be renewed for a day, and nothing of it is kept after (DS-04).
PENDING_AFTER = RENEW_FOR
# The day on which a voucher ends is not over everywhere at once.
VOUCHER_AFTER = timedelta(days=1)
# Counters against abuse, letters that nobody could deliver, turns of what is over.
REMAINS_DAYS = 30
# What an unclaimed play told, and a new address that nobody confirmed.
LEFTOVER_DAYS = 1
# From which network address somebody acted; then the network is left (DS-04).
TRACE_MONTHS = 12


class Reason(StrEnum):
    """Why a person is kept."""

    # Without an end of their own.
    YES = "yes"
    SOFT = "soft_opt_in"
    REQUEST = "rights_request"
    RESTRICTED = "restricted"
    RAFFLE = "raffle"
    # Until a moment.
    PENDING = "pending"
    ENTRY = "entry"
    PRIZE = "prize"
    VOUCHER = "voucher"
    PROOF = "proof"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Held:
    """What stands for one purpose, or has ended, and since when.

    `sold_at` is the last sale that a soft opt-in rests on, where it is known.
    """

    purpose: str
    act: Act
    at: datetime
    sold_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Played:
    """One entry: when its campaign, and all that is drawn in it, was over.

    `over_at` is None while a raffle that it takes part in is not decided. An entry
    that `is_bare` was a form for its consents alone.
    """

    over_at: datetime | None
    is_bare: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What a shop knows of a person, as far as it decides how long."""

    created_at: datetime
    # The newest thing that they did themselves.
    alive_at: datetime
    held: tuple[Held, ...] = ()
    # The purposes that ever had a yes: without one there is nothing to prove.
    ever_given: frozenset[str] = frozenset()
    # The latest end of a request that was not confirmed.
    pending_until: datetime | None = None
    entries: tuple[Played, ...] = ()
    won_at: datetime | None = None
    # The latest day of a code that was not used.
    voucher_until: datetime | None = None
    is_restricted: bool = False
    has_request: bool = False


@dataclass(frozen=True, slots=True)
class Stay:
    """One reason to keep somebody; `until` is None where it has no end of its own."""

    reason: Reason
    until: datetime | None

    def holds(self, now: datetime) -> bool:
        """Return whether it still is a reason."""
        return self.until is None or self.until > now


@dataclass(frozen=True, slots=True)
class Ending:
    """A yes that lapses at a moment unless somebody shows a sign of life (DS-05)."""

    purpose: str
    act: Act
    warned_at: datetime
    lapses_at: datetime

    def is_over(self, now: datetime) -> bool:
        """Return whether it lapses now."""
        return self.lapses_at <= now

    def is_stale(self, now: datetime) -> bool:
        """Return whether it is time to warn."""
        return self.warned_at <= now < self.lapses_at


def endings(known: Known, terms: Retention) -> list[Ending]:
    """Return when each yes of a person lapses, if nothing happens (SO-03, DS-05).

    A soft opt-in counts from the last sale, all others from the last sign of life; a
    yes is never older than itself. Whose data is restricted keeps what they have.
    """
    if known.is_restricted:
        return []
    return [_ending(held, known, terms) for held in known.held if held.act in LASTING]


def _ending(held: Held, known: Known, terms: Retention) -> Ending:
    if held.act is Act.SOFT_OPT_IN:
        over = months_after(held.sold_at or held.at, terms.soft_months)
        return Ending(held.purpose, held.act, warned_at=over, lapses_at=over)
    since = max(held.at, known.alive_at)
    return Ending(
        held.purpose,
        held.act,
        warned_at=months_after(since, terms.stale_months),
        lapses_at=months_after(since, terms.lapse_months),
    )


def stays(known: Known, terms: Retention) -> list[Stay]:
    """Return all reasons to keep somebody, over or not."""
    found = [Stay(Reason.NOTHING, known.created_at)]
    found += [_of_consent(held) for held in known.held if held.act in LASTING]
    found += [
        Stay(Reason.PROOF, months_after(held.at, terms.proof_months))
        for held in known.held
        if held.act not in LASTING and held.purpose in known.ever_given
    ]
    found += _of_entries(known.entries, terms)
    if known.pending_until:
        found.append(Stay(Reason.PENDING, known.pending_until + PENDING_AFTER))
    if known.won_at:
        found.append(Stay(Reason.PRIZE, months_after(known.won_at, terms.prize_months)))
    if known.voucher_until:
        found.append(Stay(Reason.VOUCHER, known.voucher_until + VOUCHER_AFTER))
    if known.has_request:
        found.append(Stay(Reason.REQUEST, None))
    if known.is_restricted:
        found.append(Stay(Reason.RESTRICTED, None))
    return found


def _of_consent(held: Held) -> Stay:
    return Stay(Reason.SOFT if held.act is Act.SOFT_OPT_IN else Reason.YES, None)


def _of_entries(entries: Iterable[Played], terms: Retention) -> list[Stay]:
    kept = timedelta(days=terms.entry_days)
    return [
        Stay(Reason.RAFFLE, None)
        if entry.over_at is None
        else Stay(Reason.ENTRY, entry.over_at + kept)
        for entry in entries
        if not entry.is_bare
    ]


def longest(found: Iterable[Stay]) -> Stay:
    """Return the reason that holds the longest; one without an end before all others.

    Raises ValueError where there is none.
    """
    found = list(found)
    endless = [stay for stay in found if stay.until is None]
    if endless:
        return min(endless, key=lambda stay: list(Reason).index(stay.reason))
    return max(
        ((stay.until, stay) for stay in found if stay.until is not None),
        key=lambda pair: (pair[0], -list(Reason).index(pair[1].reason)),
    )[1]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done about a person at a moment, and why nothing else is."""

    stay: Stay
    is_over: bool
    lapsing: tuple[Ending, ...]
    stale: tuple[Ending, ...]
    # When the next of their consents lapses, if nothing happens.
    next_lapse: datetime | None


def judge(known: Known, terms: Retention, *, now: datetime) -> Verdict:
    """Return whether a person is erased, and which of their consents lapse."""
    stay = longest(stays(known, terms))
    ending = endings(known, terms)
    return Verdict(
        stay=stay,
        is_over=not stay.holds(now),
        lapsing=tuple(one for one in ending if one.is_over(now)),
        stale=tuple(one for one in ending if one.is_stale(now)),
        next_lapse=min(
            (one.lapses_at for one in ending if not one.is_over(now)), default=None
        ),
    )


def soft_until(sold: date, months: int) -> date:
    """Return the first day on which a sale lets the shop write no longer (SO-03).

    No statute has a term for mail; `months` is the shop's own.
    """
    return months_after(datetime.combine(sold, time(), UTC), months).date()


def sold_at(context: Mapping[str, Any]) -> datetime | None:
    """Return the sale that a soft opt-in rests on, if its fact names one that can be.

    The whole day counts, so it is the moment at which that day is over.
    """
    try:
        day = date.fromisoformat(str(context.get("sold_on", "")))
    except ValueError:
        return None
    return datetime.combine(day, time(), UTC) + timedelta(days=1)
