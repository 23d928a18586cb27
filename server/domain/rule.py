"""What the loader is told of a placement: public, about nobody, and short.

What is unset is left out, because every page of a shop pays for it. The words are
those of `/p/<code>.json`; `widget/placement.js` reads them.
"""

from typing import Any

from server.domain.campaign import Campaign
from server.domain.placement import Placement, Trigger, Where
from server.domain.shop import ShopFile
from server.domain.theme import palette

VERSION = 1
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
            "height": placement.height,
            "trigger": _trigger(placement.trigger),
            "where": _where(placement.where, shop),
            "budget": [shop.budget.session, shop.budget.day],
            "colours": [colours.accent, colours.accent_ink],
            "words": {
                locale: {
                    "close": CLOSE[locale],
                    "title": campaign.texts[locale].title,
                    "play": campaign.texts[locale].play,
                }
                for locale in campaign.languages
            },
        }
    )


def _trigger(trigger: Trigger) -> dict[str, Any]:
    views, basket = trigger.views, trigger.basket
    return _short(
        {
            "all": trigger.match == "all",
            "exit": list(trigger.exit_touch) if trigger.exit_intent else None,
            "delay": trigger.delay_seconds,
            "scroll": trigger.scroll_percent,
            "idle": trigger.idle_seconds,
            "views": [views.kind, views.least] if views else None,
            "basket": [basket.least_items, basket.least_cents, basket.most_cents]
            if basket
            else None,
            "order": trigger.order,
            "event": trigger.event,
            "click": trigger.selector,
        }
    )


def _where(where: Where, shop: ShopFile) -> dict[str, Any]:
    return _short(
        {
            "in": list(where.include),
            "out": [*where.exclude, *shop.checkout],
            "lang": list(where.languages),
            "visit": where.visit,
            "mail": where.from_mail,
        }
    )


def _short(facts: dict[str, Any]) -> dict[str, Any]:
    """Leave out what says nothing. Zero says something: at once, or never."""
    return {
        name: fact
        for name, fact in facts.items()
        if fact is not None and fact is not False and fact not in ([], {})
    }
