"""The path of an entry: one function from a checked form to rows and queued mails.

One commit holds the entry, its consents, the stock and the mails, or nothing. The
ticket is the idempotency key: the same ticket with the same data gives the same
outcome, with other data it is refused (SAFETY.md section 1).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Dialect, not_, select, update
from sqlalchemy.orm import Session

from server.domain import address, quiz
from server.domain.campaign import Prize, worth
from server.domain.entry import Step, Submission
from server.domain.limits import Kind
from server.domain.optin import Answer, Pending
from server.domain.seals import Column, Own, SealError
from server.models.base import inserting, table
from server.models.entry import Entry
from server.models.link import Link
from server.models.optin import OptIn
from server.services import (
    attributes,
    boxcodes,
    claims,
    contacts,
    draws,
    envelopes,
    links,
    lost_keys,
    mailboxes,
    optins,
    outbox,
    prize_letters,
    turns,
    typed,
    unclaimed,
)
from server.services.batch import Batch, Writer, next_ids
from server.services.campaigns import Live
from server.services.consents import Circumstances
from server.services.contacts import Person
from server.services.outbox import Mail
from server.services.spelled import Spelled
from server.services.texts import Shown
from server.services.tools import Tools
from server.services.unclaimed import RESERVED_FOR

# What somebody gets who won nothing at once and takes part in a raffle.
TICKET_LETTER = "ticket"


class TicketUsedError(Exception):
    """This ticket has already made its play; `recalls` tells what came of it."""


@dataclass(frozen=True, slots=True)
class Attempted:
    """What the view brings: the form, its ticket and what surrounds them."""

    live: Live
    submission: Submission
    step: Step
    ticket: bytes
    locale: str
    shown: Shown
    by: Circumstances
    # False while a limit on clients or campaigns keeps us from asking anybody.
    may_ask: bool
    # The tablet it came from; empty everywhere but at a till.
    device: str = ""
    # The box code that it is played with; empty everywhere but behind one.
    box: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """With what a visitor finds their own play in the public record (PZ-08)."""

    ticket: str
    # The number that the browser brought, in hex; empty without script.
    seed: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the visitor is told. It is the same whatever we know of the address."""

    prize: Prize
    # What is handed over: the same, or what its winner picked.
    given: Prize
    is_win: bool
    code: str | None
    mailbox: str | None
    asks_confirmation: bool
    receipt: Receipt
    # The key of what a quiz led to.
    led_to: str | None = None
    # How many cents of an order are paid back.
    cents: int | None = None
    # Until when a play is kept for who does not say at once who they are.
    claim_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """An entry that was made or claimed: what was won, and what a quiz led to."""

    entry_id: int
    awarded: str
    outcome: str | None
    browser_seed: bytes
    epoch: int
    played_at: datetime
    # How many cents of an order are paid back.
    cents: int | None = None
    # What the winner of a choice has picked.
    picked: str | None = None
    # The keys of a link and a request that may follow, so that all go together.
    link_id: int = 0
    optin_id: int = 0

    @property
    def given(self) -> str:
        """Return the key of what is handed over."""
        return self.picked or self.awarded


@dataclass(frozen=True, slots=True)
class _Run:
    """One walk along the path: what came in, the tools, and one moment for all."""

    session: Session
    attempted: Attempted
    tools: Tools
    now: datetime

    @property
    def live(self) -> Live:
        return self.attempted.live

    @property
    def submission(self) -> Submission:
        return self.attempted.submission


def submit(
    session: Session, attempted: Attempted, *, tools: Tools, now: datetime
) -> Outcome:
    """Play, claim, or both, and queue what has to be mailed.

    Raises `TicketUsedError`, `turns.EnoughError`, `claims.UnclaimedError` and
    `boxcodes.SpentError`; then the caller's transaction must not be committed.
    """
    run = _Run(session, attempted, tools, now)
    if attempted.step is Step.PLAY:
        return outcome_of(attempted, _play(run, None), None)
    who = _recognise(run)
    _take_turn(run)
    make = _claim if attempted.step is Step.CLAIM else _play
    made, batch = _settle(run, make(run, who)), Batch(session.connection())
    code = draws.award(
        session,
        attempted.live,
        made.given,
        entry_id=made.entry_id,
        now=now,
        random=tools.random,
        into=batch,
    )
    _write_to(run, who, made, code, into=batch)
    return outcome_of(attempted, made, code)


def outcome_of(attempted: Attempted, made: Made, code: str | None) -> Outcome:
    """Return what a visitor is told of an entry."""
    prize = attempted.live.campaign.prize(made.awarded)
    email = attempted.submission.address
    return Outcome(
        prize=prize,
        given=attempted.live.campaign.prize(made.given),
        is_win=prize.kind != "none",
        code=code,
        mailbox=address.masked(email) if email else None,
        asks_confirmation=bool(attempted.submission.consents),
        receipt=Receipt(attempted.ticket.hex(), made.browser_seed.hex(), made.epoch),
        led_to=made.outcome,
        cents=made.cents,
        claim_until=made.played_at + RESERVED_FOR,
    )


def _settle(run: _Run, made: Made) -> Made:
    """Return what was won with what its winner adds. Raises `UnclaimedError`."""
    added = claims.settle(
        run.session,
        run.live,
        run.submission,
        awarded=made.awarded,
        entry_id=made.entry_id,
        vault=run.tools.vault,
        now=run.now,
    )
    return replace(made, picked=added.picked, cents=added.cents)


def _recognise(run: _Run) -> Person:
    shop_id, email = run.live.shop_id, run.submission.address or ""

    def recognise() -> Person:
        return contacts.recognise(
            run.session,
            shop_id=shop_id,
            email=email,
            locale=run.attempted.locale,
            vault=run.tools.vault,
            now=run.now,
            random=run.tools.random,
        )

    try:
        return recognise()
    except SealError:
        lost_keys.begin_anew(
            run.session, shop_id=shop_id, email=email, tools=run.tools, now=run.now
        )
        return recognise()


def _play(run: _Run, who: Person | None) -> Made:
    submission = run.submission
    led_to = _decide(run)
    drawn = draws.draw_prize(
        run.session,
        run.live,
        ticket=run.attempted.ticket,
        seed=submission.seed,
        now=run.now,
        led_to=led_to,
    )
    sheet, seed = quiz.as_answers(submission.sheet), bytes.fromhex(submission.seed)
    connection = run.session.connection()
    told = {
        "ticket": run.attempted.ticket,
        "campaign_id": run.live.campaign_id,
        "version": run.live.version,
        "placement_id": run.live.placement_id,
        "locale": run.attempted.locale,
        "browser_seed": seed,
        "epoch": drawn.epoch,
        "drawn": drawn.slot,
        "awarded": drawn.awarded,
        "unit": drawn.unit,
        "outcome": led_to.key if led_to else None,
        "sealed_source": _sealed(
            run, who, Column.SOURCE, submission.kept_source(run.live.campaign)
        ),
        "device": run.attempted.device or None,
        "play_print": submission.play_print(run.tools.vault.print_key),
        "played_at": run.now,
        **_UNCLAIMED,
        **(
            _claim_values(run, who, sheet)
            if who
            else {"sealed_answers": _sealed(run, None, Column.ANSWERS, sheet)}
        ),
    }
    insert = _insert_entry(connection.dialect, tuple(told))
    row = insert.run(connection, told).one_or_none()
    if row is None:
        raise TicketUsedError
    entry_id = row.id
    if run.live.placement.channel == boxcodes.CHANNEL:
        boxcodes.consume(
            run.session,
            run.attempted.box,
            placement_id=run.live.placement_id,
            entry_id=entry_id,
            now=run.now,
        )
    draws.hold(run.session, drawn, entry_id=entry_id)
    outcome = led_to.key if led_to else None
    ahead = {"link_id": row.link_id, "optin_id": row.optin_id}
    return Made(entry_id, drawn.awarded, outcome, seed, drawn.epoch, run.now, **ahead)


def _decide(run: _Run) -> quiz.Outcome | None:
    asked = run.live.campaign.quiz
    return quiz.decide(asked, run.submission.sheet) if asked else None


@cache
def _insert_entry(dialect: Dialect, names: tuple[str, ...]) -> Spelled:
    entry = table(Entry)
    insert = inserting(dialect.name)(entry)
    play = insert.on_conflict_do_nothing(index_elements=["ticket"]).returning(
        entry.c.id, *next_ids(dialect.name, *_FOLLOW)
    )
    return Spelled(play, dialect, names)


# What may follow an entry; a key that is not used is lost.
_FOLLOW = (Link, OptIn)
_UNCLAIMED: dict[str, Any] = {
    "state": "played",
    **dict.fromkeys(("contact_id", "claim_print", "claimed_at")),
}


def _claim_values(run: _Run, who: Person, sheet: Mapping[str, str]) -> dict[str, Any]:
    """What a quiz was answered with stays with a name only under a yes for it."""
    submission, campaign = run.submission, run.live.campaign
    return {
        "state": "claimed",
        "contact_id": who.id,
        "claim_print": submission.claim_print(run.tools.vault.print_key),
        "sealed_answers": _sealed(
            run,
            who,
            Column.ANSWERS,
            submission.kept_answers(campaign) | submission.kept_sheet(campaign, sheet),
        ),
        "claimed_at": run.now,
    }


def _sealed(
    run: _Run, who: Person | None, column: Column, told: Mapping[str, str]
) -> bytes | None:
    """Seal what an entry tells, under the key of its person as soon as it has one."""
    return envelopes.seal_told(
        Own(who.key) if who else run.tools.vault,
        told,
        column=column,
        ticket=run.attempted.ticket,
        random=run.tools.random,
    )


def _claim(run: _Run, who: Person) -> Made:
    played = (
        Entry.ticket == run.attempted.ticket,
        Entry.campaign_id == run.live.campaign_id,
        unclaimed.is_awaited(now=run.now),
    )
    sheet: dict[str, str] = {}
    told: dict[str, bytes | None] = {}
    # From now on it is a person's. Most games were told nothing, and need no look.
    if run.live.campaign.quiz or run.live.campaign.hidden:
        found = run.session.execute(_TOLD.where(*played)).one_or_none()
        if found is not None:
            sheet = envelopes.answers_of(found, run.tools.vault)
            source = envelopes.source_of(found, run.tools.vault)
            told = {"sealed_source": _sealed(run, who, Column.SOURCE, source)}
    row = run.session.execute(
        update(Entry)
        .where(*played)
        .values(**_claim_values(run, who, sheet), **told)
        .returning(
            Entry.id.label("entry_id"),
            *(Entry.awarded, Entry.outcome, Entry.browser_seed, Entry.epoch),
            Entry.played_at,
            *next_ids(run.session.get_bind().dialect.name, *_FOLLOW),
        )
    ).one_or_none()
    if row is None:
        raise TicketUsedError
    return Made(**row._mapping)


_TOLD = select(*envelopes.ANSWERS, Entry.sealed_source)


def _take_turn(run: _Run) -> None:
    try:
        turns.take(
            run.session,
            run.live,
            run.submission.address or "",
            vault=run.tools.vault,
            now=run.now,
        )
    except turns.EnoughError:
        # Who sends their last entry once more is told again what came of it.
        settled = select(Entry.id).where(
            Entry.ticket == run.attempted.ticket,
            not_(unclaimed.is_awaited(now=run.now)),
        )
        if run.session.scalar(settled):
            raise TicketUsedError from None
        raise


def _write_to(
    run: _Run, who: Person, made: Made, code: str | None, *, into: Batch
) -> None:
    """Record what was asked and queue the mails, as far as the mailbox allows."""
    purposes = run.attempted.shown.purposes
    asked = {key: purposes[key].sha256 for key in sorted(run.submission.consents)}
    answer, pending = optins.answer_for(
        run.session,
        who,
        {key: digest.hex() for key, digest in asked.items()},
        now=run.now,
    )
    if answer is Answer.NOTHING_NEW and who.may_be_asked(run.now):
        attributes.add(
            run.session,
            who,
            made.entry_id,
            run.live.campaign,
            given=asked,
            random=run.tools.random,
            now=run.now,
        )
    joined = run.live.campaign.joined_by(made.awarded)
    prize_mail = [Kind.PRIZE] if code is not None or joined else []
    reply = REPLIES.get(answer)
    may_reply = run.attempted.may_ask and who.may_be_asked(run.now)
    wanted = [*prize_mail, *([reply] if reply and may_reply else [])]
    allowed = mailboxes.allowed_mails(
        run.session,
        who,
        wanted,
        vault=run.tools.vault,
        now=run.now,
        may_wait=True,
        into=into,
    )

    def send(made: Made, turns: Mapping[Kind, datetime]) -> None:
        optin_id = None
        if Kind.CONFIRM in turns:
            optin_id = _ask(run, who, made, asked, answer, pending, into=into)
        if turns:
            _queue(run, who, made, turns, optin_id, code, into=into)
        into.send()

    send(made, allowed)
    if reply and reply not in allowed:
        # The same work, taken back: time must not tell who is not written to (AB-03).
        pretence = run.session.connection().begin_nested()
        # Below zero there is no other row that these keys could meet.
        again = replace(made, link_id=-made.entry_id, optin_id=-made.entry_id)
        send(again, {reply: run.now})
        pretence.rollback()
    run.tools.copies.keep(run.session, run.attempted.shown, now=run.now)


# The mail with which a request for consents is answered, if the mailbox may have it.
REPLIES = {
    Answer.ASK: Kind.CONFIRM,
    Answer.ASK_ANEW: Kind.CONFIRM,
    Answer.REPEAT: Kind.CONFIRM,
    Answer.NOTHING_NEW: Kind.MANAGE,
}


def _ask(
    run: _Run,
    who: Person,
    made: Made,
    asked: dict[str, bytes],
    answer: Answer,
    pending: Pending | None,
    *,
    into: Writer,
) -> int:
    """Return the request that the confirmation mail is about, opening it if need be."""
    if answer is Answer.REPEAT and pending is not None:
        return pending.id
    if answer is Answer.ASK_ANEW and pending is not None:
        optins.supersede(run.session, who, pending.id, tools=run.tools, now=run.now)
    by, live, shown = run.attempted.by, run.live, run.attempted.shown
    return optins.request(
        run.session,
        who,
        asked,
        entry_id=made.entry_id,
        notice_hash=shown.notice.sha256,
        form_hash=shown.form.sha256,
        locale=run.attempted.locale,
        channel="email",
        context={
            "campaign": live.campaign.code,
            "version": live.version,
            "placement": live.placement.code,
            "place": live.placement.channel,
            "device": run.attempted.device or None,
        },
        facts={
            "controller": live.shop.legal.name,
            "email": who.email,
            "ip": by.ip,
            "user_agent": by.user_agent,
            "page": by.page,
            "yes": sorted(asked),
            "no": sorted(set(shown.purposes) - set(asked)),
        },
        now=run.now,
        tools=run.tools,
        optin_id=made.optin_id,
        into=into,
    )


def _queue(
    run: _Run,
    who: Person,
    made: Made,
    turns: Mapping[Kind, datetime],
    optin_id: int | None,
    code: str | None,
    *,
    into: Writer,
) -> None:
    """Queue the allowed mails. They share a link row; the salts keep them apart."""
    ref = links.put(
        into,
        made.link_id,
        contact_id=who.id,
        entry_id=made.entry_id,
        optin_id=optin_id,
        now=run.now,
        tools=run.tools,
    )
    won = run.live.campaign.prize(made.given)
    params = {
        "to": who.email,
        "link": ref.as_payload(),
        "first_name": run.submission.answers.get("first_name", ""),
        "prize": made.given,
        "code": code,
        "until": prize_letters.told_until(won, run.now),
        "cents": worth(won, made.cents),
        "page": run.attempted.by.page,
        "play": run.attempted.ticket.hex(),
        "digits": typed.told(
            run.live.campaign,
            optin_id,
            run.attempted.ticket,
            vault=run.tools.vault,
        ),
        "draws": prize_letters.told_draws(
            run.live.campaign,
            made.awarded,
            closes_at=run.live.closes_at,
            after=run.now,
        ),
    }
    letters = {Kind.PRIZE: prize_letters.LETTER if code is not None else TICKET_LETTER}
    outbox.put_mails(
        run.session,
        [
            Mail(
                letter=letters.get(kind, kind.name.lower()),
                shop_id=run.live.shop_id,
                contact_id=who.id,
                optin_id=optin_id if kind is Kind.CONFIRM else None,
                params=params,
                due_at=turns[kind],
            )
            for kind in sorted(turns)
        ],
        tools=run.tools,
        now=run.now,
        into=into,
    )
