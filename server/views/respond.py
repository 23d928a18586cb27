"""One thin layer over htmx-flask, so that views never meet its quirks.

A fragment is answered to a script that asks for it, the whole page to everybody
else. Only what htmx 2 and 4 share is read: the `HX-Request` header.
"""

from typing import Any

from flask import Response, make_response, render_template
from htmx_flask import request


def wants_fragment() -> bool:
    """Return whether a script asked, and will put the answer into the page."""
    return bool(request.htmx)


def page_or(
    fragment: str, page: str, /, *, status: int = 200, **context: Any
) -> Response:
    """Render the fragment for a script, else the page that includes it."""
    return varied(render_template(one_of(fragment, page), **context), status)


def one_of(fragment: str, page: str) -> str:
    """Return the template that this request is to be answered with."""
    return fragment if wants_fragment() else page


def varied(body: str | bytes, status: int = 200) -> Response:
    """Return an answer that caches keep apart for scripts and for everybody else."""
    response = make_response(body, status)
    response.vary.add("HX-Request")
    return response
