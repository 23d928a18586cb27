"""A shop's campaigns with their figures; one of them in full; pause and resume."""

from flask import Response, abort, make_response, render_template, url_for
from flask import redirect as to
from werkzeug.wrappers import Response as AnyResponse

from server import clock
from server.db import reading, transaction
from server.services import campaigns
from server.services.office import campaigns as pages
from server.services.office import figures
from server.views import guards
from server.views.guards import Here
from server.views.house import directory, settings
from server.views.office import charts
from server.views.office.blueprint import bp
from server.views.respond import page_or, wants_fragment

CHART_DAYS = 30


@bp.get("/<shop>/", endpoint="campaigns")
@guards.member("viewer")
def listing(here: Here) -> Response:
    """Show all campaigns, and what they gave lately."""
    now = clock.now()
    with reading() as session:
        lines = pages.listing(session, here.shop.shop_id)
        days = figures.last_days(
            session, [line.id for line in lines], until=now.date(), count=CHART_DAYS
        )
    return make_response(
        render_template(
            "office/campaigns/list.html",
            lines=lines,
            chart=charts.of_days(days),
            now=now,
        )
    )


@bp.get("/<shop>/campaigns/<code>")
@guards.member("viewer")
def campaign(here: Here, code: str) -> Response:
    """Show one campaign: figures, prizes, placements, texts and commitments."""
    now = clock.now()
    with reading() as session:
        detail = pages.find(session, here.shop.shop_id, code, now=now) or abort(404)
        days = figures.last_days(
            session, [detail.line.id], until=now.date(), count=CHART_DAYS
        )
    return make_response(
        render_template(
            "office/campaigns/page.html",
            detail=detail,
            line=detail.line,
            chart=charts.of_days(days),
            public_url=settings().public_url,
            now=now,
        )
    )


@bp.post("/<shop>/campaigns/<code>/pause")
@guards.member("owner")
def pause(here: Here, code: str) -> AnyResponse:
    """Stop new plays; who is playing may still claim after it goes on."""
    return _set_paused(here, code, paused=True)


@bp.post("/<shop>/campaigns/<code>/resume")
@guards.member("owner")
def resume(here: Here, code: str) -> AnyResponse:
    """Let a paused campaign go on."""
    return _set_paused(here, code, paused=False)


def _set_paused(here: Here, code: str, *, paused: bool) -> AnyResponse:
    now = clock.now()
    with transaction() as session:
        campaign_id = pages.find_id(session, here.shop.shop_id, code) or abort(404)
        if campaigns.set_paused(session, campaign_id, paused=paused):
            here.note(
                session,
                "campaign.pause" if paused else "campaign.resume",
                code,
                now=now,
            )
        detail = pages.find(session, here.shop.shop_id, code, now=now) or abort(404)
    directory().forget()
    if not wants_fragment():
        return to(url_for("office.campaign", shop=here.shop.code, code=code), 303)
    return page_or(
        "office/campaigns/_state.html",
        "office/campaigns/page.html",
        line=detail.line,
        now=now,
    )
