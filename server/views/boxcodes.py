"""The code in the box: it opens the game on a phone, and a play uses it up (PZ-11)."""

from flask import Blueprint, Response, abort, make_response, request

from server import clock
from server.db import reading, transaction
from server.domain import boxcodes as rules
from server.domain.boxcodes import Given, State
from server.domain.codes import CodeError
from server.domain.entry import TICKET_LIFE, Ticket
from server.domain.links import BadTokenError, ExpiredTokenError, Salt
from server.services import boxcodes
from server.views import boxpages, client, guards, visits, widget
from server.views.house import limiter, signer, tools

bp = Blueprint("boxcodes", __name__, url_prefix="/b")


@bp.get("/")
@guards.anyone
def door() -> Response:
    """Ask for the characters that stand beside the QR code."""
    return boxpages.door()


@bp.post("/")
@guards.anyone
def typed() -> Response:
    """Open the game of a code that was typed; its address never holds the code."""
    return _open(request.form.get("code", ""), wrong=422)


@bp.get("/<code>")
@guards.anyone
def scanned(code: str) -> Response:
    """Open the game of a code that was scanned; nothing is written (PZ-11)."""
    return _open(code, wrong=404)


@bp.post("/opened")
@guards.anyone
def opened() -> Response:
    """Note that a person's browser shows the page of a code; it says so itself."""
    now = clock.now()
    try:
        payload = signer().read(
            Salt.TICKET, request.form.get("ticket", ""), now=now, lasts=TICKET_LIFE
        )
        reference = Ticket.from_payload(payload).box
    except (BadTokenError, ExpiredTokenError):
        reference = ""
    if reference:
        with transaction() as session:
            boxcodes.opened(session, reference, now=now)
    return make_response("", 204)


def _open(text: str, *, wrong: int) -> Response:
    may_guess = limiter().may_guess(network=client.network())
    try:
        given = rules.read(text)
    except CodeError:
        given = None
    # Nobody guesses the 128 bits of a QR code, so a neighbour who mistypes theirs, or
    # tries, keeps nobody from the box that they hold in their hands.
    if not may_guess and (given is None or given.form == "typed"):
        return boxpages.too_many(text)
    if given is None:
        return _refused(text, boxpages.slip(text), status=wrong)
    found = _find(given)
    if found is None and not may_guess:
        return boxpages.too_many(text)
    if found is None:
        return _refused(text, boxpages.unknown(), status=wrong)
    live = visits.find(found.placement)
    if live is None:
        abort(404)
    now = clock.now()
    if rules.state(found.kept, now=now) is State.FRESH:
        return widget.game(live, "", box=found.reference)
    visits.speak(live, request.args.get("lang"))
    if found.unclaimed and (
        waiting := widget.unclaimed(live, found.unclaimed, box=found.reference)
    ):
        return waiting
    return boxpages.spent(live, found.kept, now=now)


def _find(given: Given) -> boxcodes.Found | None:
    with reading() as session:
        return boxcodes.find(session, given, vault=tools().vault)


def _refused(text: str, problem: str, *, status: int) -> Response:
    limiter().wrong_code(network=client.network())
    return boxpages.door(typed=text, problem=problem, status=status)
