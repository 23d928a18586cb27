"""How a chance is printed, in the terms and beside a wheel alike (PZ-06)."""

from flask_babel import format_decimal

from server.domain.campaign import Campaign, Prize
from server.domain.parts import Locale

# Three digits that count: 1, 4.17, 12.5 and 0.0012.
DIGITS = "@##"


def named(prize: Prize, campaign: Campaign, locale: Locale) -> str:
    """Return what can be won, and of a choice all that it is between."""
    label = prize.texts[locale].label
    options = [campaign.prize(key).texts[locale].label for key in prize.options]
    return f"{label} ({', '.join(options)})" if options else label


def printed(prize: Prize, campaign: Campaign) -> str:
    """Return the chance of a prize at one play, as its language writes it."""
    total = sum(other.weight for other in campaign.outcomes)
    return f"{format_decimal(prize.weight * 100 / total, format=DIGITS)}%"
