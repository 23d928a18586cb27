"""What a shop knows of somebody, for them to see, correct and remove (GDPR 15, 16).

It is behind the link of a mail like the preference centre, and needs no script.
"""

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from flask import Blueprint, Response, make_response, redirect, request, url_for
from flask_babel import gettext as _

from server import clock
from server.db import reading, transaction
from server.domain import address
from server.domain import profile as rules
from server.domain.answers import AnswerError, Reason
from server.domain.fields import FormField
from server.domain.links import Salt
from server.domain.parts import Locale
from server.domain.profile import Asking
from server.domain.quiz import Question as QuizQuestion
from server.domain.quiz import Slider
from server.services import own_rights, preferences, profile
from server.services.links import Found
from server.services.profile import Kept
from server.views import client, guards, language, questions
from server.views.house import directory, tools
from server.views.links import follow, page, unindexed, unknown
from server.views.preferences import paused
from server.views.questions import Question
from server.views.visits import FAULTS

# A field is shown as in a form on the web, with what a browser can fill in.
HERE = SimpleNamespace(channel="link")
# A slider ends at 1000 at most.
LONGEST_NUMBER = 4

bp = Blueprint("profile", __name__)
bp.url_defaults(language.keep_asked)


@dataclass(frozen=True, slots=True)
class Line:
    """One fact as the page shows it: what it says, what for, and how it is changed.

    The words of a campaign are in `spoken`, where that is not the page's language.
    """

    kept: Kept
    question: Question
    options: dict[str, dict[Locale, str]]
    spoken: Locale | None
    typed: dict[str, str]
    fault: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """What was typed instead of something that is kept, and why it cannot be."""

    shown: Kept
    typed: dict[str, str]
    reason: Reason

    @property
    def said(self) -> str:
        """Return what is wrong, as it is said beside the field."""
        asked = self.shown.asked
        if self.reason is Reason.MISSING:
            return str(_("Fill this in, or remove it."))
        if isinstance(asked, QuizQuestion) and asked.slider:
            return _range(asked.slider)
        return str(FAULTS[self.reason])


@bp.get("/preferences/<token>/profile")
@guards.link
def profile_page(token: str) -> Response:
    """Show what is kept, and what for."""
    found = follow(Salt.PREFERENCES, token)
    return unknown() if found is None else _page(found, token)


@bp.post("/preferences/<token>/profile")
@guards.link
def change(token: str) -> Response:
    """Let one thing say what its person says, by the rules that it was asked by."""
    found = follow(Salt.PREFERENCES, token)
    if found is None:
        return unknown()
    if (shown := _shown(found)) is None:
        return _back(token, done="stale")
    typed = rules.take(shown.asked, request.form)
    try:
        value = rules.correction(shown.asked, typed, country=shown.country)
    except AnswerError as error:
        return _page(found, token, wrong=Wrong(shown, typed, error.reason))
    if value == shown.value:
        return _back(token, same=shown.key)
    return _correct(found, token, shown, value)


@bp.post("/preferences/<token>/profile/remove")
@guards.link
def remove(token: str) -> Response:
    """Let one thing be kept no more, in one press."""
    found = follow(Salt.PREFERENCES, token)
    if found is None:
        return unknown()
    if (shown := _shown(found)) is None:
        return _back(token, done="stale")
    return _correct(found, token, shown, None)


def _correct(found: Found, token: str, shown: Kept, value: str | None) -> Response:
    if pause := paused(found):
        return pause
    with transaction() as session:
        is_done = own_rights.correct(
            session,
            found,
            shown,
            value,
            by=client.circumstances(found.shop),
            tools=tools(),
            now=clock.now(),
        )
    if not is_done:
        return _back(token, done="stale")
    said = {"done": "removed"} if value is None else {"changed": shown.key}
    return _back(token, **said)


def _shown(found: Found) -> Kept | None:
    """Return what a form is about; None where it is not any more what was shown."""
    with reading() as session:
        known = profile.kept(session, found.who, directory=directory())
    key, mark = request.form.get("key", ""), request.form.get("shown", "")
    return next((each for each in known if (each.key, each.mark) == (key, mark)), None)


def _back(token: str, **said: Any) -> Response:
    place = url_for(".profile_page", token=token, **said)
    return unindexed(make_response(redirect(place, 303)))


def _page(found: Found, token: str, *, wrong: Wrong | None = None) -> Response:
    with reading() as session:
        known = profile.kept(session, found.who, directory=directory())
        wants = preferences.overview(session, found, {})
    return page(
        "links/profile.html",
        found,
        status=422 if wrong else 200,
        mailbox=address.masked(found.who.email),
        token=token,
        lines=[_line(each, found.locale, wrong) for each in known],
        purposes={want.key: want for want in wants},
        months=questions.months(found.locale),
        placement=HERE,
        done=request.args.get("done"),
        changed=request.args.get("changed"),
        same=request.args.get("same"),
    )


def _line(kept: Kept, locale: Locale, wrong: Wrong | None) -> Line:
    spoken = kept.campaign.language(locale)
    mine = wrong if wrong and wrong.shown.key == kept.key else None
    return Line(
        kept=kept,
        question=_question(kept.asked, spoken),
        options=(
            {option.key: option.label for option in kept.asked.options}
            if isinstance(kept.asked, FormField)
            else {}
        ),
        spoken=spoken if spoken != locale else None,
        typed=mine.typed if mine else rules.as_typed(kept.asked, kept.value),
        fault=mine.said if mine else "",
    )


def _question(asked: Asking, spoken: Locale) -> Question:
    """Return what asks for something, as a form shows it; empty it says nothing."""
    if isinstance(asked, FormField):
        return replace(questions.question(asked, spoken, {}), required=True)
    why, slider = asked.why[spoken], asked.slider
    if slider:
        ends = (slider.least, slider.low), (slider.most, slider.high)
        why = " ".join([why, *(f"{end}: {words[spoken]}." for end, words in ends)])
    return Question(
        key=asked.key,
        kind="number",
        required=True,
        label=asked.text[spoken],
        why=why,
        options=(),
        step=None,
        only_with=None,
        longest=LONGEST_NUMBER,
    )


def _range(slider: Slider) -> str:
    if slider.step == 1:
        return str(
            _(
                "Fill in a whole number from %(least)s to %(most)s.",
                least=slider.least,
                most=slider.most,
            )
        )
    return str(
        _(
            "Fill in a number from %(least)s to %(most)s, in steps of %(step)s.",
            least=slider.least,
            most=slider.most,
            step=slider.step,
        )
    )
