"""What browsers report of our content security policy (SAFETY.md section 2)."""

from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Blueprint, Response, request

from server.views import guards

LONGEST = 60

log = structlog.get_logger()
bp = Blueprint("reports", __name__)


@bp.post("/csp")
@guards.anyone
def policy() -> Response:
    """Log which directive was breached and by which host, and nothing else (T23)."""
    report = _read()
    facts = report.get("csp-report") if isinstance(report, dict) else None
    if isinstance(facts, dict):
        log.warning(
            "policy breached",
            directive=_short(facts.get("effective-directive")),
            host=_host(facts.get("blocked-uri")),
        )
    return Response(status=204)


def _read() -> Any:
    try:
        return request.get_json(force=True, silent=True)
    except RecursionError:
        # Brackets within brackets, thousands deep: no browser wrote that.
        return None


def _short(value: Any) -> str:
    return value[:LONGEST] if isinstance(value, str) else ""


def _host(value: Any) -> str:
    """Return the host alone: the path of a page may hold a link of a mail."""
    try:
        return _short(urlsplit(_short(value)).hostname or _short(value).split(":")[0])
    except ValueError:
        return ""
