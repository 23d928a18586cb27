"""The files that browsers get, compressed beforehand and cached for a year."""

from flask import Blueprint, Response, abort, make_response, request

from server.assets import LOADER, File
from server.views import guards
from server.views.headers import KEPT_FOR_EVER, allow_on_host_pages
from server.views.house import assets

MINUTES_S = 300

bp = Blueprint("files", __name__)


@bp.get("/embed.js")
@guards.anyone
def loader() -> Response:
    """Answer the one script that a shop pastes; its address never changes."""
    return allow_on_host_pages(
        _send(_find(assets().version, LOADER), f"public, max-age={MINUTES_S}")
    )


@bp.get("/widget/<version>/<path:name>")
@guards.anyone
def widget(version: str, name: str) -> Response:
    """Answer a file of the widget."""
    return allow_on_host_pages(
        _send(_find(version, f"widget/{name}"), _caching(version))
    )


@bp.get("/static/<version>/<path:name>")
@guards.anyone
def static(version: str, name: str) -> Response:
    """Answer a file of the office and of our own pages."""
    return _send(_find(version, f"static/{name}"), _caching(version))


def _find(version: str, path: str) -> File:
    file = assets().find(version, path)
    return file if file is not None else abort(404)


def _caching(version: str) -> str:
    """A page from before an update may ask for an older version: for minutes only."""
    if assets().is_kept(version):
        return KEPT_FOR_EVER
    return f"public, max-age={MINUTES_S}"


def _send(file: File, caching: str) -> Response:
    encoding = request.accept_encodings.best_match(("br", "gzip", "identity"))
    body = {"br": file.brotli, "gzip": file.gzip}.get(encoding or "", file.plain)
    response = make_response(body)
    response.mimetype = file.mimetype
    if encoding in {"br", "gzip"}:
        response.content_encoding = encoding
    response.headers["Cache-Control"] = caching
    response.vary.add("Accept-Encoding")
    response.set_etag(file.etag)
    response.make_conditional(request)
    return response
