"""Who may call a route. Every view wears exactly one of these.

`check_all_guarded` runs when the application is made: a route without a guard is
a failed start, not a hole. `tests/rules/test_guards.py` builds its matrix from the
same declarations (SAFETY.md T1, T11, G10).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import (
    Flask,
    Request,
    abort,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask import session as cookie
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from server import clock
from server.db import reading, transaction
from server.services import audits, devices, members
from server.services.devices import Known
from server.services.members import SEEN_EVERY, SignedIn, Workplace
from server.views import errors, forgery
from server.views.house import settings
from server.views.respond import wants_fragment

View = TypeVar("View", bound=Callable[..., Any])

GUARD = "jawoord_guard"
SECRET = "member"  # noqa: S105  # the name of the cookie's field
# What a sign-in may lead back to: a page of the office, whatever a link claims (T28).
OFFICE_PAGE = re.compile(r"/office/(?:[\w.@~%-]+/?)*(?:\?[\w.@~%&=+-]*)?", re.ASCII)


class Cookies(SecureCookieSessionInterface):
    """Opens the cookie of who brings one. Visitors have none, and wait for nothing."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return what the cookie holds, or an empty session without one."""
        if self.get_cookie_name(app) in request.cookies:
            return super().open_session(app, request)
        return self.session_class()


class UnguardedRouteError(Exception):
    """A route does not say who may call it."""


def anyone(view: View) -> View:
    """Let everybody call it: no cookie is read, so there is nothing to forge."""
    return _declare(view, "anyone")


def link(view: View) -> View:
    """The view itself checks the signed link in its address; nothing else opens it."""
    return _declare(view, "link")


def demo(view: View) -> View:
    """Only where the demo is on; elsewhere the address does not exist."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not settings().demo:
            abort(404)
        return view(*args, **kwargs)

    return _declare(cast("View", guarded), "demo")


@dataclass(frozen=True, slots=True)
class Here:
    """Who is at work, and in which shop. Views of the office get it first."""

    who: SignedIn
    shop: Workplace

    def note(self, session: Session, act: str, subject: str, *, now: datetime) -> None:
        """Note what they did or looked at; `subject` names it by its public id."""
        audits.note(
            session,
            shop_id=self.shop.shop_id,
            member_id=self.who.member_id,
            act=act,
            subject=subject,
            now=now,
        )


def member(role: str) -> Callable[[View], View]:
    """Only members of the shop in the address, in this role or a higher one.

    Another shop is not there (404); a lower role is told so (403). What is not a GET
    also needs the form's token and must come from our own pages (T1, T11).
    """
    if role not in members.ROLES:
        raise members.UnknownRoleError(role)

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(shop: str, **kwargs: Any) -> Any:
            who = _who()
            if who is None:
                return _to_sign_in()
            place = next((w for w in _workplaces(who) if w.code == shop), None)
            if place is None:
                abort(404)
            if not place.allows(role):
                return _too_low(Here(who, place), role)
            forgery.check()
            _note_use(who)
            g.here = Here(who, place)
            return view(g.here, **kwargs)

        return _declare(cast("View", guarded), f"member:{role}")

    return guard


def device(view: View) -> View:
    """Only a registered tablet; the view gets which. Others are shown the door."""

    @wraps(view)
    def guarded(**kwargs: Any) -> Any:
        if request.method not in forgery.READS and forgery.is_foreign():
            abort(403)
        known = tablet()
        if known is None:
            return redirect(url_for("till.door"), 303)
        return view(known, **kwargs)

    return _declare(cast("View", guarded), "device")


def device_key(view: View) -> View:
    """Only a till's own program, by the key it was given; the view gets which till.

    No cookie is read, so another site cannot make a browser send this.
    """

    @wraps(view)
    def guarded(**kwargs: Any) -> Any:
        kind, _space, key = request.headers.get("Authorization", "").partition(" ")
        known = None
        if kind.lower() == "bearer":
            with reading() as session:
                known = devices.known_by_key(session, key.strip())
        if known is None:
            answer = jsonify(result="no_key", message=_("This needs a till's key."))
            answer.status_code = 401
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        return view(known, **kwargs)

    return _declare(cast("View", guarded), "device:key")


def registering(view: View) -> View:
    """Everybody, since they are about to type a tablet's code; no foreign form."""

    @wraps(view)
    def guarded(**kwargs: Any) -> Any:
        if request.method not in forgery.READS and forgery.is_foreign():
            abort(403)
        return view(tablet(), **kwargs)

    return _declare(cast("View", guarded), "device:none")


def tablet() -> Known | None:
    """Return the registered tablet that this request comes from, or None."""
    secret = request.cookies.get(settings().cookie_name("jawoord-till"))
    if not secret:
        return None
    with reading() as session:
        return devices.known(session, secret)


def signed_in(view: View) -> View:
    """Any member, of whichever shop; the view gets who it is."""

    @wraps(view)
    def guarded(**kwargs: Any) -> Any:
        who = _who()
        if who is None:
            return _to_sign_in()
        forgery.check()
        return view(who, **kwargs)

    return _declare(cast("View", guarded), "member:any")


def signing_in(view: View) -> View:
    """Everybody, since they are about to show who they are; but no forged form."""

    @wraps(view)
    def guarded(**kwargs: Any) -> Any:
        forgery.check()
        return view(_who(), **kwargs)

    return _declare(cast("View", guarded), "member:none")


def office_page(wish: str) -> str | None:
    """Return a wished address if it is a page of the office, and nothing else's."""
    return wish if OFFICE_PAGE.fullmatch(wish) else None


def _who() -> SignedIn | None:
    secret = cookie.get(SECRET)
    if not isinstance(secret, str):
        return None
    with reading() as session:
        return members.signed_in(session, secret, now=clock.now())


def _workplaces(who: SignedIn) -> list[Workplace]:
    with reading() as session:
        g.workplaces = members.workplaces(session, who.member_id)
    found: list[Workplace] = g.workplaces
    return found


def _note_use(who: SignedIn) -> None:
    """Keep a session in use alive. A GET writes nothing, so only a press counts.

    Who merely reads signs in again after half a day: a working day fits, and a
    browser left open on somebody's desk overnight does not.
    """
    now = clock.now()
    if request.method in forgery.READS or now - who.seen_at < SEEN_EVERY:
        return
    with transaction() as session:
        members.seen(session, who, now=now)


def _to_sign_in() -> Any:
    """Send somebody to the sign-in page, and from there back to where they were."""
    here = request.path if request.method in forgery.READS else ""
    if here and request.query_string:
        here += "?" + request.query_string.decode("ascii", "replace")
    if wants_fragment():
        parts = urlsplit(request.headers.get("HX-Current-URL", ""))
        here = parts.path + (f"?{parts.query}" if parts.query else "")
    address = url_for("office.sign_in", next=office_page(here))
    if not wants_fragment():
        return redirect(address, 303)
    response = make_response("", 401)
    # A script would put the sign-in page into a corner of this one.
    response.headers["HX-Redirect"] = address
    response.vary.add("HX-Request")
    return response


def _too_low(here: Here, role: str) -> Any:
    """Say that this is for others; who wanted to look keeps the shop around them."""
    if role == "owner" and request.method in forgery.READS:
        g.here = here
        return make_response(render_template("office/doors/owners.html"), 403)
    return errors.problem(
        403,
        _("You may look, but not change this"),
        _("Ask an owner of this shop to do it, or to give you the role for it."),
    )


def _declare(view: View, guard: str) -> View:
    setattr(view, GUARD, guard)
    return view


def guard_of(app: Flask, endpoint: str) -> str | None:
    """Return the guard that an endpoint declares, or None."""
    return getattr(app.view_functions[endpoint], GUARD, None)


def check_all_guarded(app: Flask) -> None:
    """Refuse to start with a route that does not say who may call it."""
    bare = sorted(
        f"{rule.rule} ({rule.endpoint})"
        for rule in app.url_map.iter_rules()
        if guard_of(app, rule.endpoint) is None
    )
    if bare:
        raise UnguardedRouteError(
            "these routes name no guard from views/guards.py: " + ", ".join(bare)
        )
