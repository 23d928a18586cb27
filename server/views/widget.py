"""The game in its frame: the page, the entry, the shop's colours and the terms."""

from dataclasses import replace
from datetime import datetime

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask_babel import format_datetime
from flask_babel import gettext as _

from server import clock
from server.db import reading, transaction
from server.domain import entry as rules
from server.domain import order
from server.domain.entry import Step, Submission, Ticket
from server.domain.placement import page_of
from server.services import boxcodes, claims, entries, recalls, turns
from server.services.campaigns import Live
from server.services.entries import Attempted, Outcome
from server.views import boxpages, client, errors, guards, proof, visits
from server.views.closed import why as why_closed
from server.views.faces import ENDINGS, stylesheet_of
from server.views.headers import KEPT_FOR_EVER, csp_nonce
from server.views.house import faces, limiter, tools
from server.views.respond import one_of, varied
from server.views.visits import PAGE, TILL, Visit

bp = Blueprint("widget", __name__)


@bp.get("/w/<code>")
@guards.anyone
def page(code: str) -> Response:
    """Answer the game with a fresh ticket; nothing is written (CR-01, EM-01)."""
    live = visits.live_at(code)
    if live.placement.channel == TILL:
        return _only_at_the_till(live)
    if live.placement.channel == boxcodes.CHANNEL:
        return _only_with_a_code(live)
    return game(live, page_of(request.args.get("page", ""), live.shop.sites))


def game(live: Live, page: str, *, device: str = "", box: str = "") -> Response:
    """Answer a placement's game with a ticket for it.

    A tablet's is bound to the tablet, that of a box to its code.
    """
    locale = visits.speak(live, request.args.get("lang"))
    if closed := _closed(live, clock.now()):
        return closed
    face = faces().of(live, locale, _extra(live, request.args.get("asked", "")))
    ticket = visits.new_ticket(live, face, page=page, device=device, box=box)
    body = face.page.filled(
        rules.read_hidden(request.args, live.campaign),
        ticket=visits.signed(ticket),
        nonce=csp_nonce(),
    )
    return visits.in_frame(make_response(body))


def unclaimed(live: Live, played: bytes, *, box: str) -> Response | None:
    """Answer a game that was played and not claimed yet, to who holds its code.

    None if it was claimed or lapsed since it was looked up.
    """
    face = faces().of(live, visits.speak(live, request.args.get("lang")))
    ticket = replace(visits.new_ticket(live, face, box=box), id=played)
    visit = Visit(live, face, Submission(), Step.CLAIM, ticket)
    won = visit.played()
    if won is None:
        return None
    result = visits.result_of(won, face)
    return visit.show("widget/_reveal.html", result=result, is_revealed=True)


@bp.post("/w/<code>/entries")
@guards.anyone
def submit(code: str) -> Response:
    """Take a play, a claim, or both, and answer with what came of it."""
    live = visits.live_at(code)
    form = request.form
    ticket, trouble = visits.ticket_of(form.get("ticket", ""), code)
    locale = visits.speak(live, None, of=ticket)
    face = faces().marked(live, locale, ticket.form if ticket else "")
    submission = rules.read(form, live.campaign, locale, extra=face.extra)
    visit = Visit(live, face, submission, submission.step(live.campaign), ticket)
    if closed := _closed_to(visit, clock.now()):
        return closed
    if submission.adult == "no":
        return visit.show("widget/_minor.html")
    if live.placement.channel == TILL and not (ticket and ticket.device):
        return _only_at_the_till(live)
    if live.placement.channel == boxcodes.CHANNEL and not (ticket and ticket.box):
        return _only_with_a_code(live)
    if ticket is None or trouble:
        return visit.ask_again(trouble)
    faults = rules.check(submission, live.campaign, visit.step)
    is_other_form = visit.step is not Step.PLAY and ticket.form != face.mark
    if not (faults or is_other_form):
        return _enter(visit, ticket)
    if visit.step is Step.CLAIM:
        won = visit.played()
        if won is None:
            # Nothing waits to be claimed, so there is no form to mend either.
            return _recall(visit, _attempted(visit, ticket, may_ask=False))
        # All at once, in the order of the form.
        faults = claims.faults(submission, won.prize) | faults
    return visit.ask_again(None if faults else visits.renewed(), faults=faults)


@bp.get("/w/<code>/theme-<mark>.css")
@guards.anyone
def stylesheet(code: str, mark: str) -> Response:
    """Answer the widget's style with the shop's tokens; its name is its content's."""
    response = Response(stylesheet_of(visits.live_at(code)), mimetype="text/css")
    response.headers["Cache-Control"] = KEPT_FOR_EVER
    return visits.for_frame(response)


@bp.get("/terms/<code>")
@guards.anyone
def terms(code: str) -> Response:
    """Answer the game terms on a page of their own."""
    live = visits.live_at(code)
    locale = visits.speak(live, request.args.get("lang"))
    context = faces().of(live, locale).context | {"csp_nonce": csp_nonce}
    return make_response(render_template("widget/terms.html", **context))


def _enter(visit: Visit, ticket: Ticket) -> Response:
    if proof.is_due(visit.live, visit.submission, visit.step, ticket):
        return visit.ask_proof()
    now = clock.now()
    # Once more, by the moment that counts: the end may have come meanwhile.
    if closed := _closed_to(visit, now):
        return closed
    may_ask = _may_ask(visit, ticket)
    attempted = _attempted(visit, ticket, may_ask=may_ask)
    try:
        with transaction() as session:
            outcome = entries.submit(session, attempted, tools=tools(), now=now)
    except entries.TicketUsedError:
        return _recall(visit, attempted)
    except boxcodes.SpentError:
        with reading() as session:
            kept = boxcodes.kept(session, ticket.box)
        return visits.in_frame(boxpages.spent(visit.live, kept, now=now))
    except claims.UnclaimedError as error:
        if visit.step is Step.BOTH:
            # The play stands, so that nobody tries tickets until one wins.
            return _enter(replace(visit, step=Step.PLAY), ticket)
        return visit.ask_again(faults=error.faults)
    except turns.EnoughError as error:
        return _enough(visit, error.again)
    return _reveal(visit, outcome, may_ask=may_ask)


def _may_ask(visit: Visit, ticket: Ticket) -> bool:
    """Count a request for a mail, once for a ticket, and return whether it may go."""
    return not visit.submission.consents or limiter().may_ask(
        ticket=ticket.id,
        network=client.network(),
        device=ticket.device,
        shop_id=visit.live.shop_id,
    )


def _enough(visit: Visit, again: datetime | None) -> Response:
    """Say that somebody has had their turns, and when they have another one."""
    if again is None:
        advice = _("With this address you cannot take part again in this game.")
    else:
        at = format_datetime(again, "EEEE d MMMM, HH:mm")
        advice = _("With this address you can take part again from %(at)s.", at=at)
    return visit.show(
        "widget/_problem.html",
        status=409,
        title=_("You have already taken part"),
        advice=advice,
        retry_url=None,
    )


def _attempted(visit: Visit, ticket: Ticket, *, may_ask: bool) -> Attempted:
    return Attempted(
        live=visit.live,
        submission=visit.submission,
        step=visit.step,
        ticket=ticket.id,
        locale=ticket.locale,
        shown=visit.face.shown,
        by=client.circumstances(visit.live.shop, ticket.page),
        device=ticket.device,
        box=ticket.box,
        may_ask=may_ask,
    )


def _recall(visit: Visit, attempted: Attempted) -> Response:
    try:
        with reading() as session:
            outcome = recalls.recall(
                session, attempted, print_key=tools().vault.print_key, now=clock.now()
            )
    except recalls.OtherDataError:
        return visit.show(
            "widget/_problem.html",
            status=409,
            title=_("This play has already been made"),
            advice=_("Its outcome stands. You can start again."),
            retry_url=_start_url(visit),
        )
    except recalls.LapsedError:
        return _too_late(visit)
    return _reveal(visit, outcome, may_ask=attempted.may_ask)


def _too_late(visit: Visit) -> Response:
    """Say that the hour to claim is over, and offer another play if there is one."""
    is_open = visit.live.is_open(clock.now())
    return visit.show(
        "widget/_problem.html",
        status=410,
        title=_("The time to claim is over"),
        advice=_("The prize went back into the game. You can play again.")
        if is_open
        else _("A prize can be claimed for one hour after the play."),
        retry_url=_start_url(visit) if is_open else None,
    )


def _reveal(visit: Visit, outcome: Outcome, *, may_ask: bool) -> Response:
    ending = ENDINGS.get(visit.live.campaign.mechanic, "widget/_reveal.html")
    fragment = "widget/_done.html" if visit.step is Step.CLAIM else ending
    result = visits.result_of(outcome, visit.face, may_ask=may_ask)
    sheet = visit.face.answer(one_of(fragment, PAGE), fragment, result)
    body = sheet.filled(
        _prefilled(visit),
        ticket=visits.signed(visit.ticket) if visit.ticket and sheet.has_ticket else "",
        nonce=csp_nonce(),
        code=result.code,
        mailbox=result.mailbox,
        worth=result.worth,
        play=result.play,
        seed=result.seed,
        day=result.day,
        label=result.number,
        until=result.until,
        site=visit.site,
    )
    return visits.in_frame(varied(body))


def _prefilled(visit: Visit) -> dict[str, str]:
    """Return what the page told of an order, as people would type it."""
    told = dict(visit.submission.hidden)
    amount = visit.live.campaign.told_as(order.AMOUNT)
    if amount in told:
        told[amount] = order.as_typed(told[amount], visit.face.context["locale"])
    return told


def _only_at_the_till(live: Live) -> Response:
    """Say that a till's game is played on a registered tablet and nowhere else."""
    visits.speak(live, request.args.get("lang"))
    title = _("This game is played in the shop")
    advice = _("Ask for the tablet at the till. Press “Done” there to start again.")
    return visits.in_frame(errors.problem(403, title, advice))


def _only_with_a_code(live: Live) -> Response:
    """Ask for the code of a box where a game cannot be played without one."""
    visits.speak(live, request.args.get("lang"))
    said = _("This game opens with the code in your box. Scan it, or type it here.")
    return visits.in_frame(boxpages.door(problem=said, status=403, shop=live.shop))


def _extra(live: Live, asked: str) -> str | None:
    """Return the extra question of this visit: the first that was not asked yet.

    Only the visitor's browser knows what it was asked. What we know of an address
    plays no part, so the question says nothing about it (AB-03).
    """
    if live.placement.channel == TILL:
        # A tablet remembers nobody, so it would ask everybody the same.
        return None
    known = asked.split(",")
    return next((key for key in live.campaign.extras if key not in known), None)


def _closed_to(visit: Visit, now: datetime) -> Response | None:
    """Return what is answered where a campaign cannot be played then; None if it can.

    What was won before the end can still be claimed after it, and who took part in time
    and did not hear the answer is told it.
    """
    if visit.step is Step.CLAIM:
        return None
    closed = _closed(visit.live, now)
    return closed and (_told_again(visit) or closed)


def _told_again(visit: Visit) -> Response | None:
    """Return what came of an entry that was made before, if it is this one."""
    ticket = visit.ticket
    if ticket is None:
        return None
    attempted = _attempted(visit, ticket, may_ask=True)
    try:
        with reading() as session:
            outcome = recalls.recall(
                session, attempted, print_key=tools().vault.print_key, now=clock.now()
            )
    except (recalls.OtherDataError, recalls.LapsedError):
        return None
    return _reveal(visit, outcome, may_ask=_may_ask(visit, ticket))


def _closed(live: Live, now: datetime) -> Response | None:
    """Return the page for a campaign that cannot be played then, if it is one."""
    closed = why_closed(live, now=now)
    if closed is None:
        return None
    return visits.in_frame(
        errors.problem(
            closed.status,
            closed.title,
            closed.advice,
            sender=live.shop.name,
            ways=closed.ways,
        )
    )


def _start_url(visit: Visit) -> str:
    channel = visit.live.placement.channel
    if channel == boxcodes.CHANNEL:
        return url_for("boxcodes.door")
    return url_for(
        "till.game" if channel == TILL else "widget.page",
        code=visit.live.placement.code,
        lang=visit.face.context["locale"],
    )
