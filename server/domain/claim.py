"""What a shop claims about people it knows from elsewhere, and when that may stand.

A yes that somebody gave before counts with its proof alone (PR-08). A sale lets the
shop write about its own similar products (Tw 11.7(3), ePrivacy 13(2)): no consent,
never turned into one (SO-02). Neither stands above what a person decided.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from server.domain.consent import Act, Wording, may_follow
from server.domain.parts import Locale

SOFT = "soft:"
SOFT_PURPOSE = re.compile(r"soft:[a-z][a-z0-9_]{0,39}", re.ASCII)
# No statute has a term for mail; two years after the last purchase is ours (SO-03).
SOFT_MONTHS = 24
MONTHS_A_YEAR = 12
LAST_SURE_DAY = 28
# How each kind of claim is noted, and as what its text is kept.
METHODS = {Act.SOFT_OPT_IN: "sale", Act.GIVEN: "import", Act.UNPROVEN: "import"}
TEXT_KINDS = {Act.SOFT_OPT_IN: "soft-offer", Act.GIVEN: "import"}


@dataclass(frozen=True, slots=True)
class Claim:
    """What one line, or one call, says about one person.

    `on` is the day of the yes or of the sale, `told` when the person was told or asked.
    `facts` go into sealed evidence, `context` into the fact, so it names nobody.
    """

    line: int
    email: str
    locale: Locale
    purpose: str
    act: Act
    on: date | None
    told: date | None
    text: Wording | None
    context: Mapping[str, Any]
    facts: Mapping[str, Any]


class Outcome(StrEnum):
    """What became of a claim."""

    STORED = "stored"
    # It is there already, or there is a better one.
    KNOWN = "known"
    # They decided for themselves, later than what is claimed.
    DECIDED = "decided"
    # They asked that nothing is done with what is known of them (GDPR 18).
    RESTRICTED = "restricted"
    # The sale was so long ago that nothing follows from it.
    TOO_OLD = "too_old"
    # Their address is suppressed, by the reasons of `contacts.Reason`.
    NOT_ME = "not_me"
    REFUSED = "refused"
    NEVER = "never"
    ERASED = "erased"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Stands:
    """What stands for a purpose, and since when by its own account."""

    act: Act
    method: str
    at: datetime
    context: Mapping[str, Any]

    @property
    def on(self) -> date:
        """Return the day of the yes or the sale; else when it was noted."""
        told = self.context.get("given_on") or self.context.get("sold_on")
        return date.fromisoformat(told) if told else self.at.date()


@dataclass(frozen=True, slots=True)
class Position:
    """Where a person stands: for the purpose, with their newest no, or kept away."""

    stands: Stands | None = None
    last_no: datetime | None = None
    kept_away: Outcome | None = None


def judge(claim: Claim, position: Position, *, today: date) -> Outcome:
    """Return what becomes of a claim about somebody in this position."""
    if position.kept_away:
        return position.kept_away
    if claim.act is Act.SOFT_OPT_IN:
        return _judge_sale(claim, position, today=today)
    stands = position.stands
    if stands is None:
        return Outcome.STORED
    if not may_follow(claim.act, stands.act):
        return Outcome.KNOWN if stands.act is Act.GIVEN else Outcome.DECIDED
    if claim.act is Act.UNPROVEN:
        # What has grown too old does not come back without a proof.
        return Outcome.DECIDED if stands.act is Act.LAPSED else Outcome.KNOWN
    return _judge_yes(claim, stands)


def _judge_yes(claim: Claim, stands: Stands) -> Outcome:
    on = claim.on or date.min
    if stands.act is Act.GIVEN:
        is_newer = stands.method == METHODS[Act.GIVEN] and on > stands.on
        return Outcome.STORED if is_newer else Outcome.KNOWN
    if stands.act is Act.UNPROVEN:
        return Outcome.STORED
    return Outcome.DECIDED if stands.at.date() >= on else Outcome.STORED


def _judge_sale(claim: Claim, position: Position, *, today: date) -> Outcome:
    sold, told = claim.on or date.min, claim.told or date.min
    if soft_until(sold) <= today:
        return Outcome.TOO_OLD
    # A no to one kind of mail is newer than an offer to say no to another.
    if position.last_no and position.last_no.date() >= told:
        return Outcome.DECIDED
    stands = position.stands
    if stands is None:
        return Outcome.STORED
    if not may_follow(claim.act, stands.act):
        return Outcome.DECIDED
    return Outcome.STORED if sold > stands.on else Outcome.KNOWN


def soft_until(sold: date) -> date:
    """Return the first day on which a sale lets the shop write no longer (SO-03)."""
    year = sold.year + SOFT_MONTHS // MONTHS_A_YEAR
    if sold.month == 2 and sold.day > LAST_SURE_DAY:
        return date(year, 3, 1)
    return sold.replace(year=year)
