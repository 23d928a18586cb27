"""Who else is told about people: how that stands, and what could not be told (DS-06).

Adding a recipient or giving it a new secret is left to the command line: whoever sits
down at a browser that somebody left open must not lead data elsewhere (SAFETY.md T19).
"""

from collections.abc import Callable
from functools import partial

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
from server.services.office.pager import Page
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
    return _pressed(here, recipient, "recipient.on", webhooks.turn_on)


@bp.post("/<shop>/recipients/<recipient>/off")
@guards.member("owner")
def turn_off_recipient(here: Here, recipient: str) -> AnyResponse:
    """Tell a recipient nothing for now."""
    turn_off = partial(webhooks.turn_off, why="in the office")
    return _pressed(here, recipient, "recipient.off", turn_off)


@bp.post("/<shop>/recipients/<recipient>/test")
@guards.member("owner")
def test_recipient(here: Here, recipient: str) -> AnyResponse:
    """Let the worker send something that is about nobody."""
    return _pressed(here, recipient, "recipient.test", _try_line)


def _try_line(session: Session, row: webhooks.Recipient) -> bool:
    if row.state != "active":
        return False
    webhooks.put_test(session, row, tools=tools(), now=clock.now())
    return True


def _pressed(
    here: Here,
    recipient: str,
    act: str,
    change: Callable[[Session, webhooks.Recipient], bool],
) -> AnyResponse:
    """Do to a recipient what was pressed, and note it if that changed anything."""
    with transaction() as session:
        row = webhooks.find(session, recipient, of_shop=here.shop.shop_id)
        if change(session, row or abort(404)):
            here.note(session, act, recipient, now=clock.now())
    return _back(here)


@bp.post("/<shop>/deliveries/<message>/retry")
@guards.member("owner")
def retry_delivery(here: Here, message: str) -> AnyResponse:
    """Let what was given up be tried again; for anything else nothing changes."""
    return _settled(here, message, "delivery.retry", delivery_lists.revive)


@bp.post("/<shop>/deliveries/<message>/told")
@guards.member("owner")
def told_by_hand(here: Here, message: str) -> AnyResponse:
    """Close what was given up, because somebody told the recipient themselves."""
    return _settled(here, message, "delivery.told", delivery_lists.told_by_hand)


def _settled(
    here: Here, message: str, act: str, change: Callable[..., bool]
) -> AnyResponse:
    """Do to what was given up what was pressed, and note it if it still was."""
    shop_id, now = here.shop.shop_id, clock.now()
    with transaction() as session:
        _line(session, here, message)
        if change(session, message, shop_id=shop_id, now=now):
            here.note(session, act, message, now=now)
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
        page=Page([line], older=None),
        state=line.state,
        states=delivery_lists.STATES,
        after=None,
        purposes=campaign_pages.purposes(campaigns),
    )


def _line(session: Session, here: Here, message: str) -> Line:
    shop_id, vault = here.shop.shop_id, tools().vault
    return pages.find(session, shop_id, message, vault=vault) or abort(404)


def _back(here: Here) -> AnyResponse:
    return redirect(url_for("office.recipients", shop=here.shop.code), 303)
