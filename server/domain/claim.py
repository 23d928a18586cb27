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

from server.domain.consent import CLAIMS, Act, Wording, may_follow
from server.domain.parts import Locale
from server.domain.retention import soft_until

SOFT = "soft:"
SOFT_PURPOSE = re.compile(r"soft:[a-z][a-z0-9_]{0,39}", re.ASCII)
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
    # They said no for themselves, and what is claimed is not newer.
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
    # They are known, and nothing of theirs can be read: their key was lost.
    LOST = "lost"


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

    def is_later_than(self, no: datetime) -> bool:
        """Return whether it was said after a no.

        What a list brought in counts by its own day, not by when it was brought; that
        of the very day of the no, or without a day, is not later (PR-08).
        """
        has_day = "given_on" in self.context or "sold_on" in self.context
        if has_day:
            return self.on > no.date()
        return self.act not in CLAIMS and self.at > no


@dataclass(frozen=True, slots=True)
class Position:
    """Where a person stands: for the purpose, with their newest no, or kept away.

    `last_no` is about any purpose: who ended everything, or objected once, meant the
    lists of that day as well, whatever they call a purpose.
    """

    stands: Stands | None = None
    last_no: datetime | None = None
    kept_away: Outcome | None = None


def judge(
    claim: Claim, position: Position, *, today: date, soft_months: int
) -> Outcome:
    """Return what becomes of a claim about somebody in this position.

    A sale counts for `soft_months`. No claim stands above a no of that day or a later
    one, whatever it was a no to (PR-08, DS-02).
    """
    if position.kept_away:
        return position.kept_away
    if claim.act is Act.SOFT_OPT_IN:
        outcome = _judge_sale(claim, position.stands, today=today, months=soft_months)
    else:
        outcome = _judge_consent(claim, position.stands)
    is_older = position.last_no and position.last_no.date() >= (claim.told or date.min)
    return Outcome.DECIDED if outcome is Outcome.STORED and is_older else outcome


def _judge_consent(claim: Claim, stands: Stands | None) -> Outcome:
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


def _judge_sale(
    claim: Claim, stands: Stands | None, *, today: date, months: int
) -> Outcome:
    sold = claim.on or date.min
    if soft_until(sold, months) <= today:
        return Outcome.TOO_OLD
    if stands is None:
        return Outcome.STORED
    if not may_follow(claim.act, stands.act):
        return Outcome.DECIDED
    return Outcome.STORED if sold > stands.on else Outcome.KNOWN
