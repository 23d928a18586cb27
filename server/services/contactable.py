"""Who may be written to today, for one purpose (DO-01, SO-03).

Read in ranges of people, each by itself: one long look at the database would keep it
from tidying up.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from server.domain.claim import SOFT, SOFT_PURPOSE
from server.domain.consent import CLAIMS, Act
from server.domain.optin import OPEN
from server.domain.retention import soft_until
from server.domain.seals import SealError, Vault
from server.domain.shop import Retention
from server.models.attribute import Attribute
from server.models.base import table
from server.models.consent import ConsentEvent, ConsentQuestion, Standing
from server.models.contact import Contact
from server.models.optin import OptIn
from server.models.preference import Preference
from server.services import campaigns, consents, contacts, envelopes

RANGE = 1_000
Basis = Literal["consent", "soft"]
# Only what somebody gave, or what follows from a sale; never what lacks its proof.
ACTS: dict[Basis, Act] = {"consent": Act.GIVEN, "soft": Act.SOFT_OPT_IN}
HEADING = (
    *("address", "locale", "purpose", "basis", "since", "until"),
    *("text_sha256", "method", "topics", "rhythm"),
)
Look = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True, slots=True)
class Line:
    """Somebody who may be written to. `until` is the last day but for a consent."""

    email: str
    locale: str
    purpose: str
    basis: Basis
    since: date
    until: date | None
    text_hash: str
    method: str
    topics: tuple[str, ...] | None
    rhythm: str | None
    attributes: Mapping[str, str]

    def cells(self, attributes: tuple[str, ...]) -> tuple[str, ...]:
        """Return the line as a table's cells, under `HEADING` and these attributes."""
        return (
            self.email,
            self.locale,
            self.purpose,
            self.basis,
            self.since.isoformat(),
            self.until.isoformat() if self.until else "",
            self.text_hash,
            self.method,
            "" if self.topics is None else " ".join(self.topics),
            self.rhythm or "",
            *(self.attributes.get(key, "") for key in attributes),
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which people of which shop are asked for."""

    shop_id: int
    purpose: str
    basis: Basis

    @property
    def is_possible(self) -> bool:
        """Return whether such a basis can be that of such a purpose."""
        is_soft = SOFT_PURPOSE.fullmatch(self.purpose) is not None
        return is_soft if self.basis == "soft" else not self.purpose.startswith(SOFT)


def heading(session: Session, wanted: Wanted) -> tuple[str, ...]:
    """Return the keys of what is known of these people for this purpose."""
    told = {"shop": wanted.shop_id, "of": wanted.purpose}
    return tuple(session.connection().scalars(_KEYS, told))


def lines(
    look: Look,
    wanted: Wanted,
    *,
    vault: Vault,
    clock: Callable[[], datetime],
    lost: list[int] | None = None,
) -> Iterator[Line]:
    """Yield everybody, by ranges; each is as of the moment in which it is read.

    Who cannot be read is left out, and gets into `lost`, by their key.
    """
    after: int | None = 0
    while after is not None:
        with look() as session:
            some, after = page(
                session, wanted, after=after, vault=vault, now=clock(), lost=lost
            )
        yield from some


def page(
    session: Session,
    wanted: Wanted,
    *,
    after: int,
    vault: Vault,
    now: datetime,
    most: int = RANGE,
    lost: list[int] | None = None,
) -> tuple[list[Line], int | None]:
    """Return a range of people, and after whom the next one begins; None at the end.

    Nobody who is restricted, suppressed or erased, or was asked and did not answer.
    Who cannot be read is left out, and gets into `lost`.
    """
    told = {
        "shop": wanted.shop_id,
        "of": wanted.purpose,
        "as": ACTS[wanted.basis].value,
        "after": after,
        "moment": now,
        "most": most,
    }
    connection = session.connection()
    rows = connection.execute(_page(connection.dialect.name), told).all()
    facts: dict[int, list[Any]] = {row.id: [] for row in rows}
    about = {"ids": list(facts), "of": wanted.purpose}
    for fact in connection.execute(_ATTRIBUTES, about):
        facts[fact.contact_id].append(fact)
    terms = campaigns.terms(session, wanted.shop_id)
    found = []
    for row in rows:
        try:
            known = _attributes(row, facts[row.id], vault=vault)
            line = _line(wanted, row, known, terms=terms, vault=vault, now=now)
        except SealError:
            envelopes.left_out(row.id)
            if lost is not None:
                lost.append(row.id)
            continue
        if line is not None:
            found.append(line)
    return found, rows[-1].id if len(rows) == most else None


def _attributes(
    person: Any, facts: Iterable[Any], *, vault: Vault
) -> Mapping[str, str]:
    """Return what is known of a person. Raises `SealError`."""
    return {
        fact.key: envelopes.value_of(
            fact,
            envelopes.key_of(person, vault=vault),
            subject_ref=person.subject_ref,
        )
        for fact in facts
    }


def _line(
    wanted: Wanted,
    row: Any,
    attributes: Mapping[str, str],
    *,
    terms: Retention,
    vault: Vault,
    now: datetime,
) -> Line | None:
    """Return somebody's line; None where a sale is too long ago (SO-03)."""
    told = row.context.get("given_on") or row.context.get("sold_on")
    since = date.fromisoformat(told) if told else row.at.date()
    is_soft = wanted.basis == "soft"
    until = soft_until(since, terms.soft_months) if is_soft else None
    if until and until <= now.date():
        return None
    return Line(
        email=envelopes.email_of(row, vault=vault),
        locale=row.locale,
        purpose=wanted.purpose,
        basis=wanted.basis,
        since=since,
        until=until,
        text_hash=row.text_hash.hex(),
        method=row.method,
        topics=None if row.topics is None else tuple(map(str, row.topics)),
        rhythm=row.rhythm,
        attributes=attributes,
    )


# --- how many ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Count:
    """How many people stand how for a purpose; only the first two may be written to."""

    purpose: str
    active: int
    soft: int
    unproven: int
    pending: int

    @property
    def basis(self) -> Basis:
        """Return by what its people may be written to."""
        return "soft" if self.purpose.startswith(SOFT) else "consent"

    @property
    def reachable(self) -> int:
        """Return how many may be written to."""
        return self.soft if self.basis == "soft" else self.active


def counts(session: Session, shop_id: int, *, now: datetime) -> list[Count]:
    """Return each purpose of a shop with how many people stand how."""
    found: dict[tuple[str, str], int] = {}
    told = {"shop": shop_id, "moment": now}
    for purpose, act, number in session.connection().execute(_COUNTS, told):
        found[purpose, act] = number
    for purpose, number in session.connection().execute(_PENDING, told):
        found[purpose, "pending"] = number
    return [
        Count(
            purpose=purpose,
            active=found.get((purpose, Act.GIVEN), 0),
            soft=found.get((purpose, Act.SOFT_OPT_IN), 0),
            unproven=found.get((purpose, Act.UNPROVEN), 0),
            pending=found.get((purpose, "pending"), 0),
        )
        for purpose in sorted({purpose for purpose, _ in found})
    ]


def find(session: Session, shop_id: int, purpose: str) -> Wanted | None:
    """Return whom a purpose of this shop is about; None where nobody ever was."""
    told = {"shop": shop_id, "of": purpose}
    if session.connection().scalar(_IS_KNOWN, told) is None:
        return None
    basis: Basis = "soft" if purpose.startswith(SOFT) else "consent"
    return Wanted(shop_id, purpose, basis)


_contact, _standing = table(Contact), table(Standing)
_event, _question = table(ConsentEvent), table(ConsentQuestion)
_optin = table(OptIn)
_attribute, _preference = table(Attribute), table(Preference)
_UNTIL = contacts.suppressed_until(_contact.c.shop_id, _contact.c.email_hash).element
# Of a contact at hand: neither restricted, nor erased, nor suppressed.
REACHABLE = (
    _contact.c.restricted_at.is_(None),
    _contact.c.erased_at.is_(None),
    func.coalesce(_UNTIL, bindparam("moment", type_=_event.c.at.type))
    <= bindparam("moment", type_=_event.c.at.type),
)


def of_shop_in_order(dialect: str) -> Any:
    """Return the condition that keeps each database on the order of contacts.

    SQLite would take the index of the shop and sort all of it for each range; a sum
    has no index. PostgreSQL would take a sum for rare, and read everything.
    """
    column = _contact.c.shop_id
    return (column + 0 if dialect == "sqlite" else column) == bindparam("shop")


@cache
def _page(dialect: str) -> Select[Any]:
    return (
        select(
            _contact.c.id,
            *envelopes.EMAIL,
            _contact.c.locale,
            _standing.c.text_hash,
            _event.c.method,
            _event.c.at,
            _question.c.context,
            _preference.c.topics,
            _preference.c.rhythm,
        )
        .join(_standing, _standing.c.contact_id == _contact.c.id)
        .join(_event, _event.c.id == _standing.c.event_id)
        .join(_question, _question.c.id == _event.c.question_id)
        .outerjoin(
            _preference,
            (_preference.c.contact_id == _contact.c.id)
            & (_preference.c.purpose == _standing.c.purpose),
        )
        .where(
            of_shop_in_order(dialect),
            *REACHABLE,
            _standing.c.purpose == bindparam("of"),
            _standing.c.act == bindparam("as"),
            _contact.c.id > bindparam("after"),
        )
        .order_by(_contact.c.id)
        .limit(bindparam("most"))
    )


_KEYS = (
    select(_attribute.c.key)
    .join(_contact, _contact.c.id == _attribute.c.contact_id)
    .where(
        _contact.c.shop_id == bindparam("shop"), _attribute.c.purpose == bindparam("of")
    )
    .distinct()
    .order_by(_attribute.c.key)
)
_ATTRIBUTES = select(
    _attribute.c.contact_id, _attribute.c.key, _attribute.c.sealed_value
).where(
    _attribute.c.contact_id.in_(bindparam("ids", expanding=True)),
    _attribute.c.purpose == bindparam("of"),
)
_IS_KNOWN = (
    select(_standing.c.contact_id)
    .join(_contact, _contact.c.id == _standing.c.contact_id)
    .where(
        _contact.c.shop_id == bindparam("shop"),
        _standing.c.purpose == bindparam("of"),
    )
    .limit(1)
)
_COUNTED = sorted({*ACTS.values(), *CLAIMS})
_COUNTS = (
    select(_standing.c.purpose, _standing.c.act, func.count())
    .join(_contact, _contact.c.id == _standing.c.contact_id)
    .where(
        _contact.c.shop_id == bindparam("shop"),
        *REACHABLE,
        _standing.c.act.in_(_COUNTED),
    )
    .group_by(_standing.c.purpose, _standing.c.act)
)
_PENDING = (
    select(_question.c.purpose, func.count(_event.c.contact_id.distinct()))
    .select_from(_optin)
    .join(_contact, _contact.c.id == _optin.c.contact_id)
    .join(_event, consents.of_request(_contact.c.id, _optin.c.id))
    .join(_question, _question.c.id == _event.c.question_id)
    .where(
        _contact.c.shop_id == bindparam("shop"),
        _optin.c.state.in_(OPEN),
        _optin.c.expires_at > bindparam("moment", type_=_event.c.at.type),
    )
    .group_by(_question.c.purpose)
)
