"""Who may be written to, purpose by purpose, and the files of them (DO-01, SO-03)."""

import tempfile
from collections.abc import Iterable
from typing import get_args

from flask import (
    Response,
    abort,
    make_response,
    render_template,
    request,
    send_file,
)

from server import clock
from server.db import current_database, reading, transaction
from server.services import campaigns, contactable, sheets
from server.services.contactable import HEADING, Wanted
from server.services.office import campaigns as campaign_pages
from server.services.sheets import ENDINGS, MIMETYPES, Cells, Format
from server.views import downloads, guards
from server.views.guards import Here
from server.views.house import tools
from server.views.office.blueprint import bp

FORMATS: tuple[Format, ...] = get_args(Format)
TOO_LARGE = 413


@bp.get("/<shop>/contactable", endpoint="contactable")
@guards.member("owner")
def page(here: Here) -> Response:
    """Show how many may be written to for each purpose, and by what right."""
    shop_id = here.shop.shop_id
    with reading() as session:
        counts = contactable.counts(session, shop_id, now=clock.now())
        known = campaign_pages.by_code(session, shop_id)
        terms = campaigns.terms(session, shop_id)
    return make_response(
        render_template(
            "office/contactable/page.html",
            asked=[count for count in counts if count.basis == "consent"],
            sold=[count for count in counts if count.basis == "soft"],
            purposes=campaign_pages.purposes(known),
            soft_months=terms.soft_months,
        )
    )


@bp.post("/<shop>/contactable/export")
@guards.member("owner")
def export_contactable(here: Here) -> Response:
    """Answer the people of a purpose as a file, and note who took it (PR-10).

    A POST, because the note is written: nobody takes addresses without leaving one.
    """
    purpose, kind = request.form.get("purpose", ""), request.form.get("format", "")
    if kind not in FORMATS:
        abort(404)
    with transaction() as session:
        # What the page offers, and nothing that was made up: it goes into the note.
        found = contactable.find(session, here.shop.shop_id, purpose) or abort(404)
        here.note(session, "contactable.export", f"{purpose}/{kind}", now=clock.now())
        keys = contactable.heading(session, found)
    return _file(found, (*HEADING, *keys), keys, kind)


def _file(
    wanted: Wanted, heading: tuple[str, ...], keys: tuple[str, ...], kind: Format
) -> Response:
    # Now, as the rows are read when the request is over.
    vault = tools().vault
    rows = (
        line.cells(keys)
        for line in contactable.lines(
            current_database().reading, wanted, vault=vault, clock=clock.now
        )
    )
    name = f"{wanted.purpose.replace(':', '-')}-{clock.now():%Y-%m-%d}.{ENDINGS[kind]}"
    if kind == "xlsx":
        return _workbook(heading, rows, name)
    lines = sheets.texts(heading, rows, kind)
    return downloads.answer(lines, name, mimetype=MIMETYPES[kind])


def _workbook(heading: tuple[str, ...], rows: Iterable[Cells], name: str) -> Response:
    """Make the workbook in a file without a name, which goes away by itself."""
    made = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the answer
    try:
        sheets.workbook(made, heading, rows)
    except sheets.TooManyRowsError:
        made.close()
        abort(TOO_LARGE)
    made.seek(0)
    return send_file(
        made, mimetype=MIMETYPES["xlsx"], as_attachment=True, download_name=name
    )
