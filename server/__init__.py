"""Jawoord: play, say yes, prove it."""

from pathlib import Path

from flask import Flask
from flask_mail import Mail
from htmx_flask import Htmx
from werkzeug.middleware.proxy_fix import ProxyFix

from server import opened
from server.assets import Assets
from server.db import Database
from server.domain.links import Signer
from server.opened import Opened
from server.services.campaigns import Directory
from server.settings import Settings
from server.tooling import tools_of
from server.views import (
    api,
    boxcodes,
    claim,
    demo,
    digits,
    embed,
    errors,
    files,
    guards,
    headers,
    health,
    images,
    language,
    links,
    office,
    own_data,
    preferences,
    prize,
    profile,
    qr,
    raffles,
    receipts,
    reports,
    till,
    verify,
    widget,
)
from server.views.faces import Faces
from server.views.limiter import Limiter
from server.views.proof import Proofs

ROOT = Path(__file__).parent.parent
MOST_BYTES = 64 * 1024
MOST_FORM_PARTS = 100


def create_app(settings: Settings) -> Flask:
    """Return the service: settings, database, mail, blueprints; nothing else."""
    app = Flask(__name__, template_folder=str(ROOT / "templates"), static_folder=None)
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_keys[-1],
        SECRET_KEY_FALLBACKS=list(settings.secret_keys[:-1]),
        MAX_CONTENT_LENGTH=MOST_BYTES,
        MAX_FORM_MEMORY_SIZE=MOST_BYTES,
        MAX_FORM_PARTS=MOST_FORM_PARTS,
        SESSION_COOKIE_NAME=settings.cookie_name("jawoord"),
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        MAIL_DEFAULT_SENDER="nobody@invalid",
        BABEL_TRANSLATION_DIRECTORIES=str(ROOT / "server" / "translations"),
    )
    app.session_interface = guards.Cookies()
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["database"] = Database(settings.database_url)
    tools = tools_of(settings)
    vault = tools.vault
    app.extensions["signer"] = Signer(settings.secret_keys)
    app.extensions["tools"] = tools
    app.extensions["directory"] = Directory(vault)
    app.extensions["faces"] = Faces()
    app.extensions["limiter"] = Limiter(settings, vault)
    app.extensions["proofs"] = Proofs(vault)
    app.extensions["opened"] = Opened(settings.instance / opened.NAME)
    Htmx(app)
    Mail(app)
    language.init_app(app)
    Assets(ROOT).init_app(app)
    pages = (
        *(embed, widget, digits, boxcodes, links, receipts),
        *(preferences, own_data, profile),
        *(prize, claim, verify, raffles, qr),
        *(api, till, office, demo),
    )
    for part in (health, reports, files, images, *pages):
        app.register_blueprint(part.bp)
    errors.init_app(app)
    headers.init_app(app)
    guards.check_all_guarded(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        # Our own host name comes from settings, so no forwarded host is believed.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # as Flask documents
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=0, x_prefix=0
        )
    return app
