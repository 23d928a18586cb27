"""Rights of a person: object, restrict, be forgotten (GDPR 15-21; DS-01 to DS-03).

Each use of a right is a fact in the ledger as well, about everything a shop knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from server.domain.consent import EVERYTHING, Act
from server.models.attribute import Attribute
from server.models.audience import AudienceMember
from server.models.consent import ConsentEvent, Evidence
from server.models.contact import Contact, Suppression
from server.models.entry import Entry
from server.models.link import Link
from server.models.outbox import Outbox
from server.models.preference import Preference
from server.models.rights import AddressChange
from server.services import consents, contacts, withdrawals
from server.services.consents import Request
from server.services.contacts import Person, Reason
from server.services.tools import Tools

HASH_BYTES = 32
# What a fact names that follows no form.
NOTHING_SHOWN = b""


@dataclass(frozen=True, slots=True)
class Use:
    """How somebody used a right: in which language, by which way, and what is known.

    The `facts` are kept in sealed evidence alone (PR-10).
    """

    locale: str
    method: str
    facts: Mapping[str, Any]


def note(
    session: Session,
    who: Person,
    act: Act,
    *,
    use: Use,
    tools: Tools,
    now: datetime,
) -> None:
    """Append the fact that a right was used."""
    consents.record(
        session,
        who,
        Request(
            optin_id=None,
            notice_hash=NOTHING_SHOWN,
            form_hash=NOTHING_SHOWN,
            locale=use.locale,
            channel="link",
            context={},
        ),
        act,
        {EVERYTHING: NOTHING_SHOWN},
        method=use.method,
        facts=use.facts,
        tools=tools,
        now=now,
    )


def object_to_marketing(
    session: Session,
    who: Person,
    *,
    use: Use,
    tools: Tools,
    now: datetime,
) -> list[str]:
    """End all that stands and never ask again; return what ended (GDPR 21(3); DS-02).

    Prizes and what the law asks for go on being mailed (WD-06).
    """
    known = contacts.lock_known(session, who)
    if known is None:
        return []
    who = known
    ended = withdrawals.end_all(
        session, who, facts=use.facts, method=use.method, tools=tools, now=now
    )
    # Under each address: an old list, or an older backup, may know another (T30).
    for each in contacts.known_as(session, who):
        contacts.suppress(session, each, reason=Reason.NEVER, until=None, now=now)
    note(
        session,
        who,
        Act.OBJECTED,
        use=use,
        tools=tools,
        now=now,
    )
    return ended


def end_objection(
    session: Session,
    who: Person,
    *,
    use: Use,
    tools: Tools,
    now: datetime,
) -> bool:
    """Let somebody be asked again, at their own wish; False if they could be already.

    It says yes to nothing.
    """
    known = contacts.lock_known(session, who)
    # A mailbox that was given up in this moment ends nothing any more.
    if known is None or known.email_hash != who.email_hash:
        return False
    # Also at an address that they had when they refused, since it moved along.
    ended = [
        contacts.readmit(session, each, reason=Reason.NEVER)
        for each in contacts.known_as(session, who)
    ]
    if not any(ended):
        return False
    note(
        session,
        who,
        Act.OBJECTION_ENDED,
        use=use,
        tools=tools,
        now=now,
    )
    return True


def restrict(
    session: Session,
    who: Person,
    *,
    is_restricted: bool,
    use: Use,
    tools: Tools,
    now: datetime,
) -> bool:
    """Keep a person's data without using it, or use it again (GDPR 18).

    Nothing they said yes to ends, and no export or campaign mail names them meanwhile.
    False if it was so already.
    """
    known = contacts.lock_known(session, who)
    if known is None:
        return False
    who = known
    contact = session.get_one(Contact, who.id, populate_existing=True)
    if (contact.restricted_at is not None) is is_restricted:
        return False
    contact.restricted_at = now if is_restricted else None
    session.flush()
    note(
        session,
        who,
        Act.RESTRICTED if is_restricted else Act.RESTRICTION_ENDED,
        use=use,
        tools=tools,
        now=now,
    )
    return True


def erase(
    session: Session,
    who: Person,
    *,
    use: Use,
    tools: Tools,
    now: datetime,
    is_wished: bool = True,
) -> bool:
    """Forget a person; False if they were forgotten already (GDPR 17; DS-03).

    Their key is destroyed, so no copy of their evidence can be read any more; the
    ledger goes on, since it never knew who they were. Where they wished it, or took
    back a yes while they were known, a keyed hash of the address keeps imports from
    bringing them back (T30). Whom the clock lets go of else leaves none: anybody can
    type the address of a stranger (DS-04).
    """
    who = contacts.lock(session, who)
    contact = session.get_one(Contact, who.id, populate_existing=True)
    if contact.erased_at is not None:
        return False
    # Before their requests, as a worker that marks a mail as sent takes the two.
    _drop_mails(session, who, now=now)
    stays_away = is_wished or _took_back(session, who)
    withdrawals.end_all(session, who, facts={}, method=use.method, tools=tools, now=now)
    note(
        session,
        who,
        Act.ERASED,
        use=use,
        tools=tools,
        now=now,
    )
    for known in contacts.known_as(session, who) if stays_away else ():
        contacts.suppress(session, known, reason=Reason.ERASED, until=None, now=now)
    _forget(session, who)
    contact.sealed_email = b""
    contact.email_hash = tools.random(HASH_BYTES)
    contact.sealed_key = b""
    contact.restricted_at = None
    contact.erased_at = now
    session.flush()
    return True


def _took_back(session: Session, who: Person) -> bool:
    """Return whether somebody ever took back a yes, which goes by their mailbox.

    Or stopped all mails where there was none.
    """
    withdrawn = select(ConsentEvent.id).where(
        ConsentEvent.contact_id == who.id,
        ConsentEvent.act.in_((Act.WITHDRAWN, Act.REFUSED)),
    )
    return session.scalar(withdrawn.limit(1)) is not None


def _drop_mails(session: Session, who: Person, *, now: datetime) -> None:
    """Send somebody nothing more, and forget what was to be sent."""
    session.execute(
        update(Outbox)
        .where(Outbox.contact_id == who.id, Outbox.state.in_(("waiting", "leased")))
        .values(state="dropped", settled_at=now, claim=None, leased_until=None)
    )
    # Also of dead letters, which keep what they say as they may be tried again.
    session.execute(
        update(Outbox).where(Outbox.contact_id == who.id).values(sealed=None)
    )


def _forget(session: Session, who: Person) -> None:
    """Remove what is about somebody and is no proof that the shop has to keep."""
    mine = Link.contact_id == who.id
    session.execute(delete(AddressChange).where(AddressChange.contact_id == who.id))
    session.execute(delete(Link).where(mine))
    # What a platform was not told of yet stays until it is, and goes then (AD-04).
    session.execute(
        delete(AudienceMember).where(
            AudienceMember.contact_id == who.id, AudienceMember.removed_at.is_not(None)
        )
    )
    for kept in (Attribute, Preference, Evidence):
        session.execute(delete(kept).where(kept.contact_id == who.id))
    # What was drawn stays, for whoever checks the draw; what was told goes.
    session.execute(
        update(Entry)
        .where(Entry.contact_id == who.id)
        .values(
            sealed_answers=None, sealed_source=None, play_print=b"", claim_print=b""
        )
    )


def erased_subject(
    session: Session, shop_id: int, email: str, *, tools: Tools
) -> bytes | None:
    """Return by what the ledger knew who wished to be erased, by the address they had.

    So a shop that is asked about an address after its erasure can show the facts.
    """
    return session.scalar(
        select(Suppression.subject_ref).where(
            Suppression.shop_id == shop_id,
            Suppression.email_hash == contacts.hash_email(tools.vault, shop_id, email),
            Suppression.reason == Reason.ERASED.value,
        )
    )
