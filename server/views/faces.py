"""How a campaign looks in one language: its page, kept as bytes, and its copies.

A page is rendered once for each published version; a request only puts in its
ticket and its nonce. The copies are what the ledger's hashes point to (PR-01).
"""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from flask import current_app, render_template, url_for

from server.domain.campaign import Locale
from server.domain.consent import request_text, worded
from server.domain.entry import FORM_MARK, Submission
from server.domain.theme import palette
from server.services.campaigns import Live
from server.services.texts import Shown
from server.views import language

# Neither can occur in a text: merchants' texts hold no control characters.
TICKET_MARK = "\x01ticket\x01"
NONCE_MARK = "\x01nonce\x01"
STYLE = "widget/widget.css"
STYLE_MARK = 12


@dataclass(frozen=True, slots=True)
class Face:
    """A placement in one language, ready to be shown."""

    shown: Shown
    context: dict[str, Any]
    page: tuple[bytes, ...]

    @property
    def mark(self) -> str:
        """Return what a ticket says of the form it was issued with."""
        return self.shown.form.sha256.hex()[:FORM_MARK]

    def filled(self, *, ticket: str, nonce: str) -> bytes:
        """Return the page with a ticket and a nonce put in."""
        values = {
            TICKET_MARK.encode(): ticket.encode(),
            NONCE_MARK.encode(): nonce.encode(),
        }
        return b"".join(values.get(part, part) for part in self.page)


class Faces:
    """The faces of the campaigns that this process has shown lately."""

    MOST = 200

    def __init__(self) -> None:
        self._faces: dict[tuple[int, int, int, str], Face] = {}

    def of(self, live: Live, locale: Locale) -> Face:
        """Return a face, rendering it if it is new here."""
        key = (live.placement_id, live.version, live.shop_version, locale)
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
    return Face(shown=shown, context=context, page=_cut(page))


def _cut(page: str) -> tuple[bytes, ...]:
    """Cut a page at its marks, so that filling it in is one join."""
    parts = [page]
    for mark in (TICKET_MARK, NONCE_MARK):
        parts = [piece for part in parts for piece in _around(part, mark)]
    return tuple(part.encode() for part in parts if part)


def _around(text: str, mark: str) -> list[str]:
    pieces = text.split(mark)
    return [p for piece in pieces[:-1] for p in (piece, mark)] + [pieces[-1]]


def _context(live: Live, locale: Locale) -> dict[str, Any]:
    """Return what the widget's templates need, with nobody's data in it."""
    campaign = live.campaign
    total = sum(prize.weight for prize in campaign.prizes)
    return {
        "shop": live.shop,
        "campaign": campaign,
        "placement": live.placement,
        "locale": locale,
        "words": campaign.texts[locale],
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
        "sections": campaign.terms[locale],
        "odds": [
            (prize.texts[locale].label, f"{prize.weight * 100 / total:.3g}%")
            for prize in campaign.prizes
            if prize.weight
        ],
        "fragment": "widget/_start.html"
        if campaign.flow == "play-first"
        else "widget/_form.html",
        "action": url_for("widget.submit", code=live.placement.code),
        "stylesheet": _stylesheet_address(live),
        "ticket": TICKET_MARK,
        "csp_nonce": lambda: NONCE_MARK,
        "values": Submission(),
        "faults": {},
        "problem": None,
        "result": None,
        "is_revealed": False,
    }


def stylesheet_of(live: Live) -> bytes:
    """Return the widget's style with the shop's tokens after it."""
    plain: bytes = current_app.extensions["assets"].files[STYLE].plain
    return plain + b"\n" + palette(live.campaign.theme).as_css().encode()


def _stylesheet_address(live: Live) -> str:
    mark = worded(stylesheet_of(live).decode()).sha256.hex()[:STYLE_MARK]
    return url_for("widget.stylesheet", code=live.placement.code, mark=mark)
