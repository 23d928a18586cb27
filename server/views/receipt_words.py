"""What a receipt says to the person whose it is, in plain words."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from server.domain.consent import Act
from server.domain.receipt import Consent, Event, Record

ACTS: dict[str, Any] = {
    Act.REQUESTED: _l("You ticked the box, and we mailed you a button"),
    Act.GIVEN: _l("You said yes"),
    Act.WITHDRAWN: _l("You took it back"),
    Act.DECLINED: _l("You said that it was not you"),
    Act.SUPERSEDED: _l("You asked for something else"),
    Act.EXPIRED: _l("You did not press the button, so nothing was agreed to"),
    Act.LAPSED: _l("Your yes grew too old and ended"),
    Act.UNPROVEN: _l("We were told that you had said yes, without proof"),
}


def stands(consent: Consent, local: Callable[[datetime], str]) -> str:
    """Return how somebody decided on a purpose, and when; `local` says a moment."""
    since = local(consent.since)
    match Act(consent.stands):
        case Act.GIVEN:
            return str(_("You said yes, on %(moment)s.", moment=since))
        case Act.WITHDRAWN:
            return str(_("No: you took it back on %(moment)s.", moment=since))
        case Act.LAPSED:
            return str(_("No: your yes grew too old, on %(moment)s.", moment=since))
    return str(_("We have no proof of a yes, so we do not mail you about this."))


def happened(record: Record) -> list[tuple[Event, str, str]]:
    """Return each event with what it was, and what it was about, in order."""
    titles = {consent.purpose: consent.title for consent in record.consents}
    return [
        (event, str(ACTS[Act(event.act)]), titles.get(event.purpose, event.purpose))
        for event in record.events
    ]


def authority_line(record: Record) -> str:
    """Return where somebody can complain, if we know it."""
    if record.authority is None:
        return ""
    return str(_("You can complain to: %(authority)s.", authority=record.authority))
