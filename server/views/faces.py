"""How a campaign looks in one language: its page, kept as bytes, and its copies.

A page is rendered once for each published version; a request only puts in its
ticket and its nonce. The copies are what the ledger's hashes point to (PR-01).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from flask import render_template, url_for
from flask_babel import format_currency, format_datetime
from markupsafe import escape

from server.domain import order
from server.domain.campaign import Campaign
from server.domain.consent import request_text, worded
from server.domain.entry import FORM_MARK, HIDDEN_PREFIX, Submission
from server.domain.parts import Locale
from server.domain.theme import palette
from server.services.campaigns import Live
from server.services.texts import Shown
from server.views import language, odds, questions, quiz, wheel
from server.views.house import assets, settings
from server.views.images import picture

# None can occur in a text: an imported line holds no control characters.
TICKET_MARK = "\x01ticket\x01"
NONCE_MARK = "\x01nonce\x01"
CODE_MARK = "\x01code\x01"
MAILBOX_MARK = "\x01mailbox\x01"
WORTH_MARK = "\x01worth\x01"
PLAY_MARK, SEED_MARK, DAY_MARK = "\x01play\x01", "\x01seed\x01", "\x01day\x01"
LABEL_MARK, UNTIL_MARK = "\x01label\x01", "\x01until\x01"
SITE_MARK = "\x01site\x01"
_MARK = re.compile("(\x01[a-z0-9_.]+\x01)")
STYLE = "widget/widget.css"
STEPS_STYLE = "widget/steps.css"
# What only a form with more than names in it needs.
FIELD_STYLE = "widget/fields.css"
# What a form begins and ends with, where a mechanic has its own.
FORM_STAGE = "widget/_form.html"
STAGES = {"form": "widget/form/_stage.html"}
ENDINGS = {"form": "widget/form/_done.html"}
# The games that are played after the draw; a quiz and a form have only their answer.
GAMES = {"scratch": "widget/games/scratch.js", "wheel": "widget/games/wheel.js"}
STYLE_MARK = 12


@dataclass(frozen=True, slots=True)
class Result:
    """What the templates show of an outcome; `key` is the prize's."""

    key: str
    is_win: bool
    label: str
    claim: str
    code: str | None
    mailbox: str | None
    asks_confirmation: bool
    # No mail asks for it, as too many were asked for just now, whoever it is (AB-01).
    is_held_back: bool
    # Whether the digits of the mail can be typed here (DO-13).
    takes_digits: bool
    # With what a play is found in the public record; empty where nothing is drawn.
    play: str
    seed: str
    day: str
    # The key of what a quiz led to.
    led_to: str | None = None
    # For how many days the code works; None where it has no end.
    valid_days: int | None = None
    # The keys of the raffles that it takes part in, and with which label.
    raffles: tuple[str, ...] = ()
    number: str = ""
    # The kind of the prize, and how much money it is; empty where it is none.
    kind: str = "voucher"
    worth: str = ""
    # What was drawn, where its winner picked the prize from that.
    drawn: str = ""
    # Until which time of the day it is kept for who has not claimed it; empty after.
    until: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A rendered page or fragment, cut where a request puts in its own values."""

    parts: tuple[bytes, ...]

    @property
    def has_ticket(self) -> bool:
        """Return whether something can still be sent from it."""
        return TICKET_MARK.encode() in self.parts

    def filled(
        self, hidden: Mapping[str, str] | None = None, **values: str | None
    ) -> bytes:
        """Return it with a ticket, a nonce, a code and the like put in as text.

        So is what the page around it told, which is `hidden`.
        """
        told = {HIDDEN_PREFIX + key: value for key, value in (hidden or {}).items()}
        escaped = {
            f"\x01{name}\x01".encode(): str(escape(value or "")).encode()
            for name, value in {**values, **told}.items()
        }
        return b"".join(
            # What was not told is empty, but a mark never stays.
            escaped.get(part, b"" if part[:1] == b"\x01" else part)
            for part in self.parts
        )


@dataclass(frozen=True, slots=True)
class Face:
    """A placement in one language, ready to be shown.

    `extra` is the key of the extra question that is asked in it, if one is.
    """

    extra: str | None
    shown: Shown
    context: dict[str, Any]
    page: Sheet
    answers: dict[tuple[str, str, Result], Sheet] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """Return what a ticket says of the form it was issued with."""
        return self.shown.form.sha256.hex()[:FORM_MARK]

    def answer(self, name: str, fragment: str, result: Result) -> Sheet:
        """Return the answer to an entry: the fragment alone or the page around it.

        There are as many as prizes, so each is rendered once, with marks for what
        differs from one visitor to the next.
        """
        marked = replace(
            result,
            code=CODE_MARK if result.code else None,
            mailbox=MAILBOX_MARK if result.mailbox else None,
            worth=WORTH_MARK if result.worth else "",
            play=PLAY_MARK if result.play else "",
            seed=SEED_MARK if result.seed else "",
            day=DAY_MARK if result.day else "",
            number=LABEL_MARK if result.number else "",
            until=UNTIL_MARK if result.until else "",
        )
        key = (name, fragment, marked)
        if key not in self.answers:
            context = self.context | {"fragment": fragment, "result": marked}
            self.answers[key] = Sheet(_cut(render_template(name, **context)))
        return self.answers[key]


class Faces:
    """The faces of the campaigns that this process has shown lately."""

    MOST = 200

    def __init__(self) -> None:
        self._faces: dict[tuple[Any, ...], Face] = {}

    def of(self, live: Live, locale: Locale, extra: str | None = None) -> Face:
        """Return a face, rendering it if it is new here."""
        key = (
            *(live.placement_id, live.version, live.shop_version, locale),
            *(live.sold_out, live.resting, extra),
        )
        if key not in self._faces:
            if len(self._faces) >= self.MOST:
                self._faces.clear()
            language.speak(locale)
            self._faces[key] = _render(live, locale, extra)
        return self._faces[key]

    def marked(self, live: Live, locale: Locale, mark: str) -> Face:
        """Return the face that a ticket was issued with, else today's plain one."""
        for extra in live.campaign.extras:
            if (face := self.of(live, locale, extra)).mark == mark:
                return face
        return self.of(live, locale)


def _render(live: Live, locale: Locale, extra: str | None) -> Face:
    context = _context(live, locale, extra)
    parts = [render_template(name, **context) for name in _asking(live.campaign)]
    notice = worded(render_template("widget/_notice.html", **context))
    shown = Shown(
        locale=locale,
        form=worded("\n".join([*parts, notice.body])),
        notice=notice,
        purposes={
            purpose.key: request_text(purpose, purpose.texts[locale], live.shop.legal)
            for purpose in live.campaign.asked_in(locale)
        },
    )
    page = render_template("widget/page.html", **context)
    return Face(extra=extra, shown=shown, context=context, page=Sheet(_cut(page)))


def _asking(campaign: Campaign) -> tuple[str, ...]:
    """Return the templates that say what is asked; they are kept as it was shown."""
    steps = ("widget/form/_steps.html",) if campaign.steps else ()
    return *steps, "widget/_person.html", "widget/_consents.html"


def _cut(page: str) -> tuple[bytes, ...]:
    """Cut a page at its marks, so that filling it in is one join."""
    return tuple(part.encode() for part in _MARK.split(page) if part)


def _context(live: Live, locale: Locale, extra: str | None) -> dict[str, Any]:
    """Return what the widget's templates need, with nobody's data in it."""
    campaign = live.campaign
    return {
        "shop": live.shop,
        "campaign": campaign,
        "placement": live.placement,
        "locale": locale,
        "words": campaign.texts[locale],
        "game": GAMES.get(campaign.mechanic),
        "purposes": [
            SimpleNamespace(key=p.key, channel=p.channel, text=p.texts[locale])
            for p in campaign.asked_in(locale)
        ],
        "quiz": quiz.asked(campaign, locale),
        "led_to": quiz.results(campaign, locale, SITE_MARK),
        "fields": questions.shown(campaign, locale, extra),
        "months": questions.months(locale),
        "choices": {
            prize.key: [
                SimpleNamespace(
                    key=key,
                    label=campaign.prize(key).texts[locale].label,
                    is_gone=key in live.gone,
                )
                for key in prize.options
            ]
            for prize in campaign.prizes
        },
        "told_order": campaign.told_as(order.REFERENCE),
        "told_amount": campaign.told_as(order.AMOUNT),
        "steps": [
            SimpleNamespace(key=step.key, title=step.title[locale])
            for step in campaign.steps
        ],
        "dates": _dates(live),
        "notice": campaign.notice[locale],
        "own_page": f"{settings().public_url}/preferences?shop={live.shop.code}",
        "sections": campaign.terms.get(locale, ()),
        "wheel": wheel.drawn(live, locale) if campaign.mechanic == "wheel" else None,
        "prizes": [
            prize.texts[locale].label
            for prize in campaign.prizes
            if prize.kind != "none" and prize.key not in live.gone
        ],
        "raffles": _raffles(live, locale),
        "picture": picture,
        "logo": campaign.theme.logo or live.shop.logo,
        "odds": [
            (odds.named(prize, campaign, locale), odds.printed(prize, campaign))
            for prize in campaign.prizes
            if prize.weight
        ],
        "fragment": STAGES.get(campaign.mechanic)
        or ("widget/_start.html" if campaign.flow == "play-first" else FORM_STAGE),
        "action": url_for("widget.submit", code=live.placement.code),
        "stylesheet": stylesheet_address(live),
        "ticket": TICKET_MARK,
        "digits_action": url_for("digits.confirm", code=live.placement.code),
        "digits_fault": None,
        "csp_nonce": lambda: NONCE_MARK,
        "values": Submission(
            hidden={f.key: f"\x01{HIDDEN_PREFIX}{f.key}\x01" for f in campaign.hidden}
        ),
        "faults": {},
        "problem": None,
        "challenge": None,
        "result": None,
        "is_revealed": False,
    }


def _dates(live: Live) -> dict[str, str]:
    """Return the moments that a waiting list speaks of; they are the real ones."""
    early = live.campaign.early_access
    if early is None:
        return {}
    starts, until = early.window(live.opens_at)
    return {
        "closes": _moment(live.closes_at),
        "starts": _moment(starts),
        "until": _moment(until),
        "day": format_datetime(starts, "d"),
        "month": format_datetime(starts, "MMMM"),
    }


def _raffles(live: Live, locale: Locale) -> dict[str, SimpleNamespace]:
    """Return what a visitor is told of each raffle before and after taking part."""
    code = live.campaign.code
    return {
        raffle.key: SimpleNamespace(
            day=str(
                format_datetime(raffle.draws_at(live.closes_at), "d MMMM y, HH:mm")
            ),
            prizes=[
                (prize.number, prize.texts[locale].label, euros(prize.value_cents))
                for prize in raffle.prizes
            ],
            reserves=raffle.reserves,
            claim_days=raffle.claim_days,
            randomness=raffle.randomness.get(locale),
            address=url_for("raffles.page", campaign=code, key=raffle.key, lang=locale),
        )
        for raffle in live.campaign.raffles
    }


def euros(cents: int) -> str:
    """Return an amount as people write it; empty for nothing."""
    return str(format_currency(cents / 100, "EUR")) if cents else ""


def _moment(at: datetime) -> str:
    return str(format_datetime(at, "d MMMM, HH:mm"))


def stylesheet_of(live: Live) -> bytes:
    """Return the widget's style, its game's, and the shop's tokens after them."""
    files, campaign = assets().files, live.campaign
    parts = [STYLE, f"widget/games/{campaign.mechanic}.css"]
    asks_more = any(asked.kind not in {"text", "name"} for asked in campaign.fields)
    if asks_more or campaign.has_choice:
        parts.append(FIELD_STYLE)
    if campaign.steps or campaign.quiz:
        parts.append(STEPS_STYLE)
    plain = [files[part].plain for part in parts if part in files]
    return b"\n".join([*plain, palette(campaign.theme).as_css().encode()])


def stylesheet_address(live: Live) -> str:
    """Return where a campaign's style is; the address names its content."""
    mark = worded(stylesheet_of(live).decode()).sha256.hex()[:STYLE_MARK]
    return url_for("widget.stylesheet", code=live.placement.code, mark=mark)
