"""The digits of a mail, typed where the game was played (DO-13)."""

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from server import clock
from server.db import reading, transaction
from server.domain.entry import Step, Submission
from server.domain.optin import State
from server.services import typed
from server.views import client, guards, visits
from server.views.house import directory, faces, limiter, tools
from server.views.visits import Visit

_WRONG = _l("Type the six digits of the newest mail, like 123 456.")

bp = Blueprint("digits", __name__)


@bp.post("/w/<code>/digits")
@guards.anyone
def confirm(code: str) -> Response:
    """Confirm what was asked from this page by the digits in its mail.

    Who is not written to gets the same answers as who mistypes (AB-03).
    """
    live = visits.live_at(code)
    ticket, trouble = visits.ticket_of(request.form.get("ticket", ""), code)
    face = faces().of(live, visits.speak(live, None, of=ticket))
    visit = Visit(live, face, Submission(), Step.CLAIM, ticket)
    if ticket is None:
        return _again(visit, trouble)
    digits = request.form.get("digits", "")
    if not digits.strip():
        # What was not typed is not wrong, and no try.
        return _again(visit, str(_WRONG), is_empty=True)
    if not limiter().may_type(ticket=ticket.id):
        fault = _("These were enough tries. Press the button in the mail instead.")
        return _again(visit, fault, status=429)
    now = clock.now()
    try:
        with reading() as session:
            found = typed.find(
                session,
                ticket.id,
                digits,
                directory=directory(),
                vault=tools().vault,
                now=now,
            )
    except typed.WrongDigitsError:
        return _again(visit, str(_WRONG))
    by = client.circumstances(live.shop, ticket.page)
    with transaction() as session:
        done = typed.confirm(session, found, by=by, tools=tools(), now=now)
    if done.state is not State.CONFIRMED:
        # It was over, or taken back, by now.
        return _again(visit, str(_WRONG))
    return visit.show("widget/_confirmed.html")


def _again(
    visit: Visit, fault: str | None, *, status: int = 422, is_empty: bool = False
) -> Response:
    """Ask once more for the digits of the mail."""
    return visit.show(
        "widget/_digits_again.html",
        status=status,
        digits_fault=fault,
        is_empty=is_empty,
    )
