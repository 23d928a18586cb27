"""The game in its frame: the page, the entry, the shop's colours and the terms."""

import os
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    render_template,
    request,
    url_for,
)
from flask_babel import format_datetime
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from server import clock
from server.db import reading, transaction
from server.domain import entry as rules
from server.domain import order, raffle
from server.domain.answers import Reason
from server.domain.campaign import worth
from server.domain.entry import Step, Submission, Ticket
from server.domain.links import BadTokenError, ExpiredTokenError, Salt
from server.domain.parts import Locale
from server.domain.placement import page_of, site_of
from server.services import boxcodes, claims, entries, recalls, turns, typed
from server.services.campaigns import Live
from server.services.entries import Attempted, Outcome
from server.views import boxpages, client, errors, guards, language, proof, quiz
from server.views.closed import why as why_closed
from server.views.faces import ENDINGS, Face, Result, stylesheet_of
from server.views.headers import KEPT_FOR_EVER, csp_nonce, framed_by
from server.views.house import (
    directory,
    faces,
    limiter,
    proofs,
    signer,
    tools,
)
from server.views.money import euros
from server.views.respond import one_of, page_or, varied

PAGE = "widget/page.html"
TILL = "till"

bp = Blueprint("widget", __name__)

# Said to the visitor; `email` and the like name the field that is at fault.
FAULTS = {
    Reason.MISSING: _l("Please fill this in."),
    Reason.NOT_AN_ADDRESS: _l("This does not look like a mail address."),
    Reason.TOO_LONG: _l("This is too long; a few words are enough."),
    Reason.NOT_A_NAME: _l("Please use letters only, 40 at most."),
    Reason.NOT_A_DAY: _l("Fill in a day and a month that exist, like 3 and March."),
    Reason.NOT_A_POSTCODE: _l("A Dutch postcode looks like 1234 AB."),
    Reason.NOT_A_PHONE: _l(
        "This is not a phone number we know. From abroad, start with + and the country."
    ),
    Reason.NOT_OFFERED: _l("Choose one of the answers."),
    Reason.NOTHING_CHOSEN: _l(
        "Tick what we may mail you. Without a yes there is nothing we can send."
    ),
    Reason.NOT_ACCEPTED: _l("You can only play if you accept the game terms."),
    Reason.NOT_AN_AMOUNT: _l("Write what the order cost, like 49,95."),
    Reason.RAN_OUT: _l("This has just run out. Please choose something else."),
    Reason.ORDER_USED: _l(
        "This order was won back before, and that goes once. Do you have another one?"
    ),
}
OWN_FAULTS = {
    ("email", Reason.MISSING): _l("Fill in your mail address, so we can send it."),
    ("order", Reason.MISSING): _l("Fill in the number of the order you want back."),
    ("choice", Reason.NOT_OFFERED): _l("Choose your prize."),
    ("adult", Reason.MISSING): _l("Tell us whether you are old enough."),
}


@bp.get("/w/<code>")
@guards.anyone
def page(code: str) -> Response:
    """Answer the game with a fresh ticket; nothing is written (CR-01, EM-01)."""
    live = _live(code)
    if live.placement.channel == TILL:
        return _only_at_the_till(live)
    if live.placement.channel == boxcodes.CHANNEL:
        return _only_with_a_code(live)
    return game(live, page_of(request.args.get("page", ""), live.shop.sites))


def game(live: Live, page: str, *, device: str = "", box: str = "") -> Response:
    """Answer a placement's game with a ticket for it.

    A tablet's is bound to the tablet, that of a box to its code.
    """
    locale = speak(live, request.args.get("lang"))
    if closed := _closed(live, clock.now()):
        return closed
    face = faces().of(live, locale, _extra(live, request.args.get("asked", "")))
    ticket = _new_ticket(live, face, page=page, device=device, box=box)
    body = face.page.filled(
        rules.read_hidden(request.args, live.campaign),
        ticket=_signed(ticket),
        nonce=csp_nonce(),
    )
    return _in_frame(make_response(body))


def unclaimed(live: Live, played: bytes, *, box: str) -> Response | None:
    """Answer a game that was played and not claimed yet, to who holds its code.

    None if it was claimed or lapsed since it was looked up.
    """
    face = faces().of(live, speak(live, request.args.get("lang")))
    ticket = replace(_new_ticket(live, face, box=box), id=played)
    visit = _Visit(live, face, Submission(), Step.CLAIM, ticket)
    won = visit.played()
    if won is None:
        return None
    result = _result(won, face)
    return visit.show("widget/_reveal.html", result=result, is_revealed=True)


@bp.post("/w/<code>/entries")
@guards.anyone
def submit(code: str) -> Response:
    """Take a play, a claim, or both, and answer with what came of it."""
    live = _live(code)
    form = request.form
    ticket, trouble = _ticket(form.get("ticket", ""), code)
    locale = speak(live, None, of=ticket)
    face = faces().marked(live, locale, ticket.form if ticket else "")
    submission = rules.read(form, live.campaign, locale, extra=face.extra)
    visit = _Visit(live, face, submission, submission.step(live.campaign), ticket)
    # What was won before the end can still be claimed after it.
    if visit.step is not Step.CLAIM and (closed := _closed(live, clock.now())):
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
    if visit.step is Step.CLAIM and not visit.played():
        # Nothing waits to be claimed, so there is no form to mend either.
        return _recall(visit, _attempted(visit, ticket, may_ask=False))
    return visit.ask_again(None if faults else _renewed(), faults=faults)


@bp.post("/w/<code>/digits")
@guards.anyone
def digits(code: str) -> Response:
    """Confirm what was asked from this page by the digits in its mail (DO-13).

    Who is not written to gets the same answers as who mistypes (AB-03).
    """
    live = _live(code)
    ticket, trouble = _ticket(request.form.get("ticket", ""), code)
    face = faces().of(live, speak(live, None, of=ticket))
    visit = _Visit(live, face, Submission(), Step.CLAIM, ticket)
    if ticket is None:
        return visit.type_again(trouble)
    if not limiter().may_type(ticket=ticket.id):
        fault = _("These were enough tries. Press the button in the mail instead.")
        return visit.type_again(fault, status=429)
    now = clock.now()
    try:
        with reading() as session:
            found = typed.find(
                session,
                ticket.id,
                request.form.get("digits", ""),
                directory=directory(),
                vault=tools().vault,
                now=now,
            )
    except typed.WrongDigitsError:
        return visit.type_again(
            _("Type the six digits of the newest mail, like 123 456.")
        )
    by = client.circumstances(live.shop, ticket.page)
    with transaction() as session:
        typed.confirm(session, found, by=by, tools=tools(), now=now)
    return visit.show("widget/_confirmed.html")


@bp.get("/w/<code>/theme-<mark>.css")
@guards.anyone
def stylesheet(code: str, mark: str) -> Response:
    """Answer the widget's style with the shop's tokens; its name is its content's."""
    response = Response(stylesheet_of(_live(code)), mimetype="text/css")
    response.headers["Cache-Control"] = KEPT_FOR_EVER
    return _for_frame(response)


@bp.get("/terms/<code>")
@guards.anyone
def terms(code: str) -> Response:
    """Answer the game terms on a page of their own."""
    live = _live(code)
    locale = speak(live, request.args.get("lang"))
    context = faces().of(live, locale).context | {"csp_nonce": csp_nonce}
    return make_response(render_template("widget/terms.html", **context))


@dataclass(frozen=True, slots=True)
class _Visit:
    """One submission on its way, with what is needed to answer it."""

    live: Live
    face: Face
    submission: Submission
    step: Step
    ticket: Ticket | None

    @property
    def site(self) -> str:
        """Return the shop's site that the visitor is on, as our ticket says it."""
        page = self.ticket.page if self.ticket else ""
        return site_of(page, self.live.shop.sites)

    def show(self, fragment: str, *, status: int = 200, **more: Any) -> Response:
        """Return a fragment, or the page around it, with this visit's data."""
        campaign, locale = self.live.campaign, self.face.context["locale"]
        context = self.face.context | {
            "led_to": quiz.results(campaign, locale, self.site),
            "csp_nonce": csp_nonce,
            "values": self.submission,
            "ticket": _signed(self.ticket) if self.ticket else "",
            "fragment": fragment,
            **more,
        }
        return _in_frame(page_or(fragment, PAGE, status=status, **context))

    def ask_again(
        self,
        problem: str | None = None,
        *,
        faults: dict[str, Reason] | None = None,
        is_suspect: bool = False,
    ) -> Response:
        """Show the form as it was typed, with what to mend and a ticket that works."""
        ticket = self._fresh_ticket()
        again = replace(self, ticket=ticket)
        now = clock.now()
        challenge = proofs().challenge(ticket.id, now=now) if is_suspect else None
        said = {
            field: str(OWN_FAULTS.get((field, why), FAULTS[why]))
            for field, why in (faults or {}).items()
        }
        played = self.played() if self.step is Step.CLAIM else None
        if played:
            return again.show(
                "widget/_reveal.html",
                status=422,
                faults=said,
                problem=problem,
                challenge=challenge,
                result=_result(played, self.face),
                is_revealed=True,
            )
        fragment = self.face.context["fragment"]
        return again.show(
            fragment, status=422, faults=said, problem=problem, challenge=challenge
        )

    def type_again(self, fault: str | None, *, status: int = 422) -> Response:
        """Ask once more for the digits of the mail."""
        return self.show("widget/_digits_again.html", status=status, digits_fault=fault)

    def ask_proof(self) -> Response:
        """Show the form as it was typed, and let the browser do a sum (AB-02)."""
        problem = _(
            "First we check that you are a person. Your browser does that by itself,"
            " in a few seconds. Does nothing happen? Switch on JavaScript, or try"
            " again later."
        )
        return self.ask_again(problem, is_suspect=True)

    def _fresh_ticket(self) -> Ticket:
        """Keep the play this ticket stands for, but bind it to the form shown now."""
        if self.ticket is not None:
            return replace(self.ticket, form=self.face.mark, version=self.live.version)
        return _new_ticket(self.live, self.face)

    def played(self) -> Outcome | None:
        """Return what this visit's ticket has won and not claimed yet, if anything."""
        if self.ticket is None:
            return None
        with reading() as session:
            return recalls.played(session, self.live, self.ticket.id)


def _new_ticket(
    live: Live, face: Face, *, page: str = "", device: str = "", box: str = ""
) -> Ticket:
    return Ticket(
        id=os.urandom(rules.TICKET_BYTES),
        placement=live.placement.code,
        version=live.version,
        form=face.mark,
        locale=face.context["locale"],
        page=page,
        shown_at=clock.now(),
        device=device,
        box=box,
    )


def _enter(visit: _Visit, ticket: Ticket) -> Response:
    if proof.is_due(visit.live, visit.submission, visit.step, ticket):
        return visit.ask_proof()
    now = clock.now()
    # Once more, by the moment that counts: the end may have come meanwhile.
    if visit.step is not Step.CLAIM and (closed := _closed(visit.live, now)):
        return closed
    may_ask = not visit.submission.consents or limiter().may_ask(
        ticket=ticket.id,
        network=client.network(),
        device=ticket.device,
        shop_id=visit.live.shop_id,
    )
    attempted = _attempted(visit, ticket, may_ask=may_ask)
    try:
        with transaction() as session:
            outcome = entries.submit(session, attempted, tools=tools(), now=now)
    except entries.TicketUsedError:
        return _recall(visit, attempted)
    except boxcodes.SpentError:
        with reading() as session:
            kept = boxcodes.kept(session, ticket.box)
        return _in_frame(boxpages.spent(visit.live, kept, now=now))
    except claims.UnclaimedError as error:
        if visit.step is Step.BOTH:
            # The play stands, so that nobody tries tickets until one wins.
            return _enter(replace(visit, step=Step.PLAY), ticket)
        return visit.ask_again(faults=error.faults)
    except turns.EnoughError as error:
        return _enough(visit, error.again)
    return _reveal(visit, outcome, may_ask=may_ask)


def _enough(visit: _Visit, again: datetime | None) -> Response:
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


def _attempted(visit: _Visit, ticket: Ticket, *, may_ask: bool) -> Attempted:
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


def _recall(visit: _Visit, attempted: Attempted) -> Response:
    try:
        with reading() as session:
            outcome = recalls.recall(
                session, attempted, print_key=tools().vault.print_key
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
        return visit.show(
            "widget/_problem.html",
            status=410,
            title=_("The time to claim is over"),
            advice=_("The prize went back into the game. You can play again."),
            retry_url=_start_url(visit),
        )
    return _reveal(visit, outcome, may_ask=attempted.may_ask)


def _reveal(visit: _Visit, outcome: Outcome, *, may_ask: bool) -> Response:
    ending = ENDINGS.get(visit.live.campaign.mechanic, "widget/_reveal.html")
    fragment = "widget/_done.html" if visit.step is Step.CLAIM else ending
    result = _result(outcome, visit.face, may_ask=may_ask)
    sheet = visit.face.answer(one_of(fragment, PAGE), fragment, result)
    body = sheet.filled(
        _prefilled(visit),
        ticket=_signed(visit.ticket) if visit.ticket else "",
        nonce=csp_nonce(),
        code=result.code,
        mailbox=result.mailbox,
        worth=result.worth,
        play=result.play,
        seed=result.seed,
        day=result.day,
        label=result.number,
        site=visit.site,
    )
    return _in_frame(varied(body))


def _prefilled(visit: _Visit) -> dict[str, str]:
    """Return what the page told of an order, as people would type it."""
    told = dict(visit.submission.hidden)
    amount = visit.live.campaign.told_as(order.AMOUNT)
    if amount in told:
        told[amount] = order.as_typed(told[amount], visit.face.context["locale"])
    return told


def _result(outcome: Outcome, face: Face, *, may_ask: bool = True) -> Result:
    locale = face.context["locale"]
    text = outcome.given.texts[locale]
    campaign = face.context["campaign"]
    receipt = outcome.receipt if campaign.is_drawn else None
    # Who has not said yet who they are takes part in nothing.
    joined = campaign.joined_by(outcome.prize.key) if outcome.mailbox else ()
    return Result(
        key=outcome.prize.key,
        is_win=outcome.is_win,
        label=text.label,
        claim=text.claim,
        code=outcome.code,
        mailbox=outcome.mailbox,
        asks_confirmation=outcome.asks_confirmation and may_ask,
        is_held_back=outcome.asks_confirmation and not may_ask,
        takes_digits=(
            outcome.asks_confirmation
            and may_ask
            and campaign.confirm_by_digits
            and face.context["placement"].channel != TILL
        ),
        play=receipt.ticket if receipt else "",
        seed=receipt.seed if receipt else "",
        day=str(receipt.epoch) if receipt else "",
        # A newer version of the quiz may not know it any more.
        led_to=outcome.led_to if outcome.led_to in face.context["led_to"] else None,
        valid_days=outcome.given.valid_days,
        kind=outcome.given.kind,
        worth=euros(worth(outcome.given, outcome.cents)),
        drawn=outcome.prize.texts[locale].label,
        raffles=tuple(one.key for one in joined),
        number=raffle.label(bytes.fromhex(outcome.receipt.ticket)) if joined else "",
    )


def find(code: str) -> Live | None:
    """Return what visitors may see under a code, open or not."""
    now = clock.now()
    live = directory().known(code, now=now)
    if live is None:
        with reading() as session:
            live = directory().find(session, code, now=now)
    return live


def _live(code: str) -> Live:
    live = find(code)
    if live is None:
        abort(404)
    framed_for(live)
    return live


def framed_for(live: Live) -> None:
    """Let the shop's sites frame its game; a till's is framed by our own page alone."""
    framed_by(*(["'self'"] if live.placement.channel == TILL else live.shop.sites))


def _only_at_the_till(live: Live) -> Response:
    """Say that a till's game is played on a registered tablet and nowhere else."""
    speak(live, request.args.get("lang"))
    title = _("This game is played in the shop")
    advice = _("Ask for the tablet at the till. Press “Done” there to start again.")
    return _in_frame(errors.problem(403, title, advice))


def _only_with_a_code(live: Live) -> Response:
    """Ask for the code of a box where a game cannot be played without one."""
    speak(live, request.args.get("lang"))
    said = _("This game opens with the code in your box. Scan it, or type it here.")
    return _in_frame(boxpages.door(problem=said, status=403, shop=live.shop))


def speak(live: Live, wish: str | None, *, of: Ticket | None = None) -> Locale:
    """Speak a ticket's language, or else what placement, wish and browser lead to."""
    locale = (
        of.locale
        if of
        else live.campaign.language(live.placement.language, wish, language.wished())
    )
    language.speak(locale)
    return locale


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


def _closed(live: Live, now: datetime) -> Response | None:
    """Return the page for a campaign that cannot be played then, if it is one."""
    closed = why_closed(live, now=now)
    if closed is None:
        return None
    return _in_frame(errors.problem(closed.status, closed.title, closed.advice))


def _ticket(text: str, code: str) -> tuple[Ticket | None, str | None]:
    """Return the ticket of a form, or what to tell whoever sent a bad one."""
    try:
        payload = signer().read(
            Salt.TICKET, text, now=clock.now(), lasts=rules.TICKET_LIFE
        )
        ticket = Ticket.from_payload(payload)
    except (BadTokenError, ExpiredTokenError):
        return None, _renewed()
    return (ticket, None) if ticket.placement == code else (None, _renewed())


def _renewed() -> str:
    return str(_("This page was renewed. Have one more look and send it again."))


def _signed(ticket: Ticket) -> str:
    return signer().sign(Salt.TICKET, ticket.as_payload(), now=clock.now())


def _start_url(visit: _Visit) -> str:
    channel = visit.live.placement.channel
    if channel == boxcodes.CHANNEL:
        return url_for("boxcodes.door")
    return url_for(
        "till.game" if channel == TILL else "widget.page",
        code=visit.live.placement.code,
        lang=visit.face.context["locale"],
    )


def _in_frame(response: Response) -> Response:
    response.headers["X-Robots-Tag"] = "noindex"
    return _for_frame(response)


def _for_frame(response: Response) -> Response:
    """Let pages that isolate themselves show us too (COEP)."""
    response.headers["Cross-Origin-Embedder-Policy"] = "require-corp"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
