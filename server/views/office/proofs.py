"""The evidence file of a person, and all their data: one press each (PR-04, DS-01)."""

from typing import Any

from flask import Response, abort, jsonify, make_response, render_template, request
from flask_babel import gettext as _

from server import clock
from server.db import reading, transaction
from server.domain import proof as rules
from server.domain.parts import LOCALES
from server.domain.proof import Proof
from server.services import portable, proofs
from server.services.office import campaigns as campaign_pages
from server.views import guards, language
from server.views.guards import Here
from server.views.house import tools
from server.views.office import story
from server.views.office.blueprint import bp


@bp.post("/<shop>/contacts/<public_id>/proof")
@guards.member("owner")
def proof(here: Here, public_id: str) -> Response:
    """Show all that proves a person's choices, as a page to print or as a file.

    A POST, because the look is noted, and noted before anything is opened (PR-10).
    """
    purpose = request.form.get("purpose") or None
    with transaction() as session:
        if not proofs.has(session, here.shop.shop_id, public_id, purpose):
            abort(404)
        here.note(
            session, "evidence.file", f"{public_id}/{purpose or '*'}", now=clock.now()
        )
    with reading() as session:
        found = proofs.gather(
            session,
            here.shop.shop_id,
            public_id,
            purpose=purpose,
            tools=tools(),
            now=clock.now(),
        ) or abort(404)
        campaigns = campaign_pages.by_code(session, here.shop.shop_id)
    if (wish := request.form.get("lang")) in LOCALES:
        language.speak(str(wish))
    if request.form.get("as") == "json":
        return _as_file(found)
    return make_response(
        render_template(
            "office/contacts/proof.html",
            proof=found,
            title=_title(found),
            campaigns=campaigns,
            purposes=campaign_pages.purposes(campaigns),
            story=story,
            how_to_check=story.how_to_check(),
        )
    )


@bp.post("/<shop>/contacts/<public_id>/data")
@guards.member("owner")
def data(here: Here, public_id: str) -> Response:
    """Hand out all that the shop knows of a person, as they may ask (GDPR 15, 20).

    Their own network addresses are in it, so the look is noted here too (PR-10).
    """
    with transaction() as session:
        who = portable.holder(
            session, here.shop.shop_id, public_id, vault=tools().vault
        ) or abort(404)
        here.note(session, "person.export", public_id, now=clock.now())
    with reading() as session:
        content = portable.export(session, who, tools=tools(), now=clock.now())
    return attached(content, f"person-{public_id}.json")


def _as_file(found: Proof) -> Response:
    content = rules.as_file(
        found, title=_title(found), how_to_check=story.how_to_check()
    )
    return attached(content, f"evidence-{found.person.public_id}.json")


def attached(content: dict[str, Any], name: str) -> Response:
    """Answer a JSON file of that name."""
    response = jsonify(content)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _title(found: Proof) -> str:
    email = found.person.email
    if not email:
        return str(_("Proof of consent of a person who was erased"))
    return str(_("Proof of consent of %(email)s", email=email))
