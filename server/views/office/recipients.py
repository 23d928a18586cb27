"""Who else is told about people: how that stands, and what could not be told (DS-06).

Adding a recipient or giving it a new secret is left to the command line: whoever sits
down at a browser that somebody left open must not lead data elsewhere (SAFETY.md T19).
"""

from flask import (
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from server import clock
from server.db import reading, transaction
from server.services import delivery_lists, webhooks
from server.services.office import campaigns as campaign_pages
from server.services.office import recipients as pages
from server.services.office.recipients import Line
from server.views import guards
from server.views.guards import Here
from server.views.house import tools
from server.views.office.blueprint import bp
from server.views.respond import page_or, wants_fragment

ROW, LIST = "office/recipients/_delivery.html", "office/recipients/list.html"


@bp.get("/<shop>/recipients")
@guards.member("owner")
def recipients(here: Here) -> Response:
    """Show the recipients, and what each was told, newest first."""
    state = request.args.get("state") or None
    after = request.args.get("after") or None
    if state is not None and state not in delivery_lists.STATES:
        abort(404)
    shop_id = here.shop.shop_id
    with reading() as session:
        every = pages.every(session, shop_id)
        page = pages.page(
            session, shop_id, state=state, after=after, vault=tools().vault
        )
        campaigns = campaign_pages.by_code(session, shop_id)
    return make_response(
        render_template(
            LIST,
            recipients=every,
            page=page or abort(404),
            state=state,
            states=delivery_lists.STATES,
            after=after,
            opened={},
            purposes=campaign_pages.purposes(campaigns),
        )
    )


@bp.post("/<shop>/recipients/<recipient>/on")
@guards.member("owner")
def turn_on_recipient(here: Here, recipient: str) -> AnyResponse:
    """Tell a recipient again, first of all what waited."""
    with transaction() as session:
        row = _found(session, here, recipient)
        if webhooks.turn_on(session, row):
            here.note(session, "recipient.on", recipient, now=clock.now())
    return _back(here)


@bp.post("/<shop>/recipients/<recipient>/off")
@guards.member("owner")
def turn_off_recipient(here: Here, recipient: str) -> AnyResponse:
    """Tell a recipient nothing for now."""
    with transaction() as session:
        row = _found(session, here, recipient)
        if webhooks.turn_off(session, row, why="in the office"):
            here.note(session, "recipient.off", recipient, now=clock.now())
    return _back(here)


@bp.post("/<shop>/recipients/<recipient>/test")
@guards.member("owner")
def test_recipient(here: Here, recipient: str) -> AnyResponse:
    """Let the worker send something that is about nobody."""
    with transaction() as session:
        row = _found(session, here, recipient)
        if row.state == "active":
            webhooks.put_test(session, row, tools=tools(), now=clock.now())
            here.note(session, "recipient.test", recipient, now=clock.now())
    return _back(here)


@bp.post("/<shop>/deliveries/<message>/retry")
@guards.member("owner")
def retry_delivery(here: Here, message: str) -> AnyResponse:
    """Let what was given up be tried again; for anything else nothing changes."""
    shop_id, now = here.shop.shop_id, clock.now()
    with transaction() as session:
        _line(session, here, message)
        if delivery_lists.revive(session, message, shop_id=shop_id, now=now):
            here.note(session, "delivery.retry", message, now=clock.now())
    return _row(here, message)


@bp.post("/<shop>/deliveries/<message>/told")
@guards.member("owner")
def told_by_hand(here: Here, message: str) -> AnyResponse:
    """Close what was given up, because somebody told the recipient themselves."""
    shop_id, now = here.shop.shop_id, clock.now()
    with transaction() as session:
        _line(session, here, message)
        if delivery_lists.told_by_hand(session, message, shop_id=shop_id, now=now):
            here.note(session, "delivery.told", message, now=clock.now())
    return _row(here, message)


@bp.post("/<shop>/deliveries/<message>/address")
@guards.member("owner")
def delivery_address(here: Here, message: str) -> AnyResponse:
    """Show whom something that was given up is about, and note who looked."""
    shop_id = here.shop.shop_id
    with transaction() as session:
        _line(session, here, message)
        found = pages.address(session, shop_id, message, vault=tools().vault)
        if found is not None:
            here.note(session, "delivery.address", message, now=clock.now())
    return _row(here, message, address=found)


def _row(here: Here, message: str, *, address: str | None = None) -> AnyResponse:
    """Answer with the row as it is now; without a script, with the page it is on."""
    if not wants_fragment() and address is None:
        return _back(here)
    shop_id = here.shop.shop_id
    with reading() as session:
        line = _line(session, here, message)
        every = pages.every(session, shop_id)
        campaigns = campaign_pages.by_code(session, shop_id)
    return page_or(
        ROW,
        LIST,
        line=line,
        opened={message: address} if address else {},
        recipients=every,
        page=pages.Page([line], older=None),
        state=line.state,
        states=delivery_lists.STATES,
        after=None,
        purposes=campaign_pages.purposes(campaigns),
    )


def _line(session: Session, here: Here, message: str) -> Line:
    shop_id, vault = here.shop.shop_id, tools().vault
    return pages.find(session, shop_id, message, vault=vault) or abort(404)


def _found(session: Session, here: Here, public_id: str) -> webhooks.Recipient:
    row = webhooks.find(session, public_id, of_shop=here.shop.shop_id)
    return row or abort(404)


def _back(here: Here) -> AnyResponse:
    return redirect(url_for("office.recipients", shop=here.shop.code), 303)
