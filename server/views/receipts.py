"""A person's receipt, behind the link in their mail, and the notices it points to.

Open to whoever holds the link: no session, no script. A GET writes nothing (PR-09).
"""

import re
from datetime import date, datetime

from flask import Blueprint, Response, abort, jsonify, render_template, request, url_for
from flask_babel import format_date, format_datetime

from server import clock
from server.db import reading
from server.domain import address
from server.domain import receipt as rules
from server.domain.links import Salt
from server.domain.receipt import Record
from server.services import receipts
from server.services.links import Found
from server.views import guards, language, links
from server.views import receipt_words as words
from server.views.house import signer, tools

SHA256 = re.compile(r"[0-9a-f]{64}")

bp = Blueprint("receipts", __name__)
bp.url_defaults(language.keep_asked)


@bp.get("/receipt/<token>")
@guards.link
def receipt(token: str) -> Response:
    """Show what somebody said yes to, when and in which words; or hand it over."""
    found = links.follow(Salt.RECEIPT, token)
    if found is None:
        return links.unknown()
    record = _record(found)
    if request.args.get("format") == "json":
        return _file(record) if record.given else links.unknown()
    ref = signer().read_link(Salt.RECEIPT, token, now=clock.now())
    stop = signer().sign_link(Salt.UNSUBSCRIBE, ref, now=clock.now())
    return links.page(
        "links/receipt.html",
        found,
        record=record,
        stands=[words.stands(consent, _local) for consent in record.consents],
        happened=words.happened(record),
        complain=words.authority_line(record),
        mailbox=address.masked(found.who.email),
        local=_local,
        day=_day,
        download=url_for(".receipt", token=token, format="json"),
        stop=url_for("links.unsubscribe_page", token=stop),
    )


@bp.get("/notice/<name>")
@guards.anyone
def notice(name: str) -> Response:
    """Show a privacy notice as it was, so that a receipt keeps pointing at it."""
    if not SHA256.fullmatch(name):
        abort(404)
    with reading() as session:
        shown = receipts.notice(session, bytes.fromhex(name)) or abort(404)
    language.speak(shown.locale)
    body = render_template("links/notice.html", shop=None, shown=shown, name=name)
    return links.unindexed(Response(body, mimetype="text/html"))


def _local(at: datetime) -> str:
    return str(format_datetime(at, "d MMMM y, HH:mm", rebase=True))


def _day(at: date) -> str:
    return str(format_date(at, "d MMMM y"))


def _record(found: Found) -> Record:
    who = found.who
    with reading() as session:
        return receipts.record(
            session,
            found.shop,
            shop_id=who.shop_id,
            contact_id=who.id,
            subject_ref=who.subject_ref,
            tools=tools(),
        )


def _file(record: Record) -> Response:
    content = rules.build(record, issued=clock.now(), notary=tools().notary)
    response = links.unindexed(jsonify(content))
    name = f"{content['receipt_id']}.json"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
