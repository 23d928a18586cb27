"""What a tablet shows: the attract screen, and a fresh game for every person."""

from flask import Response, abort, make_response, render_template, url_for

from server.services.campaigns import Live
from server.services.devices import Known
from server.views import guards, language, visits, widget
from server.views.headers import csp_nonce, framing_our_own
from server.views.house import faces
from server.views.till.door import bp

# Each language in its own words, for who does not read the other one.
NAMES = {"nl": "Nederlands", "en": "English"}


@bp.get("/<code>")
@guards.device
def kiosk(tablet: Known, code: str) -> Response:
    """Show the attract screen; the game itself stands in a frame of ours."""
    live = _of_this_shop(tablet, code)
    locales = live.campaign.languages
    if live.placement.language:
        locales = (live.placement.language,)
    locale = live.campaign.language(live.placement.language, language.wished())
    language.speak(locale)
    framing_our_own()
    games = {each: url_for("till.game", code=code, lang=each) for each in locales}
    context = faces().of(live, locale).context | {"csp_nonce": csp_nonce}
    page = render_template(
        "till/kiosk.html", **context, tablet=tablet, games=games, names=NAMES
    )
    return make_response(page)


@bp.get("/<code>/game")
@guards.device
def game(tablet: Known, code: str) -> Response:
    """Answer the game for one person, with a ticket bound to this tablet."""
    live = _of_this_shop(tablet, code)
    visits.framed_for(live)
    return widget.game(live, "", device=tablet.public_id)


def _of_this_shop(tablet: Known, code: str) -> Live:
    """Return the till's game of that code; another shop's is not there (G10)."""
    live = visits.find(code)
    if live is None or live.shop_id != tablet.shop_id:
        abort(404)
    if live.placement.channel != visits.TILL:
        abort(404)
    return live
