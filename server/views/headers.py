"""Headers that every answer wears (SAFETY.md section 2, T10, T22, G15)."""

import secrets

from flask import Flask, Response, g

from server.views.house import settings

NONCE_BYTES = 16
NOBODY = "'none'"
# For addresses that name their content, so that nothing else can ever be at them.
KEPT_FOR_EVER = "public, max-age=31536000, immutable"


def init_app(app: Flask) -> None:
    """Add the headers to every answer that does not bring its own."""
    app.after_request(_add)
    app.jinja_env.globals["csp_nonce"] = csp_nonce


def csp_nonce() -> str:
    """Return this request's nonce, for the script tags of its page."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(NONCE_BYTES)
    return str(g.csp_nonce)


def framed_by(*sites: str) -> None:
    """Let exactly these sites show this answer in a frame."""
    g.frame_ancestors = " ".join(sites)


def framing_our_own() -> None:
    """Let this answer hold pages of ours in a frame."""
    g.frames = "'self'"


def allow_on_host_pages(response: Response) -> Response:
    """Let any page load this answer: it is public and about nobody."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def policy() -> str:
    """Return this answer's content security policy."""
    scripts = f"'nonce-{g.csp_nonce}'" if "csp_nonce" in g else "'none'"
    frames = f"frame-src {g.frames}; " if "frames" in g else ""
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self'; "
        "img-src 'self' data:; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; object-src 'none'; "
        f"{frames}frame-ancestors {g.get('frame_ancestors', NOBODY)}; report-uri /csp"
    )


def _add(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", policy())
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault(
        "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"
    )
    headers.setdefault("Cache-Control", "no-store")
    if settings().is_https:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
