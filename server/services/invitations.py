"""Invite the people of a waiting list, each once, when early access starts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from server.domain.campaign import Campaign as CampaignFile
from server.domain.consent import Act, request_text
from server.domain.invitation import EarlyAccess
from server.domain.seals import Own, SealError
from server.domain.shop import ShopFile
from server.models.base import table
from server.models.campaign import Campaign
from server.models.consent import ConsentEvent, Standing
from server.models.contact import Contact
from server.models.entry import Entry
from server.models.optin import OptIn
from server.models.shop import Shop
from server.services import consents, contacts, envelopes, links, outbox
from server.services.campaigns import Directory
from server.services.links import Found
from server.services.outbox import Mail
from server.services.tools import Tools

MOST = 200
LETTER = "early"


@dataclass(frozen=True, slots=True)
class Call:
    """Some entries of one campaign whose people are to be invited now."""

    campaign: CampaignFile
    early: EarlyAccess
    shop_id: int
    until: datetime
    entry_ids: Sequence[int]


def waiting(
    session: Session, *, directory: Directory, now: datetime, most: int = MOST
) -> list[Call]:
    """Return who is to be invited now: confirmed, and neither invited nor stopped."""
    calls = []
    for row in session.execute(_DUE, {"moment": now}).all():
        campaign = directory.campaign(session, row.id, row.version)
        early = campaign.early_access
        if early is None:
            continue
        shop = directory.shop(session, row.shop_id, row.shop_version)
        ids = session.scalars(
            _WAITING,
            {
                "campaign": row.id,
                "purpose": early.purpose,
                "wordings": _wordings(campaign, shop, early.purpose),
                "moment": now,
                "most": most,
            },
        ).all()
        if ids:
            calls.append(Call(campaign, early, row.shop_id, row.invites_until, ids))
    return calls


def invite(
    session: Session, calls: Iterable[Call], *, tools: Tools, now: datetime
) -> int:
    """Queue the letters, and return how many.

    The statement that marks an entry decides who is written to, and its commit holds
    the letter too: no crash and no second worker leads to another one. Who cannot be
    read counts as invited, or they would be at the head of each batch to come.
    """
    mails: list[Mail] = []
    for call in calls:
        marked = session.execute(_MARK, {"ids": call.entry_ids, "moment": now}).all()
        ids = [entry.contact_id for entry in marked]
        people = {row.id: row for row in session.execute(_EMAILS, {"ids": ids})}
        for entry in sorted(marked):
            person = people[entry.contact_id]
            try:
                mails.append(_mail(session, call, entry, person, tools=tools, now=now))
            except SealError:
                envelopes.left_out(person.id)
    outbox.put_mails(session, mails, tools=tools, now=now)
    return len(mails)


def is_wanted(session: Session, found: Found, purpose: str) -> bool:
    """Return whether somebody still wants their letter, just before it goes."""
    is_restricted = session.scalar(_IS_RESTRICTED, {"contact": found.who.id})
    return not is_restricted and purpose in consents.active(session, found.who.id)


_IS_RESTRICTED = select(Contact.restricted_at.is_not(None)).where(
    Contact.id == bindparam("contact")
)


_DUE = (
    select(
        Campaign.id,
        Campaign.version,
        Campaign.shop_id,
        Campaign.invites_until,
        Shop.version.label("shop_version"),
    )
    .join(Shop, Shop.id == Campaign.shop_id)
    .where(
        # A list that takes nobody any more still owes its letters; a paused one waits.
        Campaign.state.in_(("published", "closed")),
        Campaign.invites_at <= bindparam("moment"),
        Campaign.invites_until > bindparam("moment"),
    )
    .order_by(Campaign.id)
)

# Everybody's first entry stands for them, so two entries are one letter.
_FIRST = (
    select(func.min(Entry.id))
    .where(Entry.campaign_id == bindparam("campaign"), Entry.state == "claimed")
    .group_by(Entry.contact_id)
    .having(func.max(Entry.invited_at).is_(None))
)
_asked_in = aliased(Entry)
_WAITING = (
    select(Entry.id)
    .join(Contact, Contact.id == Entry.contact_id)
    .join(Standing, Standing.contact_id == Contact.id)
    .join(ConsentEvent, ConsentEvent.id == Standing.event_id)
    .join(OptIn, OptIn.id == ConsentEvent.optin_id)
    .join(_asked_in, _asked_in.id == OptIn.entry_id)
    .where(
        Entry.id.in_(_FIRST),
        Standing.purpose == bindparam("purpose"),
        Standing.act == Act.GIVEN.value,
        # Their data is kept and not used (GDPR 18).
        Contact.restricted_at.is_(None),
        # A yes to the words of another promotion is not a yes to these (PR-07).
        or_(
            _asked_in.campaign_id == bindparam("campaign"),
            Standing.text_hash.in_(bindparam("wordings", expanding=True)),
        ),
        func.coalesce(contacts.suppressed_until().element, bindparam("moment"))
        <= bindparam("moment"),
    )
    .order_by(Entry.id)
    .limit(bindparam("most"))
)
_entry = table(Entry)
_MARK = (
    update(_entry)
    .where(
        _entry.c.id.in_(bindparam("ids", expanding=True)), _entry.c.invited_at.is_(None)
    )
    .values(invited_at=bindparam("moment"))
    .returning(_entry.c.id, _entry.c.contact_id, _entry.c.locale, *envelopes.ANSWERS)
)
_EMAILS = select(Contact.id, *envelopes.EMAIL).where(
    Contact.id.in_(bindparam("ids", expanding=True))
)


def _wordings(campaign: CampaignFile, shop: ShopFile, purpose: str) -> list[bytes]:
    return [
        request_text(asked, text, shop.legal).sha256
        for asked in campaign.purposes
        if asked.key == purpose
        for text in asked.texts.values()
    ]


def _mail(
    session: Session,
    call: Call,
    entry: Any,
    person: Any,
    *,
    tools: Tools,
    now: datetime,
) -> Mail:
    """Return the letter as today's version of the campaign says it.

    Raises `SealError`.
    """
    holder = Own(envelopes.key_of(person, vault=tools.vault))
    email = envelopes.email_of(person, vault=tools.vault)
    first_name = envelopes.answers_of(entry, holder).get("first_name", "")
    ref = links.make(
        session,
        contact_id=entry.contact_id,
        entry_id=entry.id,
        optin_id=None,
        tools=tools,
        now=now,
    )
    text = call.early.texts[call.campaign.language(entry.locale)]
    return Mail(
        letter=LETTER,
        shop_id=call.shop_id,
        contact_id=entry.contact_id,
        optin_id=None,
        params={
            "to": email,
            "link": ref.as_payload(),
            "first_name": first_name,
            "purpose": call.early.purpose,
            "subject": text.subject,
            "text": text.text,
            "button": text.button,
            "code": call.early.code,
            "goes_to": call.early.page,
            "until": call.until.isoformat(),
        },
    )
