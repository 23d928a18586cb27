"""What people asked of their data: the list with its clock, and carrying it out.

Nobody can be confirmed for: a new address is for its owner to confirm (DO-15).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain import address
from server.domain.rights import Outcome, Right
from server.domain.seals import Vault
from server.models.consent import ConsentEvent
from server.models.contact import Contact
from server.models.member import Member
from server.models.rights import RightsRequest
from server.services import audits, consents, contacts, envelopes, privacy, rights
from server.services.privacy import Use
from server.services.tools import Tools

SETTLED_AT_MOST = 50
METHOD = "office"


@dataclass(frozen=True, slots=True)
class Line:
    """One request, and whose it is. `email` is empty once they were erased."""

    public_id: str
    kind: Right
    opened_at: datetime
    due_at: datetime
    settled_at: datetime | None
    outcome: str | None
    # Who wrote it down; None where the person asked by themselves.
    by: str | None
    contact: str
    email: str
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """The open requests, those due first on top, and the newest of the settled."""

    waiting: list[Line]
    settled: list[Line]


@dataclass(frozen=True, slots=True)
class Erased:
    """What is left of somebody who was erased: facts that say not who it was."""

    at: datetime
    facts: Sequence[ConsentEvent]


@dataclass(frozen=True, slots=True)
class Written:
    """What came of writing a request down: it, or what is left of who was erased."""

    request: RightsRequest | None
    erased: Erased | None = None


def page(session: Session, shop_id: int, *, vault: Vault) -> Page:
    """Return what was asked of a shop."""
    of_shop = _LINES.where(RightsRequest.shop_id == shop_id)
    waiting = of_shop.where(RightsRequest.settled_at.is_(None)).order_by(
        RightsRequest.due_at, RightsRequest.id
    )
    settled = (
        of_shop.where(RightsRequest.settled_at.is_not(None))
        .order_by(RightsRequest.settled_at.desc(), RightsRequest.id.desc())
        .limit(SETTLED_AT_MOST)
    )
    return Page(
        _lines(session, waiting, vault=vault), _lines(session, settled, vault=vault)
    )


_LINES = (
    select(RightsRequest, Contact, Member.name)
    .join(Contact, Contact.id == RightsRequest.contact_id)
    .outerjoin(Member, Member.id == RightsRequest.member_id)
)


def _lines(session: Session, wanted: Any, *, vault: Vault) -> list[Line]:
    rows: Iterable[Any] = session.execute(wanted)
    return [
        Line(
            public_id=request.public_id,
            kind=Right(request.kind),
            opened_at=request.opened_at,
            due_at=request.due_at,
            settled_at=request.settled_at,
            outcome=request.outcome,
            by=by,
            contact=contact.public_id,
            email=envelopes.shown_email(contact, vault=vault),
            erased_at=contact.erased_at,
        )
        for request, contact, by in rows
    ]


def write_down(
    session: Session,
    shop_id: int,
    email: str,
    kind: Right,
    *,
    member_id: int,
    came_at: datetime,
    tools: Tools,
    now: datetime,
) -> Written:
    """Open a request that came by post, by phone or by mail. Raises `AddressError`.

    Its month began when it came (GDPR 12(3)). Without a request in what is returned,
    the shop knows nobody with this address, or no longer.
    """
    email = address.parse(email)
    has_address = contacts.has_address(shop_id, email, vault=tools.vault)
    contact = session.scalar(select(Contact).where(has_address))
    if contact is None:
        return Written(None, _erased(session, shop_id, email, tools=tools))
    request = rights.open(
        session,
        contact.id,
        shop_id=shop_id,
        kind=kind,
        member_id=member_id,
        random=tools.random,
        now=came_at,
    )
    _audit(session, request, f"rights.{kind}.open", member_id=member_id, now=now)
    return Written(request)


def _erased(
    session: Session, shop_id: int, email: str, *, tools: Tools
) -> Erased | None:
    subject = privacy.erased_subject(session, shop_id, email, tools=tools)
    facts = consents.history(session, subject) if subject else []
    return Erased(facts[-1].at, facts) if facts else None


def carry_out(
    session: Session,
    shop_id: int,
    public_id: str,
    *,
    member_id: int,
    tools: Tools,
    now: datetime,
) -> Outcome | None:
    """Erase, restrict or object for who asked it; None if there is nothing to do.

    A request for access or of a new address is settled with a note instead.
    """
    request = find(session, shop_id, public_id)
    if request is None or Right(request.kind) not in _DOES:
        return None
    session.execute(_LOCK.where(Contact.id == request.contact_id))
    session.refresh(request)
    if request.settled_at is not None:
        return None
    outcome = _do(session, request, member_id=member_id, tools=tools, now=now)
    rights.settle(session, request, outcome=outcome, now=now)
    _audit(session, request, f"rights.{request.kind}", member_id=member_id, now=now)
    return outcome


_LOCK = select(Contact.id).with_for_update()
_DOES = {
    Right.ERASE: Outcome.ERASED,
    Right.RESTRICT: Outcome.RESTRICTED,
    Right.OBJECT: Outcome.OBJECTED,
}


def _do(
    session: Session,
    request: RightsRequest,
    *,
    member_id: int,
    tools: Tools,
    now: datetime,
) -> Outcome:
    contact = session.get_one(Contact, request.contact_id, populate_existing=True)
    if contact.erased_at is not None:
        # Whatever they asked, it is done: there is nothing of them any more.
        return Outcome.ERASED
    who = contacts.whoever(session, contact.id, vault=tools.vault)
    use = Use(contact.locale, METHOD, {"member": member_id})
    kind = Right(request.kind)
    if kind is Right.ERASE:
        privacy.erase(session, who, use=use, tools=tools, now=now)
    elif kind is Right.RESTRICT:
        privacy.restrict(
            session, who, is_restricted=True, use=use, tools=tools, now=now
        )
    else:
        privacy.object_to_marketing(session, who, use=use, tools=tools, now=now)
    return _DOES[kind]


def settle(
    session: Session,
    shop_id: int,
    public_id: str,
    *,
    note: str,
    member_id: int,
    now: datetime,
) -> bool:
    """Close a request with a note of what was done; False if there is none open."""
    request = find(session, shop_id, public_id)
    if request is None or request.settled_at is not None:
        return False
    rights.settle(session, request, outcome=note, now=now)
    _audit(session, request, f"rights.{request.kind}", member_id=member_id, now=now)
    return True


def end(
    session: Session,
    shop_id: int,
    contact_public_id: str,
    kind: Right,
    *,
    member_id: int,
    tools: Tools,
    now: datetime,
) -> bool | None:
    """End a restriction or an objection at the person's wish; False if there is none.

    It is a request of its own, settled at once, so that the list tells of it. None if
    the shop has no such person.
    """
    contact = contacts.find(session, shop_id, contact_public_id)
    if contact is None:
        return None
    if contact.erased_at is not None:
        return False
    who = contacts.whoever(session, contact.id, vault=tools.vault)
    use = Use(contact.locale, METHOD, {"member": member_id})
    if kind is Right.RESTRICT:
        outcome = Outcome.RESTRICTION_ENDED
        is_done = privacy.restrict(
            session, who, is_restricted=False, use=use, tools=tools, now=now
        )
    else:
        outcome = Outcome.OBJECTION_ENDED
        is_done = privacy.end_objection(session, who, use=use, tools=tools, now=now)
    if not is_done:
        return False
    request = rights.open(
        session,
        who.id,
        shop_id=shop_id,
        kind=kind,
        member_id=member_id,
        random=tools.random,
        now=now,
    )
    rights.settle(session, request, outcome=outcome, now=now)
    _audit(session, request, f"rights.{kind}.end", member_id=member_id, now=now)
    return True


def find(session: Session, shop_id: int, public_id: str) -> RightsRequest | None:
    """Return a request of this shop."""
    return session.scalar(
        select(RightsRequest).where(
            RightsRequest.shop_id == shop_id, RightsRequest.public_id == public_id
        )
    )


def _audit(
    session: Session,
    request: RightsRequest,
    act: str,
    *,
    member_id: int,
    now: datetime,
) -> None:
    audits.note(
        session,
        shop_id=request.shop_id,
        member_id=member_id,
        act=act,
        subject=request.public_id,
        now=now,
    )
