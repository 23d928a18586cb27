"""QR codes of the games that have a page of their own."""

from flask import Blueprint, Response, abort

from server.db import reading
from server.domain import qr
from server.services import placements
from server.views import guards
from server.views.headers import allow_on_host_pages
from server.views.house import settings

HOURS = 3600

bp = Blueprint("qr", __name__)
bp.after_request(allow_on_host_pages)


@bp.get("/qr/<code>.svg")
@guards.anyone
def svg(code: str) -> Response:
    """Answer the code as a drawing."""
    return _cached(Response(qr.svg(_address(code)), mimetype="image/svg+xml"))


@bp.get("/qr/<code>.png")
@guards.anyone
def png(code: str) -> Response:
    """Answer the code as a picture."""
    return _cached(Response(qr.png(_address(code)), mimetype="image/png"))


def _address(code: str) -> str:
    with reading() as session:
        if not placements.has_page(session, code):
            abort(404)
    return f"{settings().public_url}/w/{code}"


def _cached(response: Response) -> Response:
    response.headers["Cache-Control"] = f"public, max-age={HOURS}"
    return response
