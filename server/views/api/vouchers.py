"""Redeem a voucher from a till's own program."""

from typing import Any

from flask import Response, jsonify, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from server import clock
from server.db import transaction
from server.domain.order import LONGEST_REFERENCE
from server.domain.voucher import LONGEST_CODE, Verdict
from server.services import purchases, vouchers
from server.services.devices import Known
from server.services.vouchers import By, Held
from server.views import client, guards
from server.views.api.blueprint import bp
from server.views.house import directory, limiter, tools
from server.views.vouchers import label, where

STATUS = {Verdict.REDEEMED: 200, Verdict.UNKNOWN: 404}
CONFLICT = 409
TOO_MANY = _l("Those were many wrong codes. Wait a minute before the next one.")


@bp.post("/vouchers/redeem")
@guards.device_key
def redeem(till: Known) -> Response:
    """Redeem `{"code": ...}` at this till, once; `order` goes with what pays one back.

    A code of another shop is answered like one that was made up.
    """
    code = _sent("code", longest=LONGEST_CODE)
    order = _sent("order", longest=LONGEST_REFERENCE) or ""
    if code is None:
        said = _('Send JSON like {"code": "7K3M-9TQX-2PWD-R"}.')
        return _answer(400, "unreadable", said)
    network = client.network()
    if not limiter().may_redeem(network=network):
        response = _answer(429, "too_many", str(TOO_MANY))
        response.headers["Retry-After"] = "60"
        return response
    by = By(f"device:{till.public_id}", till.name)
    with transaction() as session:
        done = vouchers.redeem(
            session,
            till.shop_id,
            code,
            by=by,
            directory=directory(),
            now=clock.now(),
            order_hash=purchases.hashed(tools().vault, till.shop_id, order),
        )
    if done.verdict is Verdict.UNKNOWN:
        limiter().wrong_voucher(network=network)
    return _answer(
        STATUS.get(done.verdict, CONFLICT),
        done.verdict.value,
        where(done),
        **(_told(done.held, by) if done.held else {}),
    )


def _sent(name: str, *, longest: int) -> str | None:
    """Return a text that was sent; None if there is none that could be one."""
    try:
        body = request.get_json(silent=True)
    except RecursionError:
        return None
    text = body.get(name) if isinstance(body, dict) else None
    if not isinstance(text, str) or not 0 < len(text.strip()) <= longest:
        return None
    return text


def _told(held: Held, by: By) -> dict[str, Any]:
    return {
        "code": held.code,
        "prize": held.prize.key,
        "kind": held.prize.kind,
        "label": label(held),
        "cents": held.cents,
        "campaign": held.campaign,
        "valid_until": held.valid_until and held.valid_until.isoformat(),
        "redeemed_at": held.redeemed_at and held.redeemed_at.isoformat(),
        "place": held.place,
        # A till that got no answer asks again: then it was itself that redeemed it.
        "by_this_device": held.redeemed_by == by.who,
    }


def _answer(status: int, result: str, message: str, **more: Any) -> Response:
    response = jsonify(result=result, message=message, **more)
    response.status_code = status
    return response
