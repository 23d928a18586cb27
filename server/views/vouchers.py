"""How a voucher stands, in the words of staff and of the winner."""

from datetime import datetime

from flask_babel import format_date, format_datetime, get_locale, gettext

from server.domain.voucher import State, Verdict, last_day
from server.services.members import ACTOR
from server.services.vouchers import Held, Redemption
from server.views.money import euros


def _(text: str, **values: str) -> str:
    return str(gettext(text, **values))


def label(held: Held) -> str:
    """Return what was won, in the page's language or the campaign's first."""
    texts = held.prize.texts
    spoken = str(get_locale())
    return next((t.label for k, t in texts.items() if k == spoken), _first(held))


def worth(held: Held) -> str:
    """Return how much money it is; empty where it is none."""
    return euros(held.cents)


def claim(held: Held) -> str:
    """Return how the prize is used, in the page's language or the campaign's first."""
    spoken = str(get_locale())
    texts = held.prize.texts
    found = next((t for k, t in texts.items() if k == spoken), None)
    return (found or next(iter(texts.values()))).claim


def _first(held: Held) -> str:
    return next(iter(held.prize.texts.values())).label


def until(held: Held) -> str:
    """Return the last day on which it works; empty where it has none."""
    if held.valid_until is None:
        return ""
    return str(format_date(last_day(held.valid_until), "d MMMM y"))


def when(at: datetime | None) -> str:
    """Return a moment as people say it."""
    return str(format_datetime(at, "d MMMM y, HH:mm")) if at else ""


def where(done: Redemption) -> str:
    """Return what a try to redeem came to, for whoever stands at the till (PZ-04)."""
    held = done.held
    if held is None:
        return _("This code is not known here. Check each character and try again.")
    match done.verdict:
        case Verdict.REDEEMED:
            return _redeemed(held)
        case Verdict.ALREADY:
            return _already(held)
        case Verdict.LAPSED:
            return _("This code worked until %(day)s and is over.", day=until(held))
        case Verdict.REVOKED:
            return _("This code was taken back and gives nothing any more.")
        case Verdict.OTHER_ORDER:
            return _(
                "This code pays back one order, up to %(sum)s. Ask for its number and"
                " give it with the code: it is not the one given here.",
                sum=worth(held),
            )
        case Verdict.SHARED:
            return _(
                "Everybody who wins %(prize)s has this same code. It works at the "
                "shop's own checkout and is not redeemed one by one.",
                prize=label(held),
            )
    return _("This code is not known here. Check each character and try again.")


def _redeemed(held: Held) -> str:
    """Return what staff does now: each kind of prize is handed over in its own way."""
    match held.prize.kind:
        case "credit":
            return _("Redeemed: %(prize)s. Take %(sum)s off.", **_sum(held))
        case "refund":
            return _("Redeemed: %(prize)s. Pay back %(sum)s.", **_sum(held))
        case "service":
            return _("Redeemed: %(prize)s. Do it now or set a day.", prize=label(held))
        case "benefit":
            return _("Redeemed: %(prize)s. Grant it.", prize=label(held))
    return _("Redeemed: %(prize)s. Hand it over.", prize=label(held))


def _sum(held: Held) -> dict[str, str]:
    return {"prize": label(held), "sum": worth(held)}


def _already(held: Held) -> str:
    at = _first_time(held)
    return _("Already redeemed on %(at)s. Do not hand it over again.", at=at)


def _first_time(held: Held) -> str:
    """Return when it was redeemed and, where that is known, at which place."""
    place = f" ({held.place})" if held.place else ""
    return f"{when(held.redeemed_at)}{place}"


def _time_for_winner(held: Held) -> str:
    """Return the same without the name of whoever redeemed it in the office."""
    if (held.redeemed_by or "").startswith(ACTOR):
        return when(held.redeemed_at)
    return _first_time(held)


def staff_words(held: Held) -> str:
    """Return how a voucher stands, for staff who looked it up."""
    if held.is_shared:
        return where(Redemption(Verdict.SHARED, held))
    match held.state:
        case State.REDEEMED:
            return _already(held)
        case State.LAPSED:
            return where(Redemption(Verdict.LAPSED, held))
        case State.REVOKED:
            return where(Redemption(Verdict.REVOKED, held))
    if held.valid_until:
        return _(
            "Not used yet: %(prize)s. Good until and including %(day)s.",
            prize=label(held),
            day=until(held),
        )
    return _("Not used yet: %(prize)s.", prize=label(held))


def winner_words(held: Held, shop: str) -> tuple[str, str]:
    """Return title and advice for the winner, as the voucher stands (PZ-07)."""
    match held.state:
        case State.REDEEMED:
            advice = _("It was on %(at)s.", at=_time_for_winner(held))
            return _("This prize has been used"), advice
        case State.LAPSED:
            advice = _("The code worked until and including %(day)s.", day=until(held))
            return _("The time for this prize is over"), advice
        case State.REVOKED:
            advice = _("Ask %(shop)s why; they can tell you more.", shop=shop)
            return _("This prize was taken back"), advice
    if held.valid_until:
        advice = _("Use it until and including %(day)s.", day=until(held))
    else:
        advice = _("It does not expire.")
    return _("Your prize is waiting for you"), advice
