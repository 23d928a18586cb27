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
    worn = {
        "Content-Security-Policy": policy(),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "Cache-Control": "no-store",
    }
    if settings().is_https:
        worn["Strict-Transport-Security"] = "max-age=31536000"
    # One look for all: `setdefault` goes through the whole list twice for each.
    own = {name.lower() for name, _ in response.headers}
    for name, value in worn.items():
        if name.lower() not in own:
            response.headers.add(name, value)
    return response
