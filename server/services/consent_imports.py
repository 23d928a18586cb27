"""Bring in what a shop claims: consents from elsewhere, and sales (PR-08, SO-01).

A file of a million lines comes in batches, each a transaction of its own. What was
stored is known again, so an import that died goes on where it was by running it once
more.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.orm import Session

from server.domain.claim import METHODS, TEXT_KINDS, Claim, Outcome, Position, judge
from server.domain.claim import Stands as StandsToday
from server.domain.consent import NOES, Act, Question
from server.domain.seals import Vault
from server.models.base import inserting, table
from server.models.consent import ConsentEvent, ConsentQuestion, Standing
from server.models.contact import Contact, Suppression
from server.models.text import Text
from server.services import campaigns, consents, contacts, envelopes
from server.services.consents import Decided
from server.services.contacts import Newcomer, Person, Reason
from server.services.tools import Tools

BATCH = 500
CHANNEL = "email"
# The strongest first: it is what the shop is told.
REASONS = (Reason.ERASED, Reason.NEVER, Reason.MOVED, Reason.NOT_ME, Reason.REFUSED)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a claim; the hash names the person to nobody but us."""

    line: int
    outcome: Outcome
    email_hash: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Claims with the hashes of their people; one for each person and purpose."""

    shop_id: int
    claims: Sequence[Claim]
    hashes: Sequence[bytes]

    def pairs(self) -> Iterator[tuple[Claim, bytes]]:
        return zip(self.claims, self.hashes, strict=True)


def batches(claims: Iterable[Claim], *, shop_id: int, vault: Vault) -> Iterator[Batch]:
    """Part claims into batches; what is said twice of somebody is never in one."""
    some: dict[tuple[bytes, str], Claim] = {}
    for claim in claims:
        key = (contacts.hash_email(vault, shop_id, claim.email), claim.purpose)
        if len(some) == BATCH or key in some:
            yield _batch(shop_id, some)
            some = {}
        some[key] = claim
    if some:
        yield _batch(shop_id, some)


def _batch(shop_id: int, some: Mapping[tuple[bytes, str], Claim]) -> Batch:
    return Batch(shop_id, list(some.values()), [hashed for hashed, _ in some])


def look(session: Session, batch: Batch, *, now: datetime) -> list[Result]:
    """Return what would become of these claims, and store nothing."""
    return list(_judged(session, batch, now=now))


def bring_in(
    session: Session, batch: Batch, *, tools: Tools, now: datetime
) -> list[Result]:
    """Store what may be stored of these claims, and say what became of each.

    Nobody is made a contact of whom nothing is stored: least of all who was erased.
    """
    wanted = {
        result.email_hash: claim
        for claim, result in zip(
            batch.claims, _judged(session, batch, now=now), strict=True
        )
        if result.outcome is Outcome.STORED
    }
    made = contacts.add_all(
        session,
        shop_id=batch.shop_id,
        newcomers=[
            Newcomer(claim.email, hashed, claim.locale)
            for hashed, claim in sorted(wanted.items(), key=lambda pair: pair[0])
        ],
        vault=tools.vault,
        now=now,
        random=tools.random,
    )
    # From here on nobody moves them; what happened meanwhile is seen below.
    people = _locked(session, batch, tools=tools)
    results = [
        replace(result, outcome=Outcome.LOST)
        if result.outcome is Outcome.STORED and result.email_hash not in people
        else result
        for result in _judged(session, batch, now=now)
    ]
    stored = [
        (claim, people[result.email_hash])
        for claim, result in zip(batch.claims, results, strict=True)
        if result.outcome is Outcome.STORED
    ]
    _keep_texts(session, [claim for claim, _ in stored], now=now)
    consents.record_all(
        session,
        [_decided(claim, who) for claim, who in stored],
        tools=tools,
        now=now,
    )
    # Who was made a moment ago, and erased or kept away at the same time.
    if idle := made - {who.id for _, who in stored}:
        session.connection().execute(_DROP, {"ids": list(idle)})
    return results


def _judged(session: Session, batch: Batch, *, now: datetime) -> Iterator[Result]:
    positions = _positions(session, batch, now=now)
    terms = campaigns.terms(session, batch.shop_id)
    for claim, hashed in batch.pairs():
        position = positions.get((hashed, claim.purpose), Position())
        outcome = judge(
            claim, position, today=now.date(), soft_months=terms.soft_months
        )
        yield Result(claim.line, outcome, hashed)


def _positions(
    session: Session, batch: Batch, *, now: datetime
) -> dict[tuple[bytes, str], Position]:
    """Return where the people of a batch stand, and who is kept away."""
    away = _kept_away(session, batch, now=now)
    told = {"shop": batch.shop_id, "hashes": list(set(batch.hashes))}
    stands: dict[tuple[bytes, str], StandsToday] = {}
    for row in session.connection().execute(_STANDINGS, told):
        stands[row.email_hash, row.purpose] = StandsToday(
            Act(row.act), row.method, row.at, row.context
        )
    noes = session.connection().execute(_LAST_NO, told)
    last_no = {row.email_hash: row.at for row in noes}
    return {
        (hashed, claim.purpose): Position(
            stands.get((hashed, claim.purpose)),
            last_no.get(hashed),
            away.get(hashed),
        )
        for claim, hashed in batch.pairs()
    }


def _kept_away(
    session: Session, batch: Batch, *, now: datetime
) -> dict[bytes, Outcome]:
    told = {"shop": batch.shop_id, "hashes": list(set(batch.hashes)), "moment": now}
    connection = session.connection()
    away = dict.fromkeys(
        connection.scalars(_RESTRICTED, told).all(), Outcome.RESTRICTED
    )
    for email_hash, reason in connection.execute(_SUPPRESSED, told):
        reasons = {Reason(reason).value, away.get(email_hash, "")}
        strongest = next(each for each in REASONS if each.value in reasons)
        away[email_hash] = Outcome(strongest.value)
    return away


def _locked(session: Session, batch: Batch, *, tools: Tools) -> dict[bytes, Person]:
    """Return the people of a batch, held until the end of the transaction.

    Without those who cannot be read. In the order of their hashes, so that two imports
    never wait for each other.
    """
    told = {"shop": batch.shop_id, "hashes": list(set(batch.hashes))}
    rows = session.connection().execute(_LOCK, told).all()
    people = {}
    for row in rows:
        who = contacts.of_row(
            row,
            contact_id=row.id,
            shop_id=batch.shop_id,
            until=None,
            vault=tools.vault,
        )
        if who.is_lost:
            envelopes.left_out(who.id)
            continue
        people[who.email_hash] = who
    return people


def _decided(claim: Claim, who: Person) -> Decided:
    question = Question(
        purpose=claim.purpose,
        channel=CHANNEL,
        text_hash=claim.text.sha256 if claim.text else b"",
        # Nobody was shown a form here.
        notice_hash=b"",
        form_hash=b"",
        locale=claim.locale,
        context=claim.context,
    )
    return Decided(who, question, claim.act, METHODS[claim.act], claim.facts)


def _keep_texts(session: Session, claims: Iterable[Claim], *, now: datetime) -> None:
    """Keep the exact copy of each wording once (PR-01)."""
    rows = {
        claim.text.sha256: {
            "sha256": claim.text.sha256,
            "kind": TEXT_KINDS.get(claim.act, "import"),
            "locale": claim.locale,
            "body": claim.text.body,
            "created_at": now,
        }
        for claim in claims
        if claim.text
    }
    if rows:
        insert = inserting(session.get_bind().dialect.name)(Text)
        session.execute(insert.on_conflict_do_nothing(), list(rows.values()))


_contact, _suppression = table(Contact), table(Suppression)
_event, _standing = table(ConsentEvent), table(Standing)
_question = table(ConsentQuestion)
_THEIRS = (
    _contact.c.shop_id == bindparam("shop"),
    _contact.c.email_hash.in_(bindparam("hashes", expanding=True)),
)
_STANDINGS = (
    select(
        _contact.c.email_hash,
        _standing.c.purpose,
        _standing.c.act,
        _event.c.method,
        _event.c.at,
        _question.c.context,
    )
    .join(_standing, _standing.c.contact_id == _contact.c.id)
    .join(_event, _event.c.id == _standing.c.event_id)
    .join(_question, _question.c.id == _event.c.question_id)
    .where(*_THEIRS)
)
# Among all facts, because what stands today hides a no that a yes came after.
_LAST_NO = (
    select(_contact.c.email_hash, func.max(_event.c.at).label("at"))
    .join(_event, _event.c.contact_id == _contact.c.id)
    .where(*_THEIRS, _event.c.act.in_(sorted(NOES)))
    .group_by(_contact.c.email_hash)
)
_RESTRICTED = select(_contact.c.email_hash).where(
    *_THEIRS, _contact.c.restricted_at.is_not(None)
)
# Also by `erased` and `moved`, which keep nobody from coming back by themselves.
_SUPPRESSED = select(_suppression.c.email_hash, _suppression.c.reason).where(
    _suppression.c.shop_id == bindparam("shop"),
    _suppression.c.email_hash.in_(bindparam("hashes", expanding=True)),
    _suppression.c.until.is_(None) | (_suppression.c.until > bindparam("moment")),
)
_LOCK = (
    select(
        _contact.c.id,
        _contact.c.email_hash,
        *envelopes.EMAIL,
    )
    .where(*_THEIRS)
    .order_by(_contact.c.email_hash)
    .with_for_update()
)
_DROP = delete(_contact).where(_contact.c.id.in_(bindparam("ids", expanding=True)))
