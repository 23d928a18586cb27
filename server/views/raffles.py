"""A raffle from its promise to its end: a page to print and to check, and its file."""

import json
from datetime import datetime
from types import SimpleNamespace

from flask import Blueprint, Response, abort, make_response, render_template
from flask_babel import format_datetime
from flask_babel import lazy_gettext as _l

from server.db import reading
from server.domain.parts import Locale
from server.services import raffle_records
from server.services.raffle_records import Record
from server.views import downloads, guards, language
from server.views.faces import euros

# Why entries are left out of a raffle, as anybody may know it.
REASONS = {
    "duplicate": _l("another entry of the same person"),
    "not_me": _l("the owner of the address had not taken part"),
    "revoked": _l("its prize was taken back"),
    "erased": _l("its owner had their data erased"),
    "excluded": _l("the shop had a reason, which it keeps"),
}

bp = Blueprint("raffles", __name__, url_prefix="/verify")


@bp.get("/<campaign>/raffle/<key>", endpoint="page")
@guards.anyone
def page(campaign: str, key: str) -> Response:
    """Show a raffle from its promise to its end, to print and to check."""
    with reading() as session:
        known = raffle_records.of_campaign(session, campaign)
    record = next((one for one in known if one.file.key == key), None)
    if record is None:
        abort(404)
    locale = language.as_wished()
    return make_response(
        render_template(
            "verify/raffle.html",
            raffle=told(record, locale),
            record=record,
            others=[told(one, locale) for one in known if one is not record],
            shop=None,
        )
    )


@bp.get("/<campaign>/raffle/<key>/draw.jsonl", endpoint="file")
@guards.anyone
def file(campaign: str, key: str) -> Response:
    """Answer a raffle's record, as the verifiers read it."""
    with reading() as session:
        record = raffle_records.find(session, campaign, key)
        if record is None:
            abort(404)
        if (refusal := downloads.refusal()) is not None:
            return refusal
        # The list is read here; its lines are written when they are sent.
        lines = raffle_records.lines(session, record)
    return downloads.answer(lines, f"{campaign}-{key}.jsonl")


def told(record: Record, locale: Locale) -> SimpleNamespace:
    """Return what a page says of a raffle in one language."""
    file, names = record.file, record.names
    prizes = {
        prize.key: (prize.texts.get(locale) or next(iter(prize.texts.values()))).label
        for prize in file.prizes
    }
    units = [prizes[key] for key in file.units]
    labels = record.drawn.places if record.drawn else ()
    return SimpleNamespace(
        key=file.key,
        campaign=record.promise.campaign,
        name=names.get(locale) or next(iter(names.values())),
        prizes=[
            (prizes[prize.key], prize.number, euros(prize.value_cents))
            for prize in file.prizes
        ],
        labels_json=json.dumps(prizes),
        at=_moment(record.promise.at),
        listed_at=_moment(record.listed_at) if record.listed_at else "",
        drawn_at=_moment(record.drawn_at) if record.drawn_at else "",
        randomness=file.randomness.get(locale) or record.promise.randomness,
        reasons=[
            (REASONS[reason], times) for reason, times in record.listed.excluded.items()
        ]
        if record.listed
        else [],
        winners=list(zip(labels, units, strict=False)),
        reserves=labels[len(units) :],
        is_drawn=record.drawn is not None,
    )


def _moment(at: datetime) -> str:
    return str(format_datetime(at, "d MMMM y, HH:mm"))
