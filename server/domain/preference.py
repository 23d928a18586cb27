"""What somebody can choose within a yes, and what a form's answer comes to."""

from collections.abc import Iterable
from dataclasses import dataclass

from server.domain.campaign import Purpose, Wish


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
