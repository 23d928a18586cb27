"""A shop's entries, and the way from a mail address to its person."""

from flask import (
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from server.db import reading
from server.domain.address import AddressError
from server.services.office import campaigns as campaign_pages
from server.services.office import entries as pages
from server.views import guards
from server.views.guards import Here
from server.views.house import tools
from server.views.office.blueprint import bp


@bp.get("/<shop>/entries")
@guards.member("viewer")
def entries(here: Here) -> Response:
    """Show entries, newest first, of all campaigns or one."""
    return _page(here)


@bp.post("/<shop>/entries/find")
@guards.member("viewer")
def find_contact(here: Here) -> AnyResponse:
    """Go to the person with exactly this address.

    A POST although it changes nothing: an address in a URL would end up in logs and
    in the browser's history (T23).
    """
    email = request.form.get("email", "")
    try:
        with reading() as session:
            public_id = pages.find_contact(
                session, here.shop.shop_id, email, vault=tools().vault
            )
    except AddressError:
        said = _("This does not look like a mail address.")
        return _page(here, email=email, problem=said, status=422)
    if public_id is None:
        said = _("Nobody with exactly this address took part in this shop.")
        return _page(here, email=email, problem=said)
    return redirect(
        url_for("office.contact", shop=here.shop.code, public_id=public_id), 303
    )


def _page(
    here: Here, *, email: str = "", problem: str | None = None, status: int = 200
) -> Response:
    campaign = request.args.get("campaign") or None
    after = request.args.get("after") or None
    with reading() as session:
        page = pages.page(
            session,
            here.shop.shop_id,
            campaign=campaign,
            after=after,
            vault=tools().vault,
        )
        campaigns = campaign_pages.by_code(session, here.shop.shop_id)
    return make_response(
        render_template(
            "office/entries/list.html",
            page=page or abort(404),
            campaigns=campaigns,
            campaign=campaign,
            after=after,
            email=email,
            problem=problem,
        ),
        status,
    )
