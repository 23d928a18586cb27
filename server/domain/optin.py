"""Double opt-in: the states of a request and what a new sign-up does to them.

The table is REQUIREMENTS.md section 14. Only a press of a button confirms.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

CONFIRM_DAYS = 7
LIFE = timedelta(days=CONFIRM_DAYS)
# How long an expired request may still be renewed without typing the address.
RENEW_FOR = timedelta(days=1)
BLOCK_AFTER_NOT_ME = timedelta(days=180)
# A mailbox that does not exist may be made; asking it at once again harms our name.
BLOCK_AFTER_REFUSAL = timedelta(days=30)
RENDER_LIFE = timedelta(minutes=30)
# A person does not read and press within a second; a scanner does.
RENDER_YOUNGEST = timedelta(seconds=1)


# So long and so often the digits of a mail may be typed on the page that asked (DO-13).
DIGITS = 6
DIGITS_LIFE = timedelta(minutes=10)
DIGITS_TRIES = 5
# Between a mail server that took a mail and a person who read it and pressed (DO-11).
SOONEST_PRESS = timedelta(seconds=10)


def signs_of_a_machine(
    *, sent_at: datetime | None, is_scanner: bool, now: datetime
) -> list[str]:
    """Return what speaks against a person having pressed: `fast`, `scanner`.

    A mail that is not marked as sent yet was sent just now.
    """
    is_fast = sent_at is None or now - sent_at < SOONEST_PRESS
    return ["fast"] * is_fast + ["scanner"] * is_scanner


def as_digits(digest: bytes) -> str:
    """Return six digits that follow from a hash."""
    return f"{int.from_bytes(digest) % 10**DIGITS:0{DIGITS}d}"


def is_typed(typed: str, digits: str) -> bool:
    """Return whether somebody typed these digits, in whatever groups."""
    bare = "".join(typed.split()).replace("-", "")
    return bare.isascii() and hmac.compare_digest(bare, digits)


class State(StrEnum):
    """Where a request stands."""

    REQUESTED = "requested"
    SENT = "sent"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    UNDELIVERABLE = "undeliverable"


# The mail can arrive before the worker has marked it as sent.
OPEN = (State.REQUESTED, State.SENT)


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that waits for its confirmation."""

    id: int
    wordings: Mapping[str, str]
    expires_at: datetime


class Answer(StrEnum):
    """What a sign-up leads to. The visitor sees the same screen for all of them."""

    ASK = "ask"
    ASK_ANEW = "ask anew"
    REPEAT = "repeat"
    NOTHING_NEW = "nothing new"
    NOTHING_ASKED = "nothing asked"


def answer(
    asked: Mapping[str, str],
    *,
    active: Mapping[str, str],
    pending: Pending | None,
    now: datetime,
) -> Answer:
    """Return what to do when somebody asks for these purposes (DO-10).

    All mappings go from purpose to the hex hash of its wording: a yes to other
    words is another yes (PR-07).
    """
    if not asked:
        return Answer.NOTHING_ASKED
    if all(active.get(purpose) == text for purpose, text in asked.items()):
        return Answer.NOTHING_NEW
    if pending is None or pending.expires_at <= now:
        return Answer.ASK
    if dict(pending.wordings) == dict(asked):
        return Answer.REPEAT
    return Answer.ASK_ANEW
