"""What somebody can choose within a yes, and what a form's answer comes to."""

from collections.abc import Iterable
from dataclasses import dataclass

from server.domain.campaign import Purpose, Wish

# Title, question, controller, channel, frequency, how to stop: see `request_text`.
LEAST_LINES = 6


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the mails of one purpose are wanted; None is as the shop does it."""

    topics: tuple[str, ...] | None = None
    rhythm: str | None = None


def wished(purpose: Purpose, topics: Iterable[str], rhythm: str) -> Wishes:
    """Return what was chosen among what there is; what there is not is left out.

    No topic at all means every topic: who wants no mail says so with the switch.
    """
    told = set(topics)
    known = tuple(wish.key for wish in purpose.topics if wish.key in told)
    return Wishes(known or None, rhythm if _is_among(purpose.rhythms, rhythm) else None)


def _is_among(wishes: Iterable[Wish], key: str) -> bool:
    return any(wish.key == key for wish in wishes)


@dataclass(frozen=True, slots=True)
class Told:
    """What a kept wording says, as far as it can be told apart."""

    title: str
    ask: str = ""
    frequency: str = ""


def told(body: str) -> Told:
    """Read a kept wording back: ours line by line, any other by its first line."""
    lines = body.split("\n")
    if len(lines) < LEAST_LINES:
        return Told(lines[0])
    return Told(title=lines[0], ask=lines[1], frequency=lines[-2])
