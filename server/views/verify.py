"""Where anybody checks a campaign's draws: the page, and the file with all of them."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    make_response,
    render_template,
    request,
)
from flask_babel import get_locale
from flask_babel import gettext as _

from server import clock
from server.db import Database, reading
from server.domain.parts import Locale
from server.services import transcripts
from server.services.transcripts import Record
from server.views import client, errors, guards, language
from server.views.house import limiter, tools

bp = Blueprint("verify", __name__, url_prefix="/verify")


@bp.get("/<campaign>", endpoint="page")
@guards.anyone
def page(campaign: str) -> Response:
    """Show what was promised, the file, and a verifier that needs no network."""
    record = _record(campaign)
    if (wish := request.args.get("lang")) in language.LOCALES:
        language.speak(wish)
    locale = cast("Locale", str(get_locale()))
    labels = {key: texts.get(locale) or key for key, texts in record.labels.items()}
    told = SimpleNamespace(
        name=record.names.get(locale) or next(iter(record.names.values())),
        slots=[(slot, labels[slot.id]) for slot in record.promise.table.slots],
        total=sum(slot.weight for slot in record.promise.table.slots),
        labels=labels,
        labels_json=json.dumps(labels),
    )
    return make_response(
        render_template("verify/page.html", record=record, told=told, shop=None)
    )


@bp.get("/<campaign>/draws.jsonl", endpoint="file")
@guards.anyone
def file(campaign: str) -> Response:
    """Answer every draw of the days that are over, as the verifiers read them."""
    record = _record(campaign)
    if not limiter().may_download(network=client.network()):
        answer = errors.problem(
            429,
            _("You have downloaded this often"),
            _("Try again in an hour. The file only changes once a day."),
        )
        answer.headers["Retry-After"] = "3600"
        return answer
    database: Database = current_app.extensions["database"]
    response = Response(_told(record, database), mimetype="application/jsonl")
    response.headers["Content-Disposition"] = (
        f'attachment; filename="{campaign}-draws.jsonl"'
    )
    return response


def _told(record: Record, database: Database) -> Iterator[bytes]:
    """Yield the file in pieces that are worth sending."""
    piece: list[bytes] = []
    for line in transcripts.lines(record, database.reading):
        piece.append(line)
        if len(piece) == transcripts.AT_ONCE:
            yield b"".join(piece)
            piece = []
    yield b"".join(piece)


def _record(campaign: str) -> Record:
    with reading() as session:
        found = transcripts.find(
            session, campaign, vault=tools().vault, now=clock.now()
        )
    if found is None:
        abort(404)
    return found
