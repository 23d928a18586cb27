"""What people asked of their data: write it down, carry it out, see what is due."""

import math
from datetime import UTC, date, datetime, time, timedelta

from flask import Response, abort, make_response, redirect, render_template, request
from flask import url_for as to
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from server import clock
from server.db import reading, transaction
from server.domain.address import AddressError
from server.domain.answers import plain
from server.domain.rights import LONGEST_AGO_DAYS, LONGEST_NOTE, SOON, Right
from server.services.office import campaigns as campaign_pages
from server.services.office import rights as pages
from server.services.office.rights import Erased, Line
from server.views import guards
from server.views.guards import Here
from server.views.house import tools
from server.views.office.blueprint import bp

DAY = timedelta(days=1)


@bp.get("/<shop>/rights", endpoint="rights")
@guards.member("owner")
def page(here: Here) -> Response:
    """Show what is open, with its clock, and what was settled."""
    return _page(here)


@bp.post("/<shop>/rights/write-down")
@guards.member("owner")
def write_down_right(here: Here) -> AnyResponse:
    """Write down what somebody asked by post, by phone or by mail."""
    now, email = clock.now(), request.form.get("email", "").strip()
    typed = {"email": email, "kind": request.form.get("kind", "")}
    kind, came_at = _kind(typed["kind"]), _came_at(now)
    if kind is None or came_at is None:
        said = (
            _("Choose what was asked.")
            if kind is None
            else _("Give the day it came: today, or up to two months ago.")
        )
        return _page(here, typed=typed, problem=said, status=422)
    try:
        with transaction() as session:
            written = pages.write_down(
                session,
                here.shop.shop_id,
                email,
                kind,
                member_id=here.who.member_id,
                came_at=came_at,
                tools=tools(),
                now=now,
            )
    except AddressError:
        said = _("This does not look like a mail address.")
        return _page(here, typed=typed, problem=said, status=422)
    if written.request is None:
        return _page(here, typed=typed, erased=written.erased, is_unknown=True)
    return _back(here)


@bp.post("/<shop>/rights/<right>/carry-out")
@guards.member("owner")
def carry_out_right(here: Here, right: str) -> AnyResponse:
    """Erase, restrict or object, and settle the request with it."""
    is_sure = request.form.get("sure") == "yes"
    with transaction() as session:
        found = pages.find(session, here.shop.shop_id, right) or abort(404)
        if found.kind != Right.ERASE or is_sure:
            pages.carry_out(
                session,
                here.shop.shop_id,
                right,
                member_id=here.who.member_id,
                tools=tools(),
                now=clock.now(),
            )
            return _back(here)
    said = _("Tick that you are sure: what is erased does not come back.")
    return _page(here, at=right, problem=said, status=422)


@bp.post("/<shop>/rights/<right>/settle")
@guards.member("owner")
def settle_right(here: Here, right: str) -> AnyResponse:
    """Close a request with a note of what was done, or why nothing was."""
    note = plain(request.form.get("note", ""))[:LONGEST_NOTE]
    with transaction() as session:
        if pages.find(session, here.shop.shop_id, right) is None:
            abort(404)
        if note:
            pages.settle(
                session,
                here.shop.shop_id,
                right,
                note=note,
                member_id=here.who.member_id,
                now=clock.now(),
            )
            return _back(here)
    said = _("Say what was done, or why nothing was.")
    return _page(here, at=right, problem=said, status=422)


@bp.post("/<shop>/contacts/<public_id>/restriction/end")
@guards.member("owner")
def end_restriction(here: Here, public_id: str) -> AnyResponse:
    """Use somebody's data again, at their own wish (GDPR 18(3))."""
    return _end(here, public_id, Right.RESTRICT)


@bp.post("/<shop>/contacts/<public_id>/objection/end")
@guards.member("owner")
def end_objection(here: Here, public_id: str) -> AnyResponse:
    """Let somebody be asked again, at their own wish; it says yes to nothing."""
    return _end(here, public_id, Right.OBJECT)


def _end(here: Here, public_id: str, kind: Right) -> AnyResponse:
    with transaction() as session:
        ended = pages.end(
            session,
            here.shop.shop_id,
            public_id,
            kind,
            member_id=here.who.member_id,
            tools=tools(),
            now=clock.now(),
        )
        if ended is None:
            abort(404)
    return redirect(to("office.contact", shop=here.shop.code, public_id=public_id), 303)


def _back(here: Here) -> AnyResponse:
    return redirect(to("office.rights", shop=here.shop.code), 303)


def _kind(word: str) -> Right | None:
    return Right(word) if word in set(Right) else None


def _came_at(now: datetime) -> datetime | None:
    """Return when a request came in; None for a day that it cannot have been."""
    typed = request.form.get("came", "")
    try:
        day = date.fromisoformat(typed) if typed else now.date()
    except ValueError:
        return None
    # The shop's day may have begun before that of UTC.
    if not now - LONGEST_AGO_DAYS * DAY <= _begins(day) <= now + DAY:
        return None
    return min(_begins(day), now) if day != now.date() else now


def _begins(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _clock(line: Line, now: datetime) -> tuple[str, str]:
    """Return how long there is, in words, and how pressing that is."""
    if line.due_at <= now:
        days = max(1, math.ceil((now - line.due_at) / DAY))
        return ngettext("%(num)s day too late", "%(num)s days too late", days), "late"
    days = math.ceil((line.due_at - now) / DAY)
    left = ngettext("%(num)s day left", "%(num)s days left", days)
    return left, "soon" if line.due_at - now <= SOON else "time"


def _page(
    here: Here,
    *,
    typed: dict[str, str] | None = None,
    problem: str = "",
    at: str = "",
    erased: Erased | None = None,
    is_unknown: bool = False,
    status: int = 200,
) -> Response:
    now = clock.now()
    with reading() as session:
        found = pages.page(session, here.shop.shop_id, vault=tools().vault)
        purposes = campaign_pages.purposes(
            campaign_pages.by_code(session, here.shop.shop_id)
        )
    return make_response(
        render_template(
            "office/rights/page.html",
            waiting=[(line, *_clock(line, now)) for line in found.waiting],
            settled=found.settled,
            kinds=list(Right),
            typed=typed or {},
            today=now.date(),
            earliest=(now - LONGEST_AGO_DAYS * DAY).date() + DAY,
            problem=problem,
            at=at,
            erased=erased,
            is_unknown=is_unknown,
            purposes=purposes,
        ),
        status,
    )
