"""Tell of a sale from a till's own program or a webshop's (SO-01)."""

from datetime import datetime
from typing import Any

from flask import Response, jsonify, request
from flask_babel import gettext as _

from server import clock
from server.db import transaction
from server.domain.claim import Claim
from server.domain.people_file import SALES, Around, RowError
from server.services import consent_imports
from server.services.devices import Known
from server.views import guards
from server.views.api.blueprint import bp
from server.views.house import tools

ACCEPTED, UNREADABLE = 202, 400
NAMES = tuple(name for name in SALES.names if name != "offer_file")


@bp.post("/sales")
@guards.device_key
def sale(till: Known) -> Response:
    """Take a sale with all that a soft opt-in needs; the same one twice is one.

    Whatever is known of the person, the answer is the same: it tells nobody whether
    an address was erased, objected or is new.
    """
    now = clock.now()
    try:
        claim = _claim(now)
    except RowError as error:
        column, _sep, why = str(error).partition(": ")
        said = _("This cannot be used: see `field` and `why`.")
        return _answer(UNREADABLE, "unreadable", said, field=column, why=why)
    (batch,) = consent_imports.batches(
        [claim], shop_id=till.shop_id, vault=tools().vault
    )
    with transaction() as session:
        consent_imports.bring_in(session, batch, tools=tools(), now=now)
    return _answer(ACCEPTED, "noted", _("We noted the sale."))


def _claim(now: datetime) -> Claim:
    """Return the sale that was sent. Raises `RowError`."""
    try:
        body = request.get_json(silent=True)
    except RecursionError:
        body = None
    if not isinstance(body, dict):
        raise RowError("body: is no JSON object")
    for name, value in body.items():
        if name not in NAMES:
            raise RowError(f"{name[:40]}: is not known")
        if not isinstance(value, str):
            raise RowError(f"{name}: is no text")
    return SALES.claim(body, 1, Around("nl", _no_file, now))


def _no_file(name: str) -> str:
    raise FileNotFoundError(name)


def _answer(status: int, result: str, message: str, **more: Any) -> Response:
    response = jsonify(result=result, message=message, **more)
    response.status_code = status
    return response
