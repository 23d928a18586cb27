"""A campaign's raffles: how they stand, who was drawn, and what a person decides."""

from flask import Response, abort, make_response, redirect, render_template, request
from flask import url_for as to
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from server import clock
from server.db import reading, transaction
from server.domain.answers import plain
from server.domain.voucher import LONGEST_NOTE
from server.services import members, raffle_records, raffles
from server.services.office import campaigns as campaign_pages
from server.services.office import raffles as pages
from server.views import guards
from server.views.guards import Here
from server.views.house import directory, tools
from server.views.office.blueprint import bp

LONGEST_LABEL = 40


@bp.get("/<shop>/campaigns/<code>/raffles", endpoint="raffles")
@guards.member("viewer")
def page(here: Here, code: str) -> Response:
    """Show every raffle of a campaign: list, draw, winners and balance."""
    return _page(here, code)


@bp.post("/<shop>/campaigns/<code>/raffles/exclude")
@guards.member("owner")
def exclude_from_raffle(here: Here, code: str) -> AnyResponse:
    """Leave an entry out before the list is made, with the reason."""
    key, label, why = _told("raffle"), _told("label"), _told("why")
    if not label or not why:
        return _page(here, code, problem=_("Give the number and the reason."))
    problem = ""
    with transaction() as session:
        _check(session, here, code)
        found = raffles.find(session, code, key) or abort(404)
        try:
            raffles.exclude(
                session,
                found,
                label,
                why=why,
                by=f"{members.ACTOR}{here.who.member_id}",
                directory=directory(),
                now=clock.now(),
            )
        except raffles.UnknownLabelError:
            problem = _("Nobody takes part with this number.")
        except raffles.ClosedError:
            problem = _("The list is closed: nobody can be left out any more.")
        else:
            here.note(session, "raffle.exclude", label, now=clock.now())
    if problem:
        return _page(here, code, problem=problem)
    return redirect(to("office.raffles", shop=here.shop.code, code=code), 303)


@bp.post("/<shop>/campaigns/<code>/raffles/contacted")
@guards.member("owner")
def note_contact(here: Here, code: str) -> AnyResponse:
    """Keep that somebody tried to reach a winner (PZ-13)."""
    key, label, said = _told("raffle"), _told("label"), _told("note")
    if not label or not said:
        return _page(here, code, problem=_("Say how you tried, and what came of it."))
    with transaction() as session:
        _check(session, here, code)
        found = raffles.find(session, code, key) or abort(404)
        is_kept = pages.note_contact(
            session,
            found,
            label,
            said=said,
            by=f"{members.ACTOR}{here.who.member_id}",
            directory=directory(),
            vault=tools().vault,
            now=clock.now(),
        )
        if not is_kept:
            abort(404)
        here.note(session, "raffle.contacted", label, now=clock.now())
    return redirect(to("office.raffles", shop=here.shop.code, code=code), 303)


def _told(name: str) -> str:
    most = LONGEST_LABEL if name in {"raffle", "label"} else LONGEST_NOTE
    return plain(request.form.get(name, ""))[:most]


def _check(session: Session, here: Here, code: str) -> None:
    """End with 404 where the campaign is not of this shop."""
    if campaign_pages.find_id(session, here.shop.shop_id, code) is None:
        abort(404)


def _page(here: Here, code: str, *, problem: str = "") -> Response:
    now = clock.now()
    with reading() as session:
        detail = campaign_pages.find(
            session, here.shop.shop_id, code, now=now
        ) or abort(404)
        told = [
            pages.told(session, record, directory=directory(), vault=tools().vault)
            for record in raffle_records.of_campaign(session, code)
        ]
        names = members.names(session, [by for one in told for by in one.people])
    return make_response(
        render_template(
            "office/campaigns/raffles.html",
            line=detail.line,
            raffles=told,
            names=names,
            problem=problem,
        ),
        422 if problem else 200,
    )
