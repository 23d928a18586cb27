"""The pages of the demo shop; each embeds the widget as a customer would."""

import base64
from types import SimpleNamespace

from flask import g, render_template
from flask.typing import ResponseReturnValue

from server import clock
from server.db import reading
from server.domain import qr
from server.services import boxcodes, raffle_records
from server.views import guards, language, raffles
from server.views.demo.catalogue import (
    CATEGORIES,
    PRODUCTS,
    Basket,
    beside,
    shelf,
)
from server.views.demo.door import basket, bp, service
from server.views.demo.games import GAMES, GROUPS
from server.views.demo.games import beside as beside_game
from server.views.house import directory, tools

NEW = ("lamp-vuurtoren", "mok-branding", "plaid-duin", "karaf-helder")
MOST_BESIDE = 4
MOST_READ = 6


@bp.get("/")
@guards.demo
def home() -> ResponseReturnValue:
    """Show the front of the shop, with the game in a dialog."""
    return render_template("demo/home.html", news=[PRODUCTS[slug] for slug in NEW])


@bp.get("/category/<slug>")
@guards.demo
def category(slug: str) -> ResponseReturnValue:
    """Show a shelf, with the form-first game behind a button."""
    if slug not in CATEGORIES:
        return _missing()
    return render_template(
        "demo/category.html", category=CATEGORIES[slug], products=shelf(slug)
    )


@bp.get("/product/<slug>")
@guards.demo
def product(slug: str) -> ResponseReturnValue:
    """Show one product, with the game in the page itself."""
    if slug not in PRODUCTS:
        return _missing()
    shown = PRODUCTS[slug]
    return render_template(
        "demo/product.html",
        product=shown,
        category=CATEGORIES[shown.category],
        others=beside(shown, most=MOST_BESIDE),
    )


@bp.get("/basket")
@guards.demo
def view_basket() -> ResponseReturnValue:
    """Show what the address says is in the basket."""
    return render_template("demo/basket.html")


@bp.get("/done")
@guards.demo
def done() -> ResponseReturnValue:
    """Thank for an order that nobody keeps, with the form-first game in the page."""
    ordered = basket()
    # From here on the links of the page start with an empty basket.
    g.demo_basket = Basket()
    return render_template("demo/done.html", ordered=ordered)


@bp.get("/games/")
@guards.demo
def games() -> ResponseReturnValue:
    """List every game, shape and moment there is to try."""
    return render_template("demo/games.html", groups=GROUPS, games=GAMES.values())


@bp.get("/games/<slug>")
@guards.demo
def game(slug: str) -> ResponseReturnValue:
    """Show one of them: how to provoke it, and the tag that does it."""
    if slug not in GAMES:
        return _missing()
    shown = GAMES[slug]
    before, after = beside_game(shown)
    g.demo_script = True
    return render_template(
        "demo/game.html",
        game=shown,
        group=next(group for group in GROUPS if group.key == shown.group),
        before=before,
        after=after,
        shape=_shape(shown.placement),
        label=_label(shown.placement) if shown.has_label else None,
        raffle=_drawn(shown.drawn) if shown.drawn else None,
        read=list(PRODUCTS.values())[:MOST_READ],
    )


@bp.get("/how")
@guards.demo
def how() -> ResponseReturnValue:
    """Tell what there is to try, and show the tag."""
    return render_template("demo/how.html")


def _shape(placement: str) -> str:
    """Return how a placement appears; what is not there yet stands in the page."""
    with reading() as session:
        live = directory().find(session, placement, now=clock.now())
    return live.placement.shape if live else "inline"


def _label(placement: str) -> dict[str, str] | None:
    """Return what stands on the label of a box that nobody has opened yet."""
    with reading() as session:
        label = boxcodes.fresh(session, placement, vault=tools().vault)
    if label is None:
        return None
    address = f"{service()}/b/{label.qr}"
    drawn = base64.b64encode(qr.svg(address)).decode()
    return {
        "address": address,
        "typed": label.typed,
        "picture": f"data:image/svg+xml;base64,{drawn}",
    }


def _drawn(campaign: str) -> SimpleNamespace | None:
    """Return what is published of a raffle that was drawn; None before that."""
    with reading() as session:
        known = raffle_records.of_campaign(session, campaign)
    told = [raffles.told(one, language.as_wished()) for one in known if one.drawn]
    return told[0] if told else None


def _missing() -> ResponseReturnValue:
    return render_template("demo/missing.html"), 404
