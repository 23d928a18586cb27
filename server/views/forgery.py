"""Refuse what another site makes a member's browser send (SAFETY.md T11).

Three locks, each enough by itself: the cookie is not sent along (SameSite), the
browser says where a form came from, and each form holds a token.
"""

from flask import abort, request
from flask_wtf.csrf import CSRFProtect

from server.views.house import settings

READS = frozenset({"GET", "HEAD", "OPTIONS"})

csrf = CSRFProtect()


def check() -> None:
    """Let through what only reads, and what a form of ours sent; stop all else."""
    if request.method in READS:
        return
    if is_foreign():
        abort(403)
    csrf.protect()


def is_foreign() -> bool:
    """Return whether another site made the browser send this."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        return site not in {"same-origin", "none"}
    # Browsers say `null` for our own forms too, since we send no referrer.
    return origin not in {None, "null", settings().public_url}
