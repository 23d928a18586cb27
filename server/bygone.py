"""A raffle of the demo that is over: published, entered, closed and drawn in the past.

All of it is done by what does it for everybody, at moments that are given; so its
record is one that both verifiers check, and its winners can claim (PZ-08).
"""

import os
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.db import Database
from server.domain import entry
from server.domain.consent import worded
from server.domain.entry import Step
from server.domain.parts import Locale
from server.models.campaign import Campaign
from server.models.entry import Entry
from server.raffling import Raffling
from server.services import entries, raffle_records
from server.services.campaigns import Directory
from server.services.consents import Circumstances
from server.services.entries import Attempted
from server.services.texts import Shown
from server.services.tools import Tools

CODE, PAGE = "spring-raffle", "spring-raffle-page"
# Open for seven days, and drawn a day after that.
PUBLISHED_AGO = timedelta(days=9)
BETWEEN = timedelta(hours=15)
# The last of them is the first one once more, in another spelling.
PEOPLE = ("anna", "bram", "chris", "daan", "eva", "fleur", "gijs", "hanna", "anna+2")
LOCALE: Locale = "nl"


def let_in(
    session: Session, *, directory: Directory, tools: Tools, now: datetime
) -> None:
    """Let people take part at moments before now; nothing where somebody has."""
    live = directory.find(session, PAGE, now=now)
    is_entered = select(Entry.id).join(Campaign).where(Campaign.code == CODE).limit(1)
    if live is None or session.scalar(is_entered) is not None:
        return
    # They said yes to nothing, so no text is kept of what they were asked.
    shown = Shown(LOCALE, worded(""), worded(""), {})
    for number, name in enumerate(PEOPLE, 1):
        form = {"email": f"{name}@lente.example", "terms": "yes", "adult": "yes"}
        attempted = Attempted(
            live=live,
            submission=entry.read(form, live.campaign, LOCALE),
            step=Step.BOTH,
            ticket=os.urandom(entry.TICKET_BYTES),
            locale=LOCALE,
            shown=shown,
            by=Circumstances(ip="", user_agent=""),
            may_ask=True,
        )
        at = live.opens_at + number * BETWEEN
        entries.submit(session, attempted, tools=tools, now=at)


def draw(
    database: Database, *, directory: Directory, tools: Tools, now: datetime
) -> None:
    """Close the list and draw, as the worker would have; nothing where it has."""
    with database.reading() as session:
        found = raffle_records.of_campaign(session, CODE)
    if any(record.promise.at > now or record.drawn for record in found):
        return
    raffling = Raffling(database, directory, tools)
    for record in found:
        while raffling.go_round(now=record.promise.at):
            pass
