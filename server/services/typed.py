"""Six digits from the mail, typed where the form was filled in (DO-13).

A scanner opens links and presses buttons; it does not carry digits back into the page
from which they were asked. They follow from the request and the ticket of that page, so
they are kept nowhere, and are worth nothing on another page.
"""

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from server.domain import optin as rules
from server.domain.campaign import Campaign
from server.domain.seals import Vault
from server.models.entry import Entry
from server.models.link import Link
from server.models.optin import OptIn
from server.services import links, optins, receipt_letters
from server.services.campaigns import Directory
from server.services.consents import Circumstances
from server.services.links import Found
from server.services.tools import Tools


class WrongDigitsError(Exception):
    """They are not those of the mail, or no mail went out, or it was too long ago."""


def told(
    campaign: Campaign, optin_id: int | None, ticket: bytes, *, vault: Vault
) -> str:
    """Return the digits for a confirmation mail; empty where none are asked for."""
    if optin_id is None or not campaign.confirm_by_digits:
        return ""
    return _digits(vault, optin_id, ticket)


def find(
    session: Session,
    ticket: bytes,
    typed: str,
    *,
    directory: Directory,
    vault: Vault,
    now: datetime,
) -> Found:
    """Return the request that these digits confirm. Raises `WrongDigitsError`.

    Whoever asked for nothing, is known already or may not be asked gets the very same
    refusal as who mistypes (AB-03).
    """
    since = now - rules.DIGITS_LIFE
    row = session.execute(_ASKED, {"ticket": ticket, "since": since}).first()
    wanted = _digits(vault, row.optin_id if row else 0, ticket)
    if row is None or not rules.is_typed(typed, wanted):
        raise WrongDigitsError
    found = links.found(session, row.id, directory=directory, vault=vault)
    if found.who.is_lost:
        # Nothing could prove what they would say yes to.
        raise WrongDigitsError
    return found


def confirm(
    session: Session,
    found: Found,
    *,
    by: Circumstances,
    tools: Tools,
    now: datetime,
) -> optins.Confirmation:
    """Turn what was asked into consents, once."""
    done = optins.confirm(
        session, found, by=by, method="mailbox-digits", tools=tools, now=now
    )
    if done.is_new:
        # Whose link was not pressed has none that we know; a receipt brings one.
        ref = links.make(
            session,
            contact_id=found.who.id,
            entry_id=found.played,
            optin_id=found.asked.id,
            tools=tools,
            now=now,
        )
        receipt_letters.put(session, found, ref, tools=tools, now=now)
    return done


def _digits(vault: Vault, optin_id: int, ticket: bytes) -> str:
    return rules.as_digits(vault.hashed("digits", optin_id, ticket.hex()))


_ASKED = (
    select(Link.id, Link.optin_id)
    .join(Entry, Entry.id == Link.entry_id)
    .join(OptIn, OptIn.id == Link.optin_id)
    .where(
        Entry.ticket == bindparam("ticket"),
        Entry.claimed_at > bindparam("since"),
        OptIn.state.in_([*rules.OPEN, rules.State.CONFIRMED]),
    )
    .order_by(Link.id.desc())
    .limit(1)
)
