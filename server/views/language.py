"""Which language a page speaks (campaign, placement, browser), and by which clock."""

from typing import Any, cast
from urllib.parse import quote, urlencode

from flask import Flask, g, has_request_context, request
from flask_babel import Babel, get_locale, refresh

from server.domain.parts import LOCALES, Locale

DEFAULT: Locale = "nl"
# Shops and their visitors are in the Netherlands; so is the clock on pages, in mails.
ZONE = "Europe/Amsterdam"
# Each by its own name, so that who reads no other finds it.
NAMES: dict[Locale, str] = {"nl": "Nederlands", "en": "English"}


def init_app(app: Flask) -> None:
    """Let every page and mail speak Dutch or English; msgids are English."""
    Babel(app, default_locale="en", default_timezone=ZONE, locale_selector=current)
    app.jinja_env.globals["get_locale"] = get_locale


def current() -> str:
    """Return the language chosen for this request, else what the browser prefers."""
    chosen: str | None = g.get("locale")
    return chosen or wished() or DEFAULT


def speak(locale: str) -> None:
    """Let the rest of this request speak a language."""
    g.locale = locale
    refresh()


def as_wished() -> Locale:
    """Speak the language that the address asks for, and return which is spoken."""
    if (wish := asked()) is not None:
        speak(wish)
    return cast("Locale", str(get_locale()))


def asked() -> Locale | None:
    """Return the language that the address asks for, if it is one of ours."""
    wish = request.args.get("lang")
    return wish if wish in LOCALES else None


def keep_asked(_endpoint: str, values: dict[str, Any]) -> None:
    """Let an address ask for the language that this page was asked for in."""
    if has_request_context() and (wish := asked()) is not None:
        values.setdefault("lang", wish)


def here_in(locale: str) -> str:
    """Return the address of this page in one of our languages."""
    rest = [pair for pair in request.args.items(multi=True) if pair[0] != "lang"]
    return f"{quote(request.path)}?{urlencode([*rest, ('lang', locale)])}"


def wished() -> Locale | None:
    """Return the best of our languages that the browser asks for."""
    return cast("Locale | None", request.accept_languages.best_match(LOCALES))
