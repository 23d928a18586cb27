"""What the loader is told of a placement: public, and about nobody."""

from typing import Any

from server.domain.campaign import Campaign
from server.domain.placement import Placement


def rule_of(campaign: Campaign, placement: Placement) -> dict[str, Any]:
    """Return when and how a placement opens, as `/p/<code>.json` says it."""
    close = {"nl": "Sluiten", "en": "Close"}
    return {
        "v": 1,
        "code": placement.code,
        "shape": placement.shape,
        "url": f"/w/{placement.code}",
        "languages": list(campaign.languages),
        "language": placement.language,
        "height": placement.height,
        "trigger": {
            "delay_seconds": placement.trigger.delay_seconds,
            "selector": placement.trigger.selector,
        },
        "words": {
            locale: {"close": close[locale], "title": campaign.texts[locale].title}
            for locale in campaign.languages
        },
    }
