"""Mails that wait, made by the same services that visitors go through."""

import itertools
import os
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from server.db import Database
from server.models import Campaign, Entry, Outbox, Placement, Shop
from server.services import campaigns, contacts, links, optins, outbox
from server.services.outbox import Mail
from server.services.tools import Tools
from tests.factories import campaign_file, shop_file

PAGE = "http://localhost:8401/demo/"
WORDING = b"\x01" * 32
_tickets = itertools.count(1)


def publish(session: Session, *, tools: Tools, now: datetime, **shop: Any) -> None:
    """Make the demo shop and its first campaign."""
    campaigns.save_shop(session, shop_file(**shop), now=now)
    campaigns.save(
        session, campaign_file(), vault=tools.vault, now=now, random=os.urandom
    )
    session.flush()


def queue(
    session: Session,
    letter: str,
    *,
    to: str = "ada@home.test",
    first_name: str = "Ada",
    locale: str = "nl",
    tools: Tools,
    now: datetime,
) -> int | None:
    """Queue one letter to somebody who entered; return the opt-in it asks about."""
    shop = session.query(Shop).one()
    campaign = session.query(Campaign).one()
    placement = session.query(Placement).first()
    assert placement is not None
    who = contacts.recognise(
        session,
        shop_id=shop.id,
        email=to,
        locale=locale,
        vault=tools.vault,
        now=now,
        random=tools.random,
    )
    entry = Entry(
        ticket=next(_tickets).to_bytes(16, "big"),
        campaign_id=campaign.id,
        version=campaign.version,
        placement_id=placement.id,
        contact_id=who.id,
        state="claimed",
        locale=locale,
        browser_seed=b"",
        epoch=1,
        drawn="ten_percent",
        awarded="ten_percent",
        play_print=b"",
        played_at=now,
        claimed_at=now,
    )
    session.add(entry)
    session.flush()
    optin_id = None
    if letter == "confirm":
        optin_id = optins.request(
            session,
            who,
            {"newsletter": WORDING},
            entry_id=entry.id,
            notice_hash=WORDING,
            form_hash=WORDING,
            locale=locale,
            channel="email",
            context={"campaign": campaign.code, "page": PAGE},
            facts={},
            tools=tools,
            now=now,
        )
    ref = links.make(
        session,
        contact_id=who.id,
        entry_id=entry.id,
        optin_id=optin_id,
        tools=tools,
        now=now,
    )
    params = {
        "to": who.email,
        "link": ref.as_payload(),
        "first_name": first_name,
        "prize": "ten_percent",
        "code": "ZON10",
        "page": PAGE,
    }
    outbox.put_mails(
        session,
        [Mail(letter, shop.id, who.id, optin_id, params)],
        tools=tools,
        now=now,
    )
    return optin_id


def end_leases(database: Database) -> None:
    """Let the leases of a dead worker run out now.

    Tests wait for nothing, and a lease that ends within seconds would put off each
    mail that a slow machine needs more than half of it for.
    """
    with database.transaction() as session:
        leased = update(Outbox).where(Outbox.state == "leased")
        session.execute(leased.values(leased_until=Outbox.created_at))
