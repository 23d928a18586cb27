"""In and out of the office, and the choice of a shop."""

from flask import Response, make_response, redirect, render_template, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from server import clock
from server.db import DatabaseBusyError, reading, transaction
from server.domain import address
from server.services import members, passwords
from server.services.members import SignedIn
from server.views import client, guards
from server.views.guards import office_page
from server.views.house import limiter, tools
from server.views.office.blueprint import bp


@bp.get("/sign-in")
@guards.signing_in
def sign_in(who: SignedIn | None) -> AnyResponse:
    """Show the form, or go on where somebody is signed in already."""
    wish = office_page(request.args.get("next", ""))
    if who is not None:
        return redirect(wish or url_for("office.shops"), 303)
    return _form(wish=wish)


@bp.post("/sign-in")
@guards.signing_in
def enter(_who: SignedIn | None) -> AnyResponse:
    """Open a session for the right password.

    Whether the address or the password is wrong shows neither in the answer nor in
    the time it takes (T17).
    """
    email, password = request.form.get("email", ""), request.form.get("password", "")
    wish = office_page(request.form.get("next", ""))
    if not limiter().may_sign_in(network=client.network(), email=_counted(email)):
        said = _("Those were many tries. Wait a minute before the next one.")
        return _form(email=email, wish=wish, problem=said, status=429)
    with reading() as session:
        known = members.find(session, email)
    try:
        fits = passwords.fits(known.password_hash if known else None, password)
    except passwords.CrowdedError as error:
        raise DatabaseBusyError from error
    if known is None or not fits:
        said = _("This address and password do not belong together. Try again.")
        return _form(email=email, wish=wish, problem=said, status=422)
    _open_session(known.member_id)
    return redirect(wish or url_for("office.shops"), 303)


@bp.post("/sign-out")
@guards.signed_in
def sign_out(_who: SignedIn) -> AnyResponse:
    """End the session, here and in the database."""
    with transaction() as session:
        members.sign_out(session, cookie[guards.SECRET], now=clock.now())
    cookie.clear()
    return redirect(url_for("office.sign_in"), 303)


@bp.get("/")
@guards.signed_in
def shops(who: SignedIn) -> AnyResponse:
    """Show a member's shops, or go to the only one."""
    with reading() as session:
        found = members.workplaces(session, who.member_id)
    if len(found) == 1:
        return redirect(url_for("office.campaigns", shop=found[0].code), 303)
    return make_response(
        render_template("office/doors/shops.html", who=who, shops=found)
    )


def _form(
    *,
    email: str = "",
    wish: str | None,
    problem: str | None = None,
    status: int = 200,
) -> Response:
    return make_response(
        render_template(
            "office/doors/sign_in.html", email=email, wish=wish, problem=problem
        ),
        status,
    )


def _open_session(member_id: int) -> None:
    """Start anew: a session or a token that was there before is worth nothing now."""
    old = cookie.get(guards.SECRET)
    now = clock.now()
    with transaction() as session:
        if isinstance(old, str):
            members.sign_out(session, old, now=now)
        secret = members.sign_in(session, member_id, random=tools().random, now=now)
    cookie.clear()
    cookie[guards.SECRET] = secret


def _counted(email: str) -> str:
    """Return the address as tries are counted, so that no spelling starts afresh."""
    return address.identity(email.strip())[: address.LONGEST]
