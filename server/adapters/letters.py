"""Write the letters: subject, text and HTML, in the language of the entry.

A letter repeats nothing a stranger typed but a first name that is one (T16, AB-06),
and a confirmation not even that.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from babel import Locale as BabelLocale
from flask import current_app
from flask_babel import force_locale, format_currency, format_date, format_datetime
from markupsafe import escape

from server.domain import theme
from server.domain.answers import is_name
from server.domain.campaign import Campaign, Theme
from server.domain.optin import CONFIRM_DAYS, DIGITS_LIFE
from server.domain.raffle import RaffleText
from server.domain.shop import ShopFile

NAMES = (
    *("confirm", "prize", "ticket", "won", "manage", "early", "receipt"),
    *("preferences", "rectify", "moved"),
)
# It cannot occur in a text: an imported line holds no control characters.
MARK = "\x01"
MOST_KEPT = 500
PARTS = ("subject.txt", "text.txt", "html.html")


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why a letter is written, and all it may tell."""

    name: str
    locale: str
    shop: ShopFile
    # None for somebody who took part in nothing.
    campaign: Campaign | None
    at: datetime
    page: str
    confirm_url: str = ""
    unsubscribe_url: str = ""
    purposes: tuple[str, ...] = ()
    # What may be typed on the page that asked, instead of following the link.
    digits: str = ""
    first_name: str = ""
    prize: str = ""
    code: str | None = None
    verify_url: str = ""
    prize_url: str = ""
    # The last day on which the code works; None where it has none.
    until: datetime | None = None
    # How much money it is; None where it is none.
    cents: int | None = None
    invitation: "Invited | None" = None
    # With what somebody takes part in a raffle, where they do.
    entered: "Entered | None" = None
    # Which raffle they have won something in, and where they say that they want it.
    raffle: str = ""
    claim_url: str = ""
    # Where somebody sees what they have decided.
    receipt_url: str = ""
    # Where somebody sees and changes what they get; not for an address in doubt.
    preferences_url: str = ""
    # The new address of who was moved, masked.
    mailbox: str = ""


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody's label in the raffles of a campaign, and when these are drawn."""

    label: str
    days: tuple[datetime, ...]
    url: str


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
    name = occasion.first_name if is_name(occasion.first_name) else ""
    with force_locale(occasion.locale):
        when = format_datetime(occasion.at, "d MMMM y, HH:mm")
        until = format_date(occasion.until, "d MMMM y") if occasion.until else ""
        entered = occasion.entered
        days = [format_date(day, "d MMMM y") for day in entered.days] if entered else []
        worth = _euros(occasion.cents)
        subject, text, html = _kept(occasion, greets=bool(name))
    told = {
        "when": when,
        "confirm_url": occasion.confirm_url,
        "digits": _grouped(occasion.digits),
        "unsubscribe_url": occasion.unsubscribe_url,
        "first_name": name,
        "code": occasion.code or "",
        "verify_url": occasion.verify_url,
        "prize_url": occasion.prize_url,
        "last_day": until,
        "label": entered.label if entered else "",
        "draw_days": ", ".join(dict.fromkeys(days)),
        "raffle_url": entered.url if entered else "",
        "claim_url": occasion.claim_url,
        "receipt_url": occasion.receipt_url,
        "preferences_url": occasion.preferences_url,
        "mailbox": occasion.mailbox,
        "worth": worth,
    }
    return Written(
        " ".join(subject.filled(told).split()),
        text.filled(told).strip() + "\n",
        html.filled({name: str(escape(value)) for name, value in told.items()}),
    )


def notify(name: str, shop: ShopFile, told: Mapping[str, Any]) -> Written:
    """Return a notice to the shop itself, in its language, from `mail/NAME/`.

    It needs an application context, for its templates.
    """
    context = _sender(shop, shop.language, Theme()) | {"told": told, "code": shop.code}
    with force_locale(shop.language):
        subject, text, html = (_sheet(name, part, context) for part in PARTS)
    return Written(
        " ".join(subject.filled({}).split()),
        text.filled({}).strip() + "\n",
        html.filled({}),
    )


class _Sheet:
    """A rendered template, cut where a letter puts in its own values."""

    def __init__(self, text: str) -> None:
        self._parts = text.split(MARK)

    def filled(self, values: Mapping[str, str]) -> str:
        """Return it with the values in the places of their names."""
        parts = self._parts.copy()
        parts[1::2] = [values[name] for name in parts[1::2]]
        return "".join(parts)


@dataclass(frozen=True, slots=True)
class _Kept:
    """The sheets of one letter, and whose they are.

    They are found by identity, since a file's version never changes while it is
    held; holding it here keeps its identity from being given to another.
    """

    owners: tuple[ShopFile, Campaign | None]
    sheets: tuple[_Sheet, _Sheet, _Sheet]


def _kept(occasion: Occasion, *, greets: bool) -> tuple[_Sheet, _Sheet, _Sheet]:
    """Return subject, text and HTML with marks for what differs between persons.

    Rendering takes a millisecond and gives the same but for a few words, so it is
    done once for each version, language and prize.
    """
    kept: dict[Hashable, _Kept] = current_app.extensions.setdefault("letters", {})
    shop, campaign = occasion.shop, occasion.campaign
    site = _site(occasion)
    key = (
        *(id(shop), id(campaign), occasion.name, occasion.locale),
        *(occasion.purposes, occasion.prize, site, greets, occasion.code is None),
        *(bool(occasion.verify_url), bool(occasion.prize_url)),
        *(occasion.until is None, occasion.cents is None, bool(occasion.digits)),
        *(occasion.entered is None, occasion.raffle),
        *(occasion.invitation, bool(occasion.preferences_url)),
    )
    if key not in kept:
        if len(kept) >= MOST_KEPT:
            kept.clear()
        told = _told(occasion, site, greets=greets)
        subject, text, html = (_sheet(occasion.name, part, told) for part in PARTS)
        kept[key] = _Kept((shop, campaign), (subject, text, html))
    return kept[key].sheets


def _sheet(name: str, part: str, told: Mapping[str, Any]) -> _Sheet:
    # Straight from Jinja: a letter needs nothing that pages get from Flask.
    template = current_app.jinja_env.get_template(f"mail/{name}/{part}")
    return _Sheet(template.render(told))


def _sender(shop: ShopFile, locale: str, look: Theme) -> dict[str, Any]:
    """Return what every letter says of who sends it."""
    legal = shop.legal
    return {
        "shop": shop.name,
        "legal": legal,
        "contact": shop.sender.email,
        "country": BabelLocale.parse(locale).territories.get(
            legal.country, legal.country
        ),
        "palette": theme.palette(look),
        "locale": locale,
        "privacy_url": str(legal.privacy_url),
    }


def _told(occasion: Occasion, site: str, *, greets: bool) -> dict[str, Any]:
    """Return what the templates need, with marks for what is a person's own."""
    campaign = occasion.campaign
    return {
        **_sender(
            occasion.shop, occasion.locale, campaign.theme if campaign else Theme()
        ),
        "when": _marked("when"),
        "site": site,
        "days": CONFIRM_DAYS,
        "confirm_url": _marked("confirm_url"),
        "digits": _marked("digits") if occasion.digits else "",
        "minutes": DIGITS_LIFE // timedelta(minutes=1),
        "unsubscribe_url": _marked("unsubscribe_url"),
        "preferences_url": (
            _marked("preferences_url") if occasion.preferences_url else ""
        ),
        "mailbox": _marked("mailbox"),
        "first_name": _marked("first_name") if greets else "",
        "code": None if occasion.code is None else _marked("code"),
        "verify_url": _marked("verify_url") if occasion.verify_url else "",
        "prize_url": _marked("prize_url") if occasion.prize_url else "",
        "last_day": _marked("last_day") if occasion.until else "",
        "label": _marked("label") if occasion.entered else "",
        "draw_days": _marked("draw_days"),
        "raffle_url": _marked("raffle_url"),
        "claim_url": _marked("claim_url"),
        "receipt_url": _marked("receipt_url"),
        **(_played(occasion, campaign) if campaign else {}),
    }


def _played(occasion: Occasion, campaign: Campaign) -> dict[str, Any]:
    """Return what a letter about an entry says of its campaign."""
    spoken = campaign.language(occasion.locale)
    prize = campaign.prize(occasion.prize) if occasion.name == "prize" else None
    return {
        "campaign_name": campaign.name[spoken],
        "asked": [
            purpose.texts[spoken]
            for purpose in campaign.asked_in(spoken)
            if purpose.key in occasion.purposes
        ],
        "prize": prize.texts[spoken] if prize else _raffled(occasion, campaign),
        "result": {
            "kind": prize.kind if prize else "",
            "worth": "" if occasion.cents is None else _marked("worth"),
        },
        **_invited(occasion, campaign),
    }


def _raffled(occasion: Occasion, campaign: Campaign) -> RaffleText | None:
    """Return the words about what was won in a raffle, if that is what it is about."""
    raffle = campaign.raffle(occasion.raffle)
    spoken = campaign.language(occasion.locale)
    return raffle.prize(occasion.prize).texts[spoken] if raffle else None


def _invited(occasion: Occasion, campaign: Campaign) -> dict[str, Any]:
    invited = occasion.invitation
    if invited is None:
        return {}
    spoken = campaign.language(occasion.locale)
    asked = [p for p in campaign.purposes if p.key == invited.purpose]
    return {
        "invited": invited,
        # On the shop's own site, whatever the campaign says (T28).
        "shop_url": f"{occasion.shop.sites[0]}{invited.goes_to}",
        "until": format_datetime(invited.until, "d MMMM y, HH:mm"),
        "asked_for": asked[0].texts[spoken].title if asked else "",
    }


def _grouped(digits: str) -> str:
    half = len(digits) // 2
    return f"{digits[:half]} {digits[half:]}"


def _euros(cents: int | None) -> str:
    return "" if cents is None else str(format_currency(cents / 100, "EUR"))


def _marked(name: str) -> str:
    return f"{MARK}{name}{MARK}"


def _site(occasion: Occasion) -> str:
    """Return the shop's site on which it happened, or the service's own.

    A page may be claimed by anybody, so only a site of the shop is repeated.
    """
    page = urlsplit(occasion.page)
    if f"{page.scheme}://{page.netloc}" in occasion.shop.sites:
        return page.netloc
    return urlsplit(occasion.unsubscribe_url or occasion.confirm_url).netloc
