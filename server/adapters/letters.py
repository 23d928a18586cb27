"""Write the letters: subject, text and HTML, in the language of the entry.

A letter repeats nothing a stranger typed but a first name that is one (T16, AB-06),
and a confirmation not even that.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from babel import Locale as BabelLocale
from flask import current_app
from flask_babel import force_locale, format_datetime

from server.domain import theme
from server.domain.answers import is_name
from server.domain.campaign import Campaign
from server.domain.optin import CONFIRM_DAYS
from server.domain.parts import Locale
from server.domain.shop import ShopFile

NAMES = ("confirm", "prize", "manage", "early")


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why a letter is written, and all it may tell."""

    name: str
    locale: str
    shop: ShopFile
    campaign: Campaign
    at: datetime
    page: str
    confirm_url: str
    unsubscribe_url: str
    purposes: tuple[str, ...] = ()
    first_name: str = ""
    prize: str = ""
    code: str | None = None
    invitation: "Invited | None" = None


@dataclass(frozen=True, slots=True)
class Invited:
    """What an early-access letter says: the shop's words, and real dates."""

    purpose: str
    subject: str
    text: str
    button: str
    goes_to: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """A letter in its two forms."""

    subject: str
    text: str
    html: str


def write(occasion: Occasion) -> Written:
    """Return the letter. It needs an application context, for its templates."""
    if occasion.name not in NAMES:
        raise LookupError(occasion.name)
    with force_locale(occasion.locale):
        told = _told(occasion)
        subject, text, html = (
            # Straight from Jinja: a letter needs nothing that pages get from Flask.
            current_app.jinja_env.get_template(f"mail/{occasion.name}/{part}").render(
                told
            )
            for part in ("subject.txt", "text.txt", "html.html")
        )
    return Written(" ".join(subject.split()), text.strip() + "\n", html)


def _told(occasion: Occasion) -> dict[str, Any]:
    """Return what the templates need."""
    campaign, locale = occasion.campaign, occasion.locale
    spoken = campaign.language(locale)
    prize = campaign.prize(occasion.prize) if occasion.name == "prize" else None
    legal = occasion.shop.legal
    return {
        "shop": occasion.shop.name,
        "legal": legal,
        "contact": occasion.shop.sender.email,
        "country": BabelLocale.parse(locale).territories.get(
            legal.country, legal.country
        ),
        "palette": theme.palette(campaign.theme),
        "locale": locale,
        "campaign_name": campaign.name[spoken],
        "asked": [
            purpose.texts[spoken]
            for purpose in campaign.asked_in(spoken)
            if purpose.key in occasion.purposes
        ],
        "when": format_datetime(occasion.at, "d MMMM y, HH:mm"),
        "site": _site(occasion),
        "days": CONFIRM_DAYS,
        "confirm_url": occasion.confirm_url,
        "unsubscribe_url": occasion.unsubscribe_url,
        "privacy_url": str(legal.privacy_url),
        "first_name": occasion.first_name if is_name(occasion.first_name) else "",
        "prize": prize.texts[spoken] if prize else None,
        "code": occasion.code,
        **_invited(occasion, spoken),
    }


def _invited(occasion: Occasion, spoken: Locale) -> dict[str, Any]:
    invited = occasion.invitation
    if invited is None:
        return {}
    asked = [p for p in occasion.campaign.purposes if p.key == invited.purpose]
    return {
        "invited": invited,
        # On the shop's own site, whatever the campaign says (T28).
        "shop_url": f"{occasion.shop.sites[0]}{invited.goes_to}",
        "until": format_datetime(invited.until, "d MMMM y, HH:mm"),
        "asked_for": asked[0].texts[spoken].title if asked else "",
    }


def _site(occasion: Occasion) -> str:
    """Return the shop's site on which it happened, or the service's own.

    A page may be claimed by anybody, so only a site of the shop is repeated.
    """
    page = urlsplit(occasion.page)
    if f"{page.scheme}://{page.netloc}" in occasion.shop.sites:
        return page.netloc
    return urlsplit(occasion.unsubscribe_url).netloc
