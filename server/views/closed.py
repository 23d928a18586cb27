"""What is said where a campaign cannot be played now, from its real dates (CR-15)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import format_datetime, get_locale
from flask_babel import gettext as _

from server.services.campaigns import Live


@dataclass(frozen=True, slots=True)
class Closed:
    """Why not now, and what can be done about it."""

    status: int
    title: str
    advice: str
    # Its raffles, each as it is called and where it is told of.
    ways: Sequence[tuple[str, str]]


def why(live: Live, *, now: datetime) -> Closed | None:
    """Return why a campaign cannot be played, or None if it can."""
    if live.is_open(now):
        return None
    is_form = live.campaign.mechanic == "form"
    if live.state == "closed" or now >= live.closes_at:
        title = _("This form is closed") if is_form else _("This game is over")
        return Closed(410, title, _ended(live, now), _raffles(live))
    if live.state == "paused":
        title = _("This form is paused") if is_form else _("This game is paused")
        return Closed(403, title, _("Come back a little later."), _raffles(live))
    title = (
        _("This form is not open yet")
        if is_form
        else _("This game has not started yet")
    )
    advice = _("It opens on %(when)s.", when=_moment(live.opens_at))
    return Closed(403, title, advice, _raffles(live))


def _ended(live: Live, now: datetime) -> str:
    said = []
    if now >= live.closes_at:
        said.append(_("It closed on %(when)s.", when=_moment(live.closes_at)))
    if early := live.campaign.early_access:
        starts, _until = early.window(live.opens_at)
        if now < starts:
            told = _(
                "Who signed up and confirmed gets our mail on %(when)s.",
                when=_moment(starts),
            )
            said.append(told)
    if live.campaign.has_prizes:
        said.append(_("What you won and what you said yes to stays as it is."))
    else:
        said.append(_("What you said yes to stays as it is."))
    return " ".join(said)


def _raffles(live: Live) -> list[tuple[str, str]]:
    code, locale = live.campaign.code, get_locale()
    return [
        (
            _("The raffle of %(day)s", day=_moment(raffle.draws_at(live.closes_at))),
            url_for("raffles.page", campaign=code, key=raffle.key, lang=locale),
        )
        for raffle in live.campaign.raffles
    ]


def _moment(at: datetime) -> str:
    return str(format_datetime(at, "d MMMM y, HH:mm"))
