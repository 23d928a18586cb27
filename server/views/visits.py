"""A visit to a game in its frame: where it is, its ticket, and how it is answered."""

import os
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, abort
from flask_babel import format_datetime
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from server import clock
from server.db import reading
from server.domain import entry as rules
from server.domain import raffle
from server.domain.answers import Reason
from server.domain.campaign import worth
from server.domain.entry import Step, Submission, Ticket
from server.domain.links import BadTokenError, ExpiredTokenError, Salt
from server.domain.parts import Locale
from server.domain.placement import site_of
from server.services import recalls
from server.services.campaigns import Live
from server.services.entries import Outcome
from server.views import language, quiz
from server.views.faces import Face, Result
from server.views.headers import csp_nonce, framed_by
from server.views.house import directory, proofs, signer
from server.views.money import euros
from server.views.respond import page_or

PAGE = "widget/page.html"
TILL = "till"

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


def find(code: str) -> Live | None:
    """Return what visitors may see under a code, open or not."""
    now = clock.now()
    live = directory().known(code, now=now)
    if live is None:
        with reading() as session:
            live = directory().find(session, code, now=now)
    return live


def live_at(code: str) -> Live:
    """Return what a code leads to, in the frame of its shop; 404 if nothing."""
    live = find(code)
    if live is None:
        abort(404)
    framed_for(live)
    return live


def framed_for(live: Live) -> None:
    """Let the shop's sites frame its game; a till's is framed by our own page alone."""
    framed_by(*(["'self'"] if live.placement.channel == TILL else live.shop.sites))


def speak(live: Live, wish: str | None, *, of: Ticket | None = None) -> Locale:
    """Speak a ticket's language, or else what placement, wish and browser lead to."""
    locale = (
        of.locale
        if of
        else live.campaign.language(live.placement.language, wish, language.wished())
    )
    language.speak(locale)
    return locale


@dataclass(frozen=True, slots=True)
class Visit:
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
            "ticket": signed(self.ticket) if self.ticket else "",
            "fragment": fragment,
            **more,
        }
        return in_frame(page_or(fragment, PAGE, status=status, **context))

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
                result=result_of(played, self.face),
                is_revealed=True,
            )
        fragment = self.face.context["fragment"]
        return again.show(
            fragment, status=422, faults=said, problem=problem, challenge=challenge
        )

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
        return new_ticket(self.live, self.face)

    def played(self) -> Outcome | None:
        """Return what this visit's ticket has won and not claimed yet, if anything."""
        if self.ticket is None:
            return None
        with reading() as session:
            return recalls.played(session, self.live, self.ticket.id, now=clock.now())


def new_ticket(
    live: Live, face: Face, *, page: str = "", device: str = "", box: str = ""
) -> Ticket:
    """Return the right to one play, for the form that is shown now."""
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


def ticket_of(text: str, code: str) -> tuple[Ticket | None, str | None]:
    """Return the ticket of a form, or what to tell whoever sent a bad one."""
    try:
        payload = signer().read(
            Salt.TICKET, text, now=clock.now(), lasts=rules.TICKET_LIFE
        )
        ticket = Ticket.from_payload(payload)
    except (BadTokenError, ExpiredTokenError):
        return None, renewed()
    return (ticket, None) if ticket.placement == code else (None, renewed())


def renewed() -> str:
    """Return what to tell whoever sent what is shown otherwise by now."""
    return str(_("This page was renewed. Have one more look and send it again."))


def signed(ticket: Ticket) -> str:
    """Return a ticket as a form carries it."""
    return signer().sign(Salt.TICKET, ticket.as_payload(), now=clock.now())


def result_of(outcome: Outcome, face: Face, *, may_ask: bool = True) -> Result:
    """Return what came of an entry as its page says it."""
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
        until=_until(outcome),
        raffles=tuple(one.key for one in joined),
        number=raffle.label(bytes.fromhex(outcome.receipt.ticket)) if joined else "",
    )


def _until(outcome: Outcome) -> str:
    if outcome.mailbox or not (outcome.is_win and outcome.claim_until):
        return ""
    return str(format_datetime(outcome.claim_until, "HH:mm"))


def in_frame(response: Response) -> Response:
    """Let the frame of a game show this, and no search engine."""
    response.headers["X-Robots-Tag"] = "noindex"
    return for_frame(response)


def for_frame(response: Response) -> Response:
    """Let pages that isolate themselves show us too (COEP)."""
    response.headers["Cross-Origin-Embedder-Policy"] = "require-corp"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
