"""Where a winner of a raffle says that they want their prize (PZ-04, PZ-07).

Open to whoever holds the link in the letter; it asks for nothing and costs nothing.
A GET writes nothing, however often a mail program looks.
"""

from flask import Blueprint, Response, abort, make_response, redirect, url_for
from flask_babel import format_date, format_datetime
from flask_babel import gettext as _

from server import clock
from server.db import reading, transaction
from server.domain import voucher
from server.domain.links import Salt
from server.domain.raffle import Place, RaffleText
from server.services import raffle_places
from server.services.links import Found
from server.services.raffle_places import Win
from server.views import guards, links

bp = Blueprint("claim", __name__, url_prefix="/claim")


@bp.get("/<token>")
@guards.link
def page(token: str) -> Response:
    """Show what was won, until when it waits, and one button."""
    found, wins = _follow(token)
    if found is None or not wins:
        return links.unknown()
    return links.page(
        "links/claim.html",
        found,
        title=_title(wins),
        wins=[(win, _text(win, found), _said(win, found)) for win in wins],
        token=token,
    )


@bp.post("/<token>/<key>")
@guards.link
def claim(token: str, key: str) -> Response:
    """Keep that the winner wants it, once and in time; then show how it stands."""
    found, wins = _follow(token)
    win = next((win for win in wins if win.raffle == key), None)
    if found is None or not wins:
        return links.unknown()
    if win is None:
        abort(404)
    with transaction() as session:
        raffle_places.claim(session, win.place_id, now=clock.now())
    return links.unindexed(make_response(redirect(url_for(".page", token=token), 303)))


def _follow(token: str) -> tuple[Found | None, list[Win]]:
    """Return where a link leads and what was won there."""
    found = links.follow(Salt.CLAIM, token)
    if found is None:
        return None, []
    with reading() as session:
        wins = raffle_places.wins(
            session, found.entry_id, found.campaign, now=clock.now()
        )
    return found, wins


def _title(wins: list[Win]) -> str:
    if any(win.state is Place.OFFERED for win in wins):
        return str(_("You have won in the raffle"))
    if any(win.state is Place.CLAIMED for win in wins):
        return str(_("The prize is yours"))
    return str(_("This prize has gone to somebody else"))


def _text(win: Win, found: Found) -> RaffleText:
    texts = win.prize.texts
    return texts.get(found.locale) or next(iter(texts.values()))


def _said(win: Win, found: Found) -> str:
    """Say how a win stands, and what can be done."""
    day = format_date(voucher.last_day(win.claim_by), "d MMMM y")
    if win.state is Place.OFFERED:
        said = _(
            "Press the button on %(day)s at the latest. It costs you nothing and you "
            "need not say yes to anything else. After that day it goes to a reserve.",
            day=day,
        )
    elif win.state is Place.CLAIMED and win.claimed_at:
        said = _(
            "You said so on %(at)s. %(shop)s knows, and hands it over.",
            at=format_datetime(win.claimed_at, "d MMMM y, HH:mm"),
            shop=found.shop.name,
        )
    else:
        said = _(
            "It waited for you until %(day)s, and nobody pressed the button.", day=day
        )
    return str(said)
