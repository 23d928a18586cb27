"""Let go of people whose reasons are over, and of consents that grew too old.

First a plan is made by reading alone; then each deed looks once more, while its person
is locked. So who came back in between stays, two workers do nothing twice, and one that
is killed leaves nothing half done (DS-04, DS-05, SO-03).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from server.domain.retention import Reason, Verdict, judge
from server.domain.seals import SealError
from server.models.contact import Contact
from server.models.shop import Shop
from server.services import acquaintances, contacts, privacy, withdrawals
from server.services.acquaintances import Someone
from server.services.campaigns import Directory
from server.services.privacy import Use
from server.services.tools import Tools

# So many people are dealt with in one transaction. An erasure takes ten milliseconds,
# and whoever writes waits behind all of them.
AT_ONCE = 5
METHOD = "retention"


@dataclass(frozen=True, slots=True)
class Judged:
    """A person of a shop, and what is to be done about them."""

    id: int
    shop_id: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Plan:
    """Some people as they were judged, and after whom to go on; None at the end."""

    people: Sequence[Judged]
    last: int | None

    @property
    def over(self) -> list[int]:
        """Return who is to be erased."""
        return [one.id for one in self.people if one.verdict.is_over]

    @property
    def lapsing(self) -> list[int]:
        """Return who has consents that lapse."""
        return [one.id for one in self.people if one.verdict.lapsing]


@dataclass
class Kept:
    """How many people one reason keeps, and when the first of them is due."""

    people: int = 0
    due: datetime | None = None


@dataclass
class Report:
    """What a look at a shop's people came to, in numbers and moments alone."""

    people: int = 0
    kept: dict[Reason, Kept] = field(default_factory=dict)
    over: Counter[Reason] = field(default_factory=Counter)
    lapsing: Counter[str] = field(default_factory=Counter)
    stale: Counter[str] = field(default_factory=Counter)
    next_lapse: datetime | None = None

    def add(self, verdict: Verdict) -> None:
        """Count one person in."""
        self.people += 1
        stay = verdict.stay
        if verdict.is_over:
            self.over[stay.reason] += 1
        else:
            kept = self.kept.setdefault(stay.reason, Kept())
            kept.people += 1
            kept.due = _earlier(kept.due, stay.until)
        self.lapsing.update(ending.purpose for ending in verdict.lapsing)
        self.stale.update(ending.purpose for ending in verdict.stale)
        self.next_lapse = _earlier(self.next_lapse, verdict.next_lapse)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)


def shops(session: Session) -> dict[int, str]:
    """Return the codes of all shops, by their key."""
    return {row.id: row.code for row in session.execute(select(Shop.id, Shop.code))}


def plan(
    session: Session,
    after: int,
    *,
    shop_id: int | None = None,
    directory: Directory,
    now: datetime,
) -> Plan:
    """Judge the people next to one, by their key; nothing is written."""
    people = acquaintances.after(session, after, shop_id=shop_id, directory=directory)
    return Plan(
        [_judged(someone, now) for someone in people],
        last=people[-1].id if people else None,
    )


def _judged(someone: Someone, now: datetime) -> Judged:
    verdict = judge(someone.known, someone.terms, now=now)
    return Judged(someone.id, someone.shop_id, verdict)


def erase(
    session: Session,
    ids: Iterable[int],
    *,
    directory: Directory,
    tools: Tools,
    now: datetime,
) -> int:
    """Erase those of these people whose last reason is over; return how many."""

    def forget(person: Judged) -> bool:
        return person.verdict.is_over and privacy.erase(
            session,
            contacts.person(session, person.id, vault=tools.vault),
            use=Use(
                session.get_one(Contact, person.id).locale,
                METHOD,
                {"reason": person.verdict.stay.reason},
            ),
            tools=tools,
            now=now,
            is_wished=False,
        )

    return _each(session, ids, forget, directory=directory, now=now)


def lapse(
    session: Session,
    ids: Iterable[int],
    *,
    directory: Directory,
    tools: Tools,
    now: datetime,
) -> int:
    """End the consents of these people that are too old; return how many ended."""

    def end(person: Judged) -> int:
        purposes = [ending.purpose for ending in person.verdict.lapsing]
        if not purposes:
            return 0
        who = contacts.person(session, person.id, vault=tools.vault)
        return len(
            withdrawals.lapse(session, who, purposes, facts={}, tools=tools, now=now)
        )

    return _each(session, ids, end, directory=directory, now=now)


def _each(
    session: Session,
    ids: Iterable[int],
    do: Callable[[Judged], int],
    *,
    directory: Directory,
    now: datetime,
) -> int:
    """Judge each once more under their lock, and do it; return what it adds up to.

    One whose key was lost cannot be opened, and must not hold up the others.
    """
    done = 0
    for contact_id in sorted(ids):
        session.execute(_LOCK, {"contact": contact_id})
        someone = acquaintances.one(session, contact_id, directory=directory)
        if someone is None:
            continue
        try:
            done += do(_judged(someone, now))
        except SealError:
            continue
    return done


_LOCK = select(Contact.id).where(Contact.id == bindparam("contact")).with_for_update()
