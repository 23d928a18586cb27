"""What the loader on a shop's page asks for: the placement's rule."""

import json

from flask import Blueprint, Response, abort

from server import clock
from server.assets import FRAME
from server.db import reading
from server.domain.rule import rule_of
from server.views import guards
from server.views.headers import allow_on_host_pages
from server.views.house import assets, directory

SECONDS = 60

bp = Blueprint("embed", __name__)
# A shop's page may read a refusal too, or its console would show two faults.
bp.after_request(allow_on_host_pages)


@bp.get("/p/<code>.json")
@guards.anyone
def rule(code: str) -> Response:
    """Answer the rule as data."""
    return _cached(Response(_rule(code), mimetype="application/json"))


@bp.get("/p/<code>.js")
@guards.anyone
def module(code: str) -> Response:
    """Answer the rule as a module: loading it needs only our host in `script-src`.

    A fetch would need `connect-src` too, which we may not ask of a shop.
    """
    body = f"export default {_rule(code)}\n"
    return _cached(Response(body, mimetype="text/javascript"))


def _rule(code: str) -> str:
    now = clock.now()
    with reading() as session:
        live = directory().find(session, code, now=now)
    if live is None or not live.is_open(now) or live.placement.channel != "web":
        abort(404)
    told = rule_of(
        live.campaign, live.placement, live.shop, frame=assets().address(FRAME)
    )
    # JSON is JavaScript but for what could end a script element, which this is not.
    return json.dumps(told, ensure_ascii=True, separators=(",", ":"))


def _cached(response: Response) -> Response:
    response.headers["Cache-Control"] = f"public, max-age={SECONDS}"
    return response
