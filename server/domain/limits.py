"""How many mails one mailbox may be sent because somebody typed its address.

The numbers are REQUIREMENTS.md section 15 and SAFETY.md T16: those of each shop, and
one for all shops of the house together. What is over the limit is answered like
everything else; only the mail stays away.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum


class Kind(StrEnum):
    """Why a mail is sent; each has its own pace, all share the day's ceiling.

    A receipt is the least of them: it finds its place below its shop's ceiling, and
    takes nobody else's. Whoever gets one has just pressed a button in that very
    mailbox. Below the ceiling of all shops it is a mail like any other.
    """

    CONFIRM = "c"
    PRIZE = "p"
    MANAGE = "m"
    RECEIPT = "b"
    # The page with what somebody gets, and the question whether an address is theirs.
    PREFERENCES = "l"
    RECTIFY = "r"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` mails of these kinds within `within`, for whom it binds."""

    most: int
    within: timedelta
    kinds: frozenset[Kind]
    binds: frozenset[Kind]


def _of(most: int, within: timedelta, *kinds: Kind) -> Limit:
    return Limit(most, within, frozenset(kinds), frozenset(kinds))


ALL = frozenset(Kind)
LEAST = frozenset({Kind.RECEIPT})
PER_SHOP = (
    *(_of(1, timedelta(minutes=10), kind) for kind in Kind),
    _of(3, timedelta(hours=24), *(ALL - LEAST)),
    Limit(3, timedelta(hours=24), ALL, binds=LEAST),
    _of(5, timedelta(days=30), Kind.CONFIRM),
    _of(1, timedelta(hours=24), Kind.MANAGE),
    _of(1, timedelta(hours=24), Kind.RECEIPT),
)
OF_ALL_SHOPS = (_of(5, timedelta(hours=24), *ALL),)
LONGEST = max(limit.within for limit in PER_SHOP + OF_ALL_SHOPS)
# What is over a limit stays away; a prize waits for its turn, but not for ever: who
# types a stranger's address all day fills no more than the next one.
WAITS = frozenset({Kind.PRIZE})
LONGEST_WAIT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Sending:
    """One mail that was queued, when, and by which shop.

    One of before that was noted is nobody's, and counts for every shop.
    """

    kind: Kind
    at: datetime
    shop: int | None


def may_send(past: Iterable[Sending], kind: Kind, *, shop: int, now: datetime) -> bool:
    """Return whether one more mail of this kind stays within every limit."""
    past = tuple(past)
    of_shop = tuple(s for s in past if s.shop in (shop, None))
    return all(
        sum(1 for s in counted if s.kind in limit.kinds and s.at > now - limit.within)
        < limit.most
        for counted, limits in ((of_shop, PER_SHOP), (past, OF_ALL_SHOPS))
        for limit in limits
        if kind in limit.binds
    )


def turn(
    past: Iterable[Sending], kind: Kind, *, shop: int, now: datetime
) -> datetime | None:
    """Return when one more mail of this kind may go; None if it stays away.

    What waits is among `past` as well, at the moment for which it was queued.
    """
    past = tuple(past)
    if may_send(past, kind, shop=shop, now=now):
        return now
    if kind not in WAITS:
        return None
    ends = sorted(
        sending.at + limit.within
        for sending in past
        for limit in PER_SHOP + OF_ALL_SHOPS
        if kind in limit.binds and sending.kind in limit.kinds
    )
    return next(
        (
            at
            for at in ends
            if now < at < now + LONGEST_WAIT and may_send(past, kind, shop=shop, now=at)
        ),
        None,
    )


def remember(past: Iterable[Sending], *, now: datetime) -> tuple[Sending, ...]:
    """Return the mails that any limit still counts."""
    return tuple(s for s in past if s.at > now - LONGEST)


def as_text(past: Iterable[Sending]) -> str:
    """Write mails as the mailbox's row keeps them: `c1790000000/1 p1790000000/1`."""
    return " ".join(
        f"{s.kind.value}{int(s.at.timestamp())}{'' if s.shop is None else f'/{s.shop}'}"
        for s in past
    )


def from_text(text: str) -> tuple[Sending, ...]:
    """Read what `as_text` wrote."""
    return tuple(_sending(word) for word in text.split())


def _sending(word: str) -> Sending:
    seconds, _, shop = word[1:].partition("/")
    at = datetime.fromtimestamp(int(seconds), UTC)
    return Sending(Kind(word[0]), at, int(shop) if shop else None)
