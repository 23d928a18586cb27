"""What somebody gets from a shop, and their own hand on it (WD-05 to WD-07).

A yes given here comes from a link that was mailed, so the mailbox is proved; it is a
fact with copies of what was shown, like a yes that was confirmed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from server.domain.campaign import Purpose, PurposeText
from server.domain.consent import (
    LASTING,
    Act,
    Told,
    Wording,
    request_text,
    told_in,
)
from server.domain.preference import Wishes, wished
from server.models.consent import ConsentEvent, Standing
from server.models.preference import Preference
from server.models.text import Text
from server.services import consents, contacts, optins, withdrawals
from server.services.campaigns import Directory, Live
from server.services.consents import Circumstances, Request
from server.services.contacts import Reason
from server.services.links import Found
from server.services.texts import Shown
from server.services.tools import Tools

METHOD = "pref_centre"
# What a form says of a purpose that is to stay as it is.
KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Offer:
    """A purpose that a running campaign asks a yes to, in somebody's language."""

    live: Live
    purpose: Purpose
    text: PurposeText
    wording: Wording


@dataclass(frozen=True, slots=True)
class Want:
    """One purpose as somebody's page shows it: what stands, and what a yes would be to.

    `body` is the exact wording that stands, else the offered one, in `locale`.
    """

    key: str
    act: Act | None
    since: datetime | None
    told: Told
    body: str
    locale: str
    offer: Offer | None
    wishes: Wishes

    @property
    def is_on(self) -> bool:
        """Return whether the shop may mail for it."""
        return self.act in {Act.GIVEN, Act.SOFT_OPT_IN}


@dataclass(frozen=True, slots=True)
class Choice:
    """What a form says of one purpose: `KEEP`, a wording's hash for yes, else no.

    `topics` and `rhythm` count where the form asked for them.
    """

    key: str
    said: str
    asked_how: bool = False
    topics: Sequence[str] = ()
    rhythm: str = ""


@dataclass(slots=True)
class Saved:
    """What changed: purposes switched on and off, those with other wishes.

    A yes to words that are not the ones of today, or despite a refusal, is not taken.
    """

    on: list[str] = field(default_factory=list)
    off: list[str] = field(default_factory=list)
    how: list[str] = field(default_factory=list)
    not_on: list[str] = field(default_factory=list)


def offers(
    session: Session, found: Found, *, directory: Directory, now: datetime
) -> dict[str, Offer]:
    """Return what the shop asks in a person's language today, by purpose.

    Of a purpose that several campaigns ask, the one they took part in has the word,
    then the newest.
    """
    lives = directory.running(session, found.who.shop_id, now=now)
    mine = found.played_in.code if found.played_in else None
    known: dict[str, Offer] = {}
    for live in sorted(lives, key=lambda live: live.campaign.code != mine):
        if found.locale not in live.campaign.languages:
            continue
        for purpose in live.campaign.asked_in(found.locale):
            text = purpose.texts[found.locale]
            wording = request_text(purpose, text, live.shop.legal)
            known.setdefault(purpose.key, Offer(live, purpose, text, wording))
    return known


def overview(
    session: Session, found: Found, offered: Mapping[str, Offer]
) -> list[Want]:
    """Return every purpose that a person knows or can say yes to, what is on first."""
    rows = session.connection().execute(_STANDS, {"contact_id": found.who.id})
    known = {row.purpose: row for row in rows}
    wants = [
        _want(key, known.get(key), offered.get(key), locale=found.locale)
        for key in dict.fromkeys((*known, *offered))
    ]
    return sorted(wants, key=lambda want: want.act not in LASTING)


_STANDS = (
    select(
        *(Standing.purpose, Standing.act, ConsentEvent.at, Text.body, Text.locale),
        *(Preference.topics, Preference.rhythm),
    )
    .join(ConsentEvent, ConsentEvent.id == Standing.event_id)
    .outerjoin(Text, Text.sha256 == Standing.text_hash)
    .outerjoin(
        Preference,
        (Preference.contact_id == Standing.contact_id)
        & (Preference.purpose == Standing.purpose),
    )
    .where(Standing.contact_id == bindparam("contact_id"))
    .order_by(ConsentEvent.id)
)


def _want(key: str, row: Any, offer: Offer | None, *, locale: str) -> Want:
    act = Act(row.act) if row else None
    body = row.body or "" if row else ""
    spoken = row.locale if body else locale
    if offer and act not in {Act.GIVEN, Act.SOFT_OPT_IN}:
        # What is off, or has no proof, would be a yes to the words of today.
        body, spoken = offer.wording.body, locale
    return Want(
        key=key,
        act=act,
        since=row.at if row else None,
        told=told_in(body or (offer.text.title if offer else key)),
        body=body,
        locale=spoken,
        offer=offer,
        wishes=_wishes(row) if row else Wishes(),
    )


def _wishes(row: Any) -> Wishes:
    return Wishes(tuple(row.topics) if row.topics else None, row.rhythm)


def save(
    session: Session,
    found: Found,
    choices: Collection[Choice],
    *,
    offered: Mapping[str, Offer],
    shown: Mapping[str, Shown],
    by: Circumstances,
    tools: Tools,
    now: datetime,
) -> Saved:
    """Let what a form says be so, at once; the same form again changes nothing.

    `shown` has, by the code of a campaign, the copies of what asks for its purposes.
    """
    saved = Saved()
    who = contacts.lock_known(session, found.who)
    if who is None:
        return saved
    stands = _standing(session, found)
    ending = [c.key for c in choices if not c.said and stands.get(c.key) in LASTING]
    if ending:
        saved.off = withdrawals.withdraw(
            session,
            who,
            ending,
            facts=optins.press(found, by),
            method=METHOD,
            tools=tools,
            now=now,
        )
    if who.email_hash != found.who.email_hash:
        # A mailbox that was given up in this moment still stops, and starts nothing.
        return saved
    asked = [
        choice
        for choice in choices
        if choice.said not in {"", KEEP} and stands.get(choice.key) is not Act.GIVEN
    ]
    if asked:
        _give(session, found, asked, saved, offered, shown, by, tools=tools, now=now)
    stands = _standing(session, found)
    for choice in choices:
        if choice.asked_how and stands.get(choice.key) is Act.GIVEN:
            _keep_wishes(session, found, choice, saved, offered, now=now)
    return saved


def _standing(session: Session, found: Found) -> dict[str, Act]:
    rows = session.execute(
        select(Standing.purpose, Standing.act).where(
            Standing.contact_id == found.who.id
        )
    )
    return {purpose: Act(act) for purpose, act in rows}


def _give(
    session: Session,
    found: Found,
    asked: Collection[Choice],
    saved: Saved,
    offered: Mapping[str, Offer],
    shown: Mapping[str, Shown],
    by: Circumstances,
    *,
    tools: Tools,
    now: datetime,
) -> None:
    """Record a yes for each, campaign by campaign, since each has its own notice."""
    is_refused = contacts.is_suppressed(session, found.who, reason=Reason.NEVER)
    groups: dict[str, list[Offer]] = {}
    for choice in asked:
        offer = offered.get(choice.key)
        if (
            is_refused
            or offer is None
            or offer.wording.sha256.hex() != choice.said
            or offer.live.campaign.code not in shown
        ):
            saved.not_on.append(choice.key)
            continue
        groups.setdefault(offer.live.campaign.code, []).append(offer)
    for code, chosen in groups.items():
        _record(session, found, chosen, shown[code], by, tools=tools, now=now)
        saved.on += [offer.purpose.key for offer in chosen]
    if groups:
        # Who says yes is the owner of the mailbox, whatever was said of it before.
        contacts.readmit(session, found.who, reason=Reason.NOT_ME)


def _record(
    session: Session,
    found: Found,
    chosen: Collection[Offer],
    shown: Shown,
    by: Circumstances,
    *,
    tools: Tools,
    now: datetime,
) -> None:
    """Append a yes with copies of text, notice and form (WD-07, PR-01)."""
    live = next(iter(chosen)).live
    consents.record(
        session,
        found.who,
        Request(
            optin_id=None,
            notice_hash=shown.notice.sha256,
            form_hash=shown.form.sha256,
            locale=found.locale,
            channel="email",
            context={
                "campaign": live.campaign.code,
                "version": live.version,
                "placement": None,
                "place": "link",
                "device": None,
            },
        ),
        Act.GIVEN,
        {offer.purpose.key: offer.wording.sha256 for offer in chosen},
        method=METHOD,
        facts=optins.press(found, by)
        | {"controller": live.shop.legal.name, "email": found.who.email},
        tools=tools,
        now=now,
    )
    tools.copies.keep(session, shown, now=now)


def _keep_wishes(
    session: Session,
    found: Found,
    choice: Choice,
    saved: Saved,
    offered: Mapping[str, Offer],
    *,
    now: datetime,
) -> None:
    offer = offered.get(choice.key)
    if offer is None:
        return
    wishes = wished(offer.purpose, choice.topics, choice.rhythm)
    row = session.get(Preference, (found.who.id, choice.key), populate_existing=True)
    before = Wishes(tuple(row.topics) if row and row.topics else None)
    before = Wishes(before.topics, row.rhythm if row else None)
    if wishes == before:
        return
    if row is None:
        row = Preference(contact_id=found.who.id, purpose=choice.key)
        session.add(row)
    row.topics = list(wishes.topics) if wishes.topics else None
    row.rhythm = wishes.rhythm
    row.at = now
    session.flush()
    saved.how.append(choice.key)
