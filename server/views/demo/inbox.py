"""The demo's inbox: every mail that the worker really sent, for all to read.

It exists in the demo only; a real shop's mails are nobody's to show.
"""

from pathlib import Path

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue

from server import clock
from server.views import guards
from server.views.demo import mails
from server.views.demo.door import bp
from server.views.house import settings

MOST_LISTED = 50
PARTS = ("html", "text", "headers")

# The document that a mail becomes: links open in the whole window. A mail's own
# doctype, html and head tags after this are ignored or merged by every browser.
MAIL_HEAD = '<!doctype html><meta charset="utf-8"><base target="_top">\n'
SANDBOX = (
    "allow-popups allow-popups-to-escape-sandbox "
    "allow-top-navigation-by-user-activation"
)


@bp.get("/inbox")
@guards.demo
def inbox() -> ResponseReturnValue:
    """List the newest mails."""
    return render_template(
        "demo/inbox.html",
        mails=mails.newest(_folder(), most=MOST_LISTED),
        now=clock.now(),
    )


@bp.get("/inbox/<name>")
@guards.demo
def mail(name: str) -> ResponseReturnValue:
    """Show a mail: as it looks, as text, or all its headers."""
    found = mails.read(_folder(), name)
    if found is None:
        return render_template("demo/missing.html"), 404
    wish = request.args.get("part", "")
    part = wish if wish in PARTS else "html" if found.html else "text"
    page = render_template(
        "demo/mail.html",
        mail=found,
        part=part,
        pieces=mails.pieces(found.text),
        sandbox=SANDBOX,
        now=clock.now(),
    )
    response = make_response(page)
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; frame-src 'self'; style-src 'self'; "
        "img-src 'self' data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    return response


@bp.get("/inbox/<name>/html")
@guards.demo
def mail_html(name: str) -> ResponseReturnValue:
    """Answer the HTML of a mail, in a sandbox without scripts."""
    found = mails.read(_folder(), name)
    if found is None:
        return render_template("demo/missing.html"), 404
    response = make_response(MAIL_HEAD + found.html)
    # Mails style themselves inline; this is the one place where that is let through.
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
        f"frame-ancestors 'self'; sandbox {SANDBOX}"
    )
    return response


def _folder() -> Path:
    return settings().instance / mails.FOLDER
