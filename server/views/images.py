"""The pictures of the shops, under names that can never mean anything else."""

from flask import Blueprint, Response, abort, make_response, request, url_for

from server.db import reading
from server.services import images
from server.views import guards
from server.views.headers import KEPT_FOR_EVER, allow_on_host_pages

bp = Blueprint("images", __name__)


@bp.get("/images/<name>.webp")
@guards.anyone
def show(name: str) -> Response:
    """Answer a picture; it is public, and about nobody."""
    with reading() as session:
        body = images.find(session, f"{name}.webp")
    if body is None:
        abort(404)
    response = make_response(body)
    response.mimetype = images.MIMETYPE
    response.headers["Cache-Control"] = KEPT_FOR_EVER
    response.set_etag(name)
    response.make_conditional(request)
    return allow_on_host_pages(response)


def picture(name: str) -> str:
    """Return the address of a picture that a stored file names, for templates."""
    return url_for("images.show", name=name.removesuffix(".webp"))
