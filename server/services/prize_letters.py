"""The letter that brings a prize: when it arrived, and mailing it once more."""

from collections.abc import Iterable
from datetime import datetime
from typing import cast

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from server.domain import voucher as rules
from server.domain.campaign import Campaign as CampaignFile
from server.domain.campaign import Prize as PrizeFile
from server.domain.limits import Kind
from server.domain.seals import Own
from server.domain.voucher import State, Step
from server.models.base import table
from server.models.campaign import Campaign
from server.models.entry import Entry
from server.models.voucher import Voucher
from server.services import envelopes, links, mailboxes, outbox, vouchers
from server.services.links import Found
from server.services.outbox import Mail
from server.services.tools import Tools
from server.services.vouchers import Held

LETTER = "prize"


def told_until(prize: PrizeFile, awarded: datetime) -> str | None:
    """Return the last day of a voucher as a letter's parameter; None for no end."""
    until = rules.valid_until(awarded, days=prize.valid_days)
    return rules.last_day(until).isoformat() if until else None


def told_draws(
    file: CampaignFile, awarded: str, *, closes_at: datetime, after: datetime
) -> list[tuple[str, str]]:
    """Return the raffles still to come that an entry is in, as a letter's parameter."""
    joined = file.joined_by(awarded)
    draws = [(raffle.key, raffle.draws_at(closes_at)) for raffle in joined]
    return [(key, at.isoformat()) for key, at in draws if at > after]


def mark_mailed(session: Session, link_entry: int, *, now: datetime) -> None:
    """Note that the letter with an entry's code was accepted, the first time."""
    session.connection().execute(_MARK_MAILED, {"holder": link_entry, "moment": now})


_voucher = table(Voucher)
_MARK_MAILED = (
    update(_voucher)
    .where(_voucher.c.entry_id == bindparam("holder"), _voucher.c.mailed_at.is_(None))
    .values(mailed_at=bindparam("moment"))
)


def taken_back(session: Session, entry_ids: Iterable[int]) -> set[int]:
    """Return those of these entries whose prize was revoked: no letter is due (I6)."""
    found = session.scalars(
        select(Voucher.entry_id).where(
            Voucher.entry_id.in_(list(entry_ids)), Voucher.state == State.REVOKED
        )
    )
    return {cast("int", entry_id) for entry_id in found}


def mail_again(
    session: Session, found: Found, held: Held, *, tools: Tools, now: datetime
) -> bool:
    """Queue the letter once more; False if nothing is sent.

    The limits of a mailbox hold here too, and what is used or over is not mailed.
    """
    who = found.who
    if held.state is not State.AWARDED or not mailboxes.allowed_mails(
        session, who, [Kind.PRIZE], vault=tools.vault, now=now
    ):
        return False
    ref = links.make(
        session,
        contact_id=who.id,
        entry_id=found.entry_id,
        optin_id=None,
        tools=tools,
        now=now,
    )
    entry, closes_at = session.execute(
        select(Entry, Campaign.closes_at)
        .join(Campaign, Campaign.id == Entry.campaign_id)
        .where(Entry.id == found.entry_id)
    ).one()
    params = {
        "to": who.email,
        "link": ref.as_payload(),
        "first_name": envelopes.answers_of(entry, Own(who.key)).get("first_name", ""),
        "prize": held.prize.key,
        "code": held.code,
        "until": told_until(held.prize, held.awarded_at),
        "cents": held.cents,
        "page": "",
        "play": entry.ticket.hex(),
        "draws": told_draws(
            found.campaign, entry.awarded, closes_at=closes_at, after=now
        ),
    }
    outbox.put_mails(
        session,
        [Mail(LETTER, who.shop_id, who.id, None, params)],
        tools=tools,
        now=now,
    )
    vouchers.note_step(session, held.id, Step.MAILED_AGAIN, now=now)
    return True
