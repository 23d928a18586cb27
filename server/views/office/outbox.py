"""A shop's mails: where each stands. A dead letter may be tried again."""

from flask import (
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from server import clock
from server.db import reading, transaction
from server.services import outbox as letters
from server.services.office import outbox as pages
from server.views import guards
from server.views.guards import Here
from server.views.house import tools
from server.views.office.blueprint import bp
from server.views.respond import page_or, wants_fragment


@bp.get("/<shop>/outbox")
@guards.member("viewer")
def outbox(here: Here) -> Response:
    """Show mails, newest first; never what they say (DO-15)."""
    state = request.args.get("state") or None
    after = request.args.get("after") or None
    if state is not None and state not in letters.STATES:
        abort(404)
    with reading() as session:
        page = pages.page(
            session,
            here.shop.shop_id,
            state=state,
            after=after,
            vault=tools().vault,
        )
    return make_response(
        render_template(
            "office/outbox/list.html",
            page=page or abort(404),
            state=state,
            states=letters.STATES,
            after=after,
            now=clock.now(),
        )
    )


@bp.post("/<shop>/outbox/<name>/retry")
@guards.member("owner")
def retry(here: Here, name: str) -> AnyResponse:
    """Let a dead letter be tried again; for any other mail nothing changes."""
    shop_id, now = here.shop.shop_id, clock.now()
    with transaction() as session:
        row = pages.find_id(session, shop_id, name) or abort(404)
        if letters.revive(session, row, shop_id=shop_id, now=now):
            here.note(session, "outbox.retry", name, now=now)
        mail = pages.find(session, shop_id, name, vault=tools().vault)
    if not wants_fragment():
        return redirect(url_for("office.outbox", shop=here.shop.code), 303)
    return page_or(
        "office/outbox/_mail.html", "office/outbox/list.html", mail=mail, now=now
    )
