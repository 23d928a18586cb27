"""What the loader is told of a placement: public, about nobody, and short.

What is unset is left out, because every page of a shop pays for it. The words are
those of `/p/<code>.json`; `widget/placement.js` reads them.
"""

import re
from typing import Any

from server.domain.campaign import Campaign
from server.domain.parts import Locale
from server.domain.placement import Basket, Placement, Where
from server.domain.shop import ShopFile
from server.domain.theme import palette

VERSION = 1
# What is reserved where a file does not say: a frame grows and never shrinks below.
GAME_PX, LINE_PX = 640, 260
TEASERS = ("bar", "tab")
JOIN = {"nl": "Doe mee", "en": "Join in"}
CLOSE = {"nl": "Sluiten", "en": "Close"}


def rule_of(
    campaign: Campaign, placement: Placement, shop: ShopFile, *, frame: str
) -> dict[str, Any]:
    """Return when and how a placement opens; `frame` is where the heavy part is."""
    colours = palette(campaign.theme)
    return _short(
        {
            "v": VERSION,
            "code": placement.code,
            "shape": placement.shape,
            "url": f"/w/{placement.code}",
            "frame": frame,
            "languages": list(campaign.languages),
            "language": placement.language,
            "height": placement.height or _height(campaign),
            "trigger": _trigger(placement),
            "where": _where(placement.where, shop),
            "budget": [shop.budget.session, shop.budget.day],
            "hidden": [[told.key, told.source] for told in campaign.hidden],
            "extras": list(campaign.extras),
            "colours": [colours.accent, colours.accent_ink],
            "words": {
                locale: {
                    "close": CLOSE[locale],
                    "title": campaign.texts[locale].title,
                    "play": _call(campaign, locale),
                }
                for locale in campaign.languages
            },
        }
    )


def _call(campaign: Campaign, locale: Locale) -> str:
    """Return what the button at the edge says; nothing is sent by it yet."""
    is_next = campaign.flow == "play-first" or campaign.mechanic == "form"
    return campaign.texts[locale].play if is_next else JOIN[locale]


def _height(campaign: Campaign) -> int:
    """Return the height of a game; a single line would stand on an empty sheet."""
    return LINE_PX if campaign.form.layout == "compact" else GAME_PX


def _trigger(placement: Placement) -> dict[str, Any]:
    trigger = placement.trigger
    if placement.shape in TEASERS and not placement.opens_itself:
        # A button at the edge that waits for nothing is there from the start.
        trigger = trigger.model_copy(update={"delay_seconds": 0})
    views, basket = trigger.views, trigger.basket
    return _short(
        {
            "all": trigger.match == "all",
            "exit": list(trigger.exit_touch) if trigger.exit_intent else None,
            "delay": trigger.delay_seconds,
            "scroll": trigger.scroll_percent,
            "idle": trigger.idle_seconds,
            "views": [views.kind, views.least] if views else None,
            "basket": _basket(basket) if basket else None,
            "order": trigger.order,
            "event": trigger.event,
            "click": trigger.selector,
        }
    )


def _basket(basket: Basket) -> list[int]:
    most = [] if basket.most_cents is None else [basket.most_cents]
    return [basket.least_items, basket.least_cents, *most]


def _where(where: Where, shop: ShopFile) -> dict[str, Any]:
    return _short(
        {
            "in": expression(where.include),
            "out": expression((*where.exclude, *shop.checkout)),
            "lang": list(where.languages),
            "visit": where.visit,
            "mail": None if where.from_mail else expression(shop.from_mail),
        }
    )


def expression(patterns: tuple[str, ...]) -> str | None:
    """Return patterns as one expression over a path and its query.

    What comes out is as true in the browser as here: letters, stars, nothing else.
    """
    parts = [_as_expression(pattern) for pattern in patterns]
    return "|".join(parts) or None


def _as_expression(pattern: str) -> str:
    letters = "".join(
        "[^?]*" if letter == "*" else re.escape(letter)
        for letter in pattern.removeprefix("?")
    )
    if pattern.startswith("?"):
        return f"[?&]{letters.replace('[^?]*', '[^&]*')}(?:&|$)"
    return rf"^{letters}(?:\?|$)"


def _short(facts: dict[str, Any]) -> dict[str, Any]:
    """Leave out what says nothing. Zero says something: at once, or never."""
    return {
        name: fact
        for name, fact in facts.items()
        if fact is not None and fact is not False and fact not in ([], {})
    }
