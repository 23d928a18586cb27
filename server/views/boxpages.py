"""What is said of a code in the box: how it stands, and what to do (PZ-11, G14)."""

from datetime import datetime

from flask import Response, url_for
from flask_babel import format_datetime
from flask_babel import gettext as _

from server.domain import boxcodes as rules
from server.domain.boxcodes import Kept, Slip, State
from server.domain.shop import ShopFile
from server.services.campaigns import Live
from server.views.respond import page_or

WAIT_S = 60
# What a game that is on the screen already is replaced with.
PROBLEM = "widget/_problem.html"


def door(
    *,
    typed: str = "",
    problem: str | None = None,
    status: int = 200,
    shop: ShopFile | None = None,
) -> Response:
    """Return the page where a code is typed, as it was typed and what is wrong.

    What a camera has read is no start for who types.
    """
    answer = page_or(
        PROBLEM,
        "boxes/door.html",
        status=status,
        typed="" if rules.QR.fullmatch(typed) else typed[: rules.LONGEST_TYPED],
        problem=problem,
        shop=shop,
        title=_("Type the code from your box"),
        advice=problem,
        retry_url=url_for("boxcodes.door"),
    )
    return _unlisted(answer)


def too_many(typed: str) -> Response:
    """Return the page for a network that has tried too many wrong codes."""
    said = _("Those were many wrong codes. Wait a minute, then try once more.")
    answer = door(typed=typed, problem=said, status=429)
    answer.headers["Retry-After"] = str(WAIT_S)
    return answer


def unknown() -> str:
    """Say that the characters fit together and are still no code of ours."""
    return str(_("We do not know this code. Compare it with the label once more."))


def slip(text: str) -> str:
    """Say what is wrong with what was typed; the check character is named."""
    what, letter = rules.slip(text)
    if what is Slip.EMPTY:
        return str(_("Type the code that is on the label in your box."))
    if what is Slip.LETTER:
        return str(_("“%(letter)s” is in no code of ours.", letter=letter))
    if what is Slip.LENGTH:
        return str(_("A code has 12 characters and one more that checks them."))
    return str(
        _(
            "There is a typing mistake in it: the last character, “%(letter)s”,"
            " checks the others and does not fit them.",
            letter=letter,
        )
    )


def spent(live: Live, kept: Kept | None, *, now: datetime) -> Response:
    """Return the page for a code that cannot be played: why, and what to do."""
    status, title, lines = _words(live, kept, now)
    answer = page_or(
        PROBLEM,
        "boxes/state.html",
        status=status,
        shop=live.shop,
        title=title,
        lines=lines,
        advice=" ".join(lines),
        retry_url=None,
    )
    return _unlisted(answer)


def _words(live: Live, kept: Kept | None, now: datetime) -> tuple[int, str, list[str]]:
    state = rules.state(kept, now=now) if kept else State.REVOKED
    help_ = _("Is that not right? Mail %(address)s.", address=live.shop.sender.email)
    if kept and kept.used_at and state is State.USED:
        when = _moment(kept.used_at)
        said = _("That was on %(when)s. Every code is good for one play.", when=when)
        mail = _("Who left a mail address then has the prize in their mailbox.")
        return 410, _("This code has been played"), [said, mail, help_]
    if kept and kept.valid_from and state is State.EARLY:
        said = _(
            "You can play with it from %(when)s. Keep the label until then.",
            when=_moment(kept.valid_from),
        )
        return 403, _("This code is for later"), [said]
    if kept and kept.valid_until and state is State.EXPIRED:
        when = _moment(kept.valid_until)
        said = _("It could be played until %(when)s.", when=when)
        return 410, _("This code has expired"), [said, help_]
    said = _("%(shop)s has withdrawn it, so it can no longer be played.")
    return (
        410,
        _("This code is not valid any more"),
        [
            said % {"shop": live.shop.name},
            help_,
        ],
    )


def _moment(at: datetime) -> str:
    return str(format_datetime(at, "d MMMM y, HH:mm"))


def _unlisted(response: Response) -> Response:
    response.headers["X-Robots-Tag"] = "noindex"
    return response
