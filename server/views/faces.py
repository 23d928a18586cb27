"""How a campaign looks in one language: its page, kept as bytes, and its copies.

A page is rendered once for each published version; a request only puts in its
ticket and its nonce. The copies are what the ledger's hashes point to (PR-01).
"""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from flask import render_template, url_for
from markupsafe import escape

from server.domain.consent import request_text, worded
from server.domain.entry import FORM_MARK, Submission
from server.domain.parts import Locale
from server.domain.theme import palette
from server.services.campaigns import Live
from server.services.texts import Shown
from server.views import language
from server.views.house import assets

# None can occur in a text: an imported line holds no control characters.
TICKET_MARK = "\x01ticket\x01"
NONCE_MARK = "\x01nonce\x01"
CODE_MARK = "\x01code\x01"
MAILBOX_MARK = "\x01mailbox\x01"
MARKS = (TICKET_MARK, NONCE_MARK, CODE_MARK, MAILBOX_MARK)
STYLE = "widget/widget.css"
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


@dataclass(frozen=True, slots=True)
class Sheet:
    """A rendered page or fragment, cut where a request puts in its own values."""

    parts: tuple[bytes, ...]

    def filled(self, **values: str | None) -> bytes:
        """Return it with `ticket`, `nonce`, `code` and `mailbox` put in as text."""
        escaped = {
            f"\x01{name}\x01".encode(): str(escape(value or "")).encode()
            for name, value in values.items()
        }
        return b"".join(escaped.get(part, part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Face:
    """A placement in one language, ready to be shown."""

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

    def of(self, live: Live, locale: Locale) -> Face:
        """Return a face, rendering it if it is new here."""
        key = (
            *(live.placement_id, live.version, live.shop_version, locale),
            live.sold_out,
        )
        if key not in self._faces:
            if len(self._faces) >= self.MOST:
                self._faces.clear()
            language.speak(locale)
            self._faces[key] = _render(live, locale)
        return self._faces[key]


def _render(live: Live, locale: Locale) -> Face:
    context = _context(live, locale)
    parts = [
        render_template(name, **context)
        for name in ("widget/_person.html", "widget/_consents.html")
    ]
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
    return Face(shown=shown, context=context, page=Sheet(_cut(page)))


def _cut(page: str) -> tuple[bytes, ...]:
    """Cut a page at its marks, so that filling it in is one join."""
    parts = [page]
    for mark in MARKS:
        parts = [piece for part in parts for piece in _around(part, mark)]
    return tuple(part.encode() for part in parts if part)


def _around(text: str, mark: str) -> list[str]:
    pieces = text.split(mark)
    return [p for piece in pieces[:-1] for p in (piece, mark)] + [pieces[-1]]


def _context(live: Live, locale: Locale) -> dict[str, Any]:
    """Return what the widget's templates need, with nobody's data in it."""
    campaign = live.campaign
    total = sum(prize.weight for prize in campaign.outcomes)
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
        "fields": [
            SimpleNamespace(
                key=f.key, required=f.required, label=f.label[locale], why=f.why[locale]
            )
            for f in campaign.fields
        ],
        "notice": campaign.notice[locale],
        "sections": campaign.terms.get(locale, ()),
        "sold_out": live.sold_out,
        "odds": [
            (prize.texts[locale].label, f"{prize.weight * 100 / total:.3g}%")
            for prize in campaign.prizes
            if prize.weight
        ],
        "fragment": "widget/_start.html"
        if campaign.flow == "play-first"
        else "widget/_form.html",
        "action": url_for("widget.submit", code=live.placement.code),
        "stylesheet": stylesheet_address(live),
        "ticket": TICKET_MARK,
        "csp_nonce": lambda: NONCE_MARK,
        "values": Submission(),
        "faults": {},
        "problem": None,
        "result": None,
        "is_revealed": False,
    }


def stylesheet_of(live: Live) -> bytes:
    """Return the widget's style, its game's, and the shop's tokens after them."""
    files = assets().files
    parts = [STYLE, f"widget/games/{live.campaign.mechanic}.css"]
    plain = [files[part].plain for part in parts if part in files]
    return b"\n".join([*plain, palette(live.campaign.theme).as_css().encode()])


def stylesheet_address(live: Live) -> str:
    """Return where a campaign's style is; the address names its content."""
    mark = worded(stylesheet_of(live).decode()).sha256.hex()[:STYLE_MARK]
    return url_for("widget.stylesheet", code=live.placement.code, mark=mark)
