"""What came of an entry that was made before: the ticket is its key.

Who sends the same once more is told the same (SAFETY.md section 1).
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.entry import Step
from server.models.entry import Entry
from server.models.prize import Prize as PrizeRow
from server.models.purchase import Purchase
from server.models.voucher import Voucher
from server.services import unclaimed
from server.services.campaigns import Live
from server.services.entries import Attempted, Made, Outcome, Receipt, outcome_of
from server.services.unclaimed import RESERVED_FOR


class OtherDataError(Exception):
    """This ticket has already been used with other data."""


class LapsedError(Exception):
    """The prize was not claimed in time and went back into the game."""


def recall(
    session: Session, attempted: Attempted, *, print_key: bytes, now: datetime
) -> Outcome:
    """Return what a used ticket led to, if the data is the same.

    Raises `OtherDataError` and `LapsedError`.
    """
    row = session.execute(
        select(Entry, Voucher.code, PrizeRow.key, Purchase.amount_cents)
        .outerjoin(Voucher, Voucher.entry_id == Entry.id)
        .outerjoin(PrizeRow, PrizeRow.id == Voucher.prize_id)
        .outerjoin(Purchase, Purchase.entry_id == Entry.id)
        .where(Entry.ticket == attempted.ticket)
    ).one_or_none()
    if row is None or row[0].campaign_id != attempted.live.campaign_id:
        raise OtherDataError
    entry, code, key, cents = row
    _check_same(entry, attempted, print_key, now=now)
    is_claim = attempted.step is not Step.PLAY
    made = Made(
        entry_id=entry.id,
        awarded=entry.awarded,
        outcome=entry.outcome,
        browser_seed=entry.browser_seed,
        epoch=entry.epoch,
        played_at=entry.played_at,
        cents=cents,
        picked=key,
    )
    return outcome_of(attempted, made, code if is_claim else None)


def played(
    session: Session, live: Live, ticket: bytes, *, now: datetime
) -> Outcome | None:
    """Return what a play of this campaign awaits that can be claimed, or None."""
    row = session.execute(
        select(
            Entry.awarded,
            Entry.outcome,
            Entry.browser_seed,
            Entry.epoch,
            Entry.played_at,
        ).where(
            Entry.ticket == ticket,
            Entry.campaign_id == live.campaign_id,
            unclaimed.is_awaited(now=now),
        )
    ).one_or_none()
    if row is None:
        return None
    prize = live.campaign.prize(row.awarded)
    return Outcome(
        prize,
        prize,
        prize.kind != "none",
        None,
        None,
        asks_confirmation=False,
        receipt=Receipt(ticket.hex(), row.browser_seed.hex(), row.epoch),
        led_to=row.outcome,
        claim_until=row.played_at + RESERVED_FOR,
    )


def _check_same(
    entry: Entry, attempted: Attempted, print_key: bytes, *, now: datetime
) -> None:
    submission, step = attempted.submission, attempted.step
    if step is not Step.CLAIM and entry.play_print != submission.play_print(print_key):
        raise OtherDataError
    if step is Step.PLAY:
        return
    is_late = entry.state == "played" and unclaimed.is_over(entry.played_at, now=now)
    if is_late or entry.state == "lapsed":
        raise LapsedError
    if entry.claim_print != submission.claim_print(print_key):
        raise OtherDataError
