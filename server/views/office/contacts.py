"""One person, and the proof of each of their choices."""

from flask import Response, abort, make_response, render_template
from sqlalchemy.orm import Session

from server import clock
from server.db import reading, transaction
from server.services.office import campaigns as campaign_pages
from server.services.office import contacts as pages
from server.services.office.contacts import Dossier
from server.views import guards
from server.views.guards import Here
from server.views.house import directory, tools
from server.views.office.blueprint import bp
from server.views.respond import page_or


@bp.get("/<shop>/contacts/<public_id>")
@guards.member("viewer")
def contact(here: Here, public_id: str) -> Response:
    """Show consents, requests and entries; the evidence itself stays sealed."""
    with reading() as session:
        person = _find(session, here, public_id)
        campaigns = campaign_pages.by_code(session, here.shop.shop_id)
    return make_response(
        render_template(
            "office/contacts/page.html",
            person=person,
            campaigns=campaigns,
            purposes=campaign_pages.purposes(campaigns),
            opened={},
        )
    )


@bp.post("/<shop>/contacts/<public_id>/evidence/<name>")
@guards.member("owner")
def evidence(here: Here, public_id: str, name: str) -> Response:
    """Open one piece of evidence, and note who looked at it (PR-10).

    A POST, because the note is written: nobody looks without leaving one.
    """
    shop_id = here.shop.shop_id
    with transaction() as session:
        if not pages.has_evidence(session, shop_id, public_id, name):
            abort(404)
        here.note(session, "evidence.show", f"{public_id}/{name}", now=clock.now())
        facts = pages.evidence(session, shop_id, public_id, name, tools=tools())
        person = _find(session, here, public_id)
        campaigns = campaign_pages.by_code(session, shop_id)
    return page_or(
        "office/contacts/_evidence.html",
        "office/contacts/page.html",
        person=person,
        campaigns=campaigns,
        purposes=campaign_pages.purposes(campaigns),
        name=name,
        opened={name: facts},
    )


def _find(session: Session, here: Here, public_id: str) -> Dossier:
    found = pages.find(
        session,
        here.shop.shop_id,
        public_id,
        directory=directory(),
        vault=tools().vault,
        now=clock.now(),
    )
    return found or abort(404)
