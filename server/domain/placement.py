"""What the loader is told of a placement: public, and about nobody."""

from typing import Any
from urllib.parse import urlsplit

from server.domain.campaign import Campaign, Placement

LONGEST_PAGE = 200


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


def page_of(address: str, sites: tuple[str, ...]) -> str:
    """Return origin and path of a page of the shop's own, else nothing (PR-02).

    A query may name a person, so it is never kept.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    origin = f"{parts.scheme}://{parts.netloc}"
    if origin not in sites:
        return ""
    return f"{origin}{parts.path or '/'}"[:LONGEST_PAGE]
