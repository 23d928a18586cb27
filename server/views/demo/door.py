"""What all demo pages share: language, basket, policy. Nothing of it is stored.

The visitor's choices travel in the address, so that the demo, like the widget,
needs no cookie and no storage.
"""

from typing import Any

from flask import Blueprint, Response, g, redirect, request, url_for
from flask.blueprints import BlueprintSetupState
from flask_babel import format_currency
from werkzeug.wrappers import Response as AnyResponse

from server.domain.parts import LOCALES
from server.views import guards, language
from server.views.demo.catalogue import (
    CATEGORIES,
    FREE_SHIPPING_FROM_CENTS,
    Basket,
    Words,
    basket_of,
)
from server.views.house import settings

MOST_ITEMS = 20
# What each page says of itself, in the words of the widget.
PAGE_KINDS = {
    "demo.home": "home",
    "demo.category": "category",
    "demo.product": "product",
    "demo.view_basket": "basket",
    "demo.done": "done",
}
MAILBOX = ("demo.inbox", "demo.mail")

bp = Blueprint("demo", __name__, url_prefix="/demo")


@bp.record_once
def _open_front_door(state: BlueprintSetupState) -> None:
    """Lead whoever types our bare address on, where the demo is on."""
    state.app.add_url_rule("/", "demo.front", front)


@guards.demo
def front() -> AnyResponse:
    """Lead from `/` to the demo shop, on its own origin."""
    return redirect(settings().demo_shop_url + url_for("demo.home"))


@bp.before_request
def read_choices() -> None:
    """Take language and basket from the address."""
    wish = request.args.get("lang")
    g.demo_language = wish if wish in LOCALES else None
    if g.demo_language:
        language.speak(g.demo_language)
    g.demo_basket = basket_of(request.args.getlist("item"), most=MOST_ITEMS)


@bp.url_defaults
def keep_choices(_endpoint: str, values: dict[str, Any]) -> None:
    """Let every link within the demo carry language and basket on."""
    if g.get("demo_language"):
        values.setdefault("lang", g.demo_language)
    if basket().slugs:
        values.setdefault("item", list(basket().slugs))


def basket() -> Basket:
    """Return the basket of this request."""
    held: Basket = g.get("demo_basket") or Basket()
    return held


def service() -> str:
    """Return the address of the service, as a customer's tag names it."""
    return settings().public_url


@bp.context_processor
def shared() -> dict[str, Any]:
    """Give every template of the demo its words, its prices and its basket."""
    return {
        "basket": basket(),
        "categories": list(CATEGORIES.values()),
        "chosen_language": g.get("demo_language"),
        "free_shipping_from": FREE_SHIPPING_FROM_CENTS,
        "in_language": in_language,
        "page_kind": PAGE_KINDS.get(str(request.endpoint)),
        "price": price,
        "round_price": round_price,
        "say": say,
        "service": service(),
        # A mail's page has a stricter policy, and no shop around it.
        "has_letter": not str(request.endpoint).startswith(MAILBOX),
    }


def say(words: Words | dict[str, list[str]]) -> str | list[str]:
    """Return the words in the language of this page."""
    return words[language.current()]


def price(cents: int) -> str:
    return str(format_currency(cents / 100, "EUR"))


def round_price(cents: int) -> str:
    """Return a price in whole euros; both our languages end in two decimals."""
    return price(cents)[: -len(",00")]


def in_language(locale: str) -> str:
    """Return the address of this page in a language."""
    # Asked for again, because the order-done page has emptied its basket by now.
    held = basket_of(request.args.getlist("item"), most=MOST_ITEMS)
    choices = {"lang": locale, "item": list(held.slugs)}
    return url_for(str(request.endpoint), **{**(request.view_args or {}), **choices})


@bp.after_request
def wear_policy(response: Response) -> Response:
    """Be as strict as a careful customer's page: scripts and frames of one host.

    A page with a script of the shop's own names the shop as well, and nobody else.
    """
    if settings().demo:
        own = " 'self'" if g.get("demo_script") else ""
        response.headers.setdefault(
            "Content-Security-Policy",
            f"default-src 'none'; script-src {service()}{own}; frame-src {service()}; "
            "style-src 'self'; img-src 'self' data:; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'",
        )
        # As most shops do; the widget tells a first page from a later one by it.
        response.headers.setdefault("Referrer-Policy", "same-origin")
    return response
