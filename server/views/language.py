"""Which language a page speaks (campaign, placement, browser), and by which clock."""

from typing import cast

from flask import Flask, g, request
from flask_babel import Babel, get_locale, refresh

from server.domain.parts import LOCALES, Locale

DEFAULT: Locale = "nl"
# Shops and their visitors are in the Netherlands; so is the clock on pages, in mails.
ZONE = "Europe/Amsterdam"


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
    if (wish := request.args.get("lang")) in LOCALES:
        speak(wish)
    return cast("Locale", str(get_locale()))


def wished() -> Locale | None:
    """Return the best of our languages that the browser asks for."""
    return cast("Locale | None", request.accept_languages.best_match(LOCALES))
