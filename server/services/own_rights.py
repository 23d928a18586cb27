"""What a person does about their own data with the press of a button (DS-01, DS-02).

Each is done at once, is a fact in the ledger, and a request that is settled.
"""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from server.domain.consent import Act
from server.domain.rights import Outcome, Right
from server.services import contacts, optins, portable, privacy, profile, rights
from server.services.consents import Circumstances
from server.services.contacts import Reason
from server.services.links import Found
from server.services.privacy import Use
from server.services.profile import Kept
from server.services.tools import Tools

METHOD = "pref_centre"


def refuse(
    session: Session, found: Found, *, by: Circumstances, tools: Tools, now: datetime
) -> bool:
    """Never be written to again but for what must be; False if it was so already."""
    who = contacts.lock_known(session, found.who)
    if who is None or contacts.is_suppressed(session, who, reason=Reason.NEVER):
        return False
    privacy.object_to_marketing(session, who, use=_use(found, by), tools=tools, now=now)
    _used(session, found, Right.OBJECT, tools=tools, now=now)
    return True


def allow(
    session: Session, found: Found, *, by: Circumstances, tools: Tools, now: datetime
) -> bool:
    """End a refusal. It says yes to nothing; False if there was none."""
    return privacy.end_objection(
        session, found.who, use=_use(found, by), tools=tools, now=now
    )


def hold(
    session: Session,
    found: Found,
    *,
    is_held: bool,
    by: Circumstances,
    tools: Tools,
    now: datetime,
) -> bool:
    """Let data be kept and not used, or be used again; False if it was so already."""
    changed = privacy.restrict(
        session,
        found.who,
        is_restricted=is_held,
        use=_use(found, by),
        tools=tools,
        now=now,
    )
    if changed and is_held:
        _used(session, found, Right.RESTRICT, tools=tools, now=now)
    return changed


def take_along(
    session: Session, found: Found, *, by: Circumstances, tools: Tools, now: datetime
) -> dict[str, Any]:
    """Return all that the shop has of somebody, and note that they had it."""
    who = contacts.lock_known(session, found.who)
    # A mailbox that was given up in this moment opens nothing any more.
    if who is None or who.email_hash != found.who.email_hash:
        return {}
    data = portable.export(session, who, tools=tools, now=now)
    privacy.note(session, who, Act.ACCESSED, use=_use(found, by), tools=tools, now=now)
    _used(session, found, Right.ACCESS, tools=tools, now=now)
    return data


def correct(
    session: Session,
    found: Found,
    shown: Kept,
    value: str | None,
    *,
    by: Circumstances,
    tools: Tools,
    now: datetime,
) -> bool:
    """Let what is kept say another thing, or be kept no more with None (GDPR 16).

    False if it is not what was shown any more, or its purpose has no yes. It says yes
    to nothing, and the answers of an entry stay as they were told then. The fact names
    what was corrected, and not what it said before or says now.
    """
    who = contacts.lock_known(session, found.who)
    # A mailbox that was given up in this moment changes nothing any more.
    if who is None or who.email_hash != found.who.email_hash:
        return False
    if value is None:
        done = profile.remove(session, who, shown)
    else:
        done = profile.change(session, who, shown, value, random=tools.random, now=now)
    if done:
        told = {"removed" if value is None else "corrected": shown.key}
        use = Use(found.locale, METHOD, optins.press(found, by) | told)
        privacy.note(session, who, Act.CORRECTED, use=use, tools=tools, now=now)
        rights.used(
            session,
            who,
            Right.RECTIFY,
            outcome=Outcome.CORRECTED,
            random=tools.random,
            now=now,
        )
    return done


def erase(
    session: Session, found: Found, *, by: Circumstances, tools: Tools, now: datetime
) -> bool:
    """Forget somebody; False if they were forgotten already."""
    erased = privacy.erase(
        session, found.who, use=_use(found, by), tools=tools, now=now
    )
    if erased:
        _used(session, found, Right.ERASE, tools=tools, now=now)
    return erased


def _use(found: Found, by: Circumstances) -> Use:
    return Use(found.locale, METHOD, optins.press(found, by))


def _used(
    session: Session, found: Found, right: Right, *, tools: Tools, now: datetime
) -> None:
    rights.used(session, found.who, right, random=tools.random, now=now)
