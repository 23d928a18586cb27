"""Register a tablet, and choose what it shows."""

from datetime import timedelta

from flask import (
    Blueprint,
    Response,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from server import clock
from server.db import reading, transaction
from server.services import devices
from server.services.devices import Known
from server.views import client, guards
from server.views.house import limiter, settings, tools

# A till's tablet stays where it is; revoking it ends this at once.
KEPT_FOR = timedelta(days=400)

bp = Blueprint("till", __name__, url_prefix="/till")


@bp.get("/")
@guards.registering
def door(tablet: Known | None) -> AnyResponse:
    """Ask a new tablet for its code; show a registered one its games."""
    if tablet is None:
        return _form()
    with reading() as session:
        games = devices.games(session, tablet.shop_id)
    if len(games) == 1:
        return redirect(url_for("till.kiosk", code=games[0]), 303)
    page = render_template("till/games.html", tablet=tablet, games=games)
    return make_response(page)


@bp.post("/")
@guards.registering
def register(_tablet: Known | None) -> AnyResponse:
    """Take the one-time code and give the tablet its secret."""
    if not limiter().may_register(network=client.network()):
        return _form(
            problem=_("Those were many tries. Wait a minute before the next one."),
            status=429,
        )
    typed = request.form.get("code", "")
    with transaction() as session:
        secret = devices.register(
            session,
            typed,
            vault=tools().vault,
            now=clock.now(),
            random=tools().random,
        )
    if secret is None:
        said = _(
            "We do not know this code. It works once, for a day: ask for a new one."
        )
        return _form(typed=typed[:40], problem=said, status=422)
    answer = redirect(url_for("till.door"), 303)
    answer.set_cookie(
        settings().cookie_name("jawoord-till"),
        secret,
        max_age=KEPT_FOR,
        secure=settings().is_https,
        httponly=True,
        samesite="Strict",
    )
    return answer


def _form(
    *, typed: str = "", problem: str | None = None, status: int = 200
) -> Response:
    page = render_template("till/door.html", typed=typed, problem=problem)
    return make_response(page, status)
