"""The files that anybody may have of a campaign, as often as one network needs them."""

from collections.abc import Iterable, Iterator
from itertools import islice

from flask import Response
from flask_babel import gettext as _

from server.views import client, errors
from server.views.house import limiter

AT_ONCE = 2_000


def refusal(advice: str | None = None) -> Response | None:
    """Return the answer to who has downloaded too often; None for everybody else."""
    if limiter().may_download(network=client.network()):
        return None
    answer = errors.problem(
        429,
        _("You have downloaded this often"),
        advice or _("Try again in an hour. The file only changes once a day."),
    )
    answer.headers["Retry-After"] = "3600"
    return answer


def answer(
    lines: Iterable[bytes], name: str, *, mimetype: str = "application/jsonl"
) -> Response:
    """Answer lines, of JSON if nothing else is said, as a file of that name."""
    response = Response(_pieces(iter(lines)), mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _pieces(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the lines in pieces that are worth sending."""
    while piece := b"".join(islice(lines, AT_ONCE)):
        yield piece
