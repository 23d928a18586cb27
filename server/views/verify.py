"""Where anybody checks a campaign's draws: the page, and the file with all of them."""

import json
from types import SimpleNamespace

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    url_for,
)

from server import clock
from server.db import Database, reading
from server.services import raffle_records, transcripts
from server.services.transcripts import Record
from server.views import downloads, guards, language, raffles
from server.views.house import tools

bp = Blueprint("verify", __name__, url_prefix="/verify")


@bp.get("/<campaign>", endpoint="page")
@guards.anyone
def page(campaign: str) -> Response:
    """Show what was promised, the file, and a verifier that needs no network."""
    with reading() as session:
        known = raffle_records.of_campaign(session, campaign)
    record = _find(campaign)
    if record is None and known:
        # Nothing is drawn before the end: all there is to check is there.
        key, lang = known[0].file.key, language.as_wished()
        place = url_for("raffles.page", campaign=campaign, key=key, lang=lang)
        return make_response(redirect(place, 303))
    if record is None:
        abort(404)
    locale = language.as_wished()
    labels = {key: texts.get(locale) or key for key, texts in record.labels.items()}
    told = SimpleNamespace(
        name=record.names.get(locale) or next(iter(record.names.values())),
        slots=[(slot, labels[slot.id]) for slot in record.promise.table.slots],
        total=sum(slot.weight for slot in record.promise.table.slots),
        labels=labels,
        labels_json=json.dumps(labels),
    )
    return make_response(
        render_template(
            "verify/page.html",
            record=record,
            told=told,
            shop=None,
            raffles=[raffles.told(raffle, locale) for raffle in known],
        )
    )


@bp.get("/<campaign>/draws.jsonl", endpoint="file")
@guards.anyone
def file(campaign: str) -> Response:
    """Answer every draw of the days that are over, as the verifiers read them."""
    record = _find(campaign) or abort(404)
    if (refusal := downloads.refusal()) is not None:
        return refusal
    database: Database = current_app.extensions["database"]
    lines = transcripts.lines(record, database.reading)
    return downloads.answer(lines, f"{campaign}-draws.jsonl")


def _find(campaign: str) -> Record | None:
    with reading() as session:
        return transcripts.find(session, campaign, vault=tools().vault, now=clock.now())
