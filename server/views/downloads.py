"""The files that anybody may have of a campaign, as often as one network needs them."""

from collections.abc import Iterable

from flask import Response
from flask_babel import gettext as _

from server.views import client, errors
from server.views.house import limiter


def refusal() -> Response | None:
    """Return the answer to who has downloaded too often; None for everybody else."""
    if limiter().may_download(network=client.network()):
        return None
    answer = errors.problem(
        429,
        _("You have downloaded this often"),
        _("Try again in an hour. The file only changes once a day."),
    )
    answer.headers["Retry-After"] = "3600"
    return answer


def answer(lines: Iterable[bytes], name: str) -> Response:
    """Answer lines of JSON as a file of that name."""
    response = Response(lines, mimetype="application/jsonl")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
