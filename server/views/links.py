"""The pages behind the links in our mails: confirm, not me, renew, stop.

A GET shows one page and writes nothing, however often a scanner comes by; only the
press of a button does (DO-02; RFC 9110 section 9.2.1).
"""

from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import force_locale, format_datetime, get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from server import clock
from server.db import reading, transaction
from server.domain import address, consent
from server.domain import optin as rules
from server.domain.campaign import PurposeText
from server.domain.links import BadTokenError, ExpiredTokenError, LinkRef, Salt
from server.domain.optin import State
from server.domain.parts import LOCALES
from server.services import campaigns, consents, links, optins, withdrawals
from server.services.links import Found
from server.services.optins import Confirmation
from server.views import client, errors, guards, language
from server.views.house import directory, limiter, opened, signer, tools

# RFC 8058 section 3.1: what the mail program's own button posts.
ONE_CLICK = "One-Click"

# What opens something of a person's, and so only to the mailbox they have today.
OF_THE_MAILBOX = frozenset(
    {Salt.PREFERENCES, Salt.RECEIPT, Salt.CONFIRM, Salt.CLAIM, Salt.PRIZE}
)

# What can be read in another language than a person's own: no words of a campaign are
# on it that it may have in one language alone.
OF_EVERY_LANGUAGE = frozenset({Salt.PREFERENCES, Salt.RECEIPT})

# What a press has done: the page's title and its advice.
DONE = {
    "confirmed": (
        _l("Thank you, it is confirmed"),
        _l(
            "From now on %(shop)s mails you what you said yes to. "
            "Changed your mind? Every mail has a button to stop."
        ),
    ),
    "declined": (
        _l("Good that you told us"),
        _l(
            "Nothing was agreed to in your name, and %(shop)s will not ask this "
            "address again for half a year."
        ),
    ),
    "renewed": (
        _l("Look in your mailbox"),
        _l(
            "If your last mail was only just sent, wait a little and ask again. "
            "The new link works for seven days."
        ),
    ),
    "unsubscribed": (
        _l("The mails have stopped"),
        _l(
            "%(shop)s will not mail you newsletters or offers any more. "
            "A prize you have won stays yours."
        ),
    ),
    "link_mailed": (
        _l("Look in your mailbox"),
        _l(
            "If %(shop)s knows this address, a mail is on its way. "
            "The button in it opens your page."
        ),
    ),
    "address_asked": (
        _l("Look in the mailbox of your new address"),
        _l(
            "If that address can be written to, a mail with a button is on its way. "
            "Nothing changes until you press it; you have seven days."
        ),
    ),
    "address_changed": (
        _l("Your new address is in use"),
        _l(
            "From now on %(shop)s writes to this address alone, and a mail with the "
            "button to your page is on its way. Mails to the old one open nothing any "
            "more; a short mail about it went there."
        ),
    ),
    "erased": (
        _l("Your data is erased"),
        _l(
            "%(shop)s has your address no more, and nobody can add it again from a "
            "list. A prize you have won stays yours, with its code."
        ),
    ),
    "mailed": (
        _l("Look in your mailbox"),
        _l(
            "If your prize was mailed only just now, wait a little and ask again. "
            "The page with your code keeps working as well."
        ),
    ),
}

bp = Blueprint("links", __name__)


@bp.app_template_filter("readable")
def readable(body: str, locale: str = "") -> str:
    """Return a kept wording as people read it; `locale` is its language, else ours."""
    with force_locale(locale) if locale else nullcontext():
        return consent.readable(body, by_mail=_("By e-mail"))


@bp.get("/confirm/<token>")
@guards.link
def confirm_page(token: str) -> Response:
    """Show what was asked, and one button."""
    found = follow(Salt.CONFIRM, token)
    if found is None:
        return unknown()
    if request.method == "GET":
        opened().mark(found.link_id)
    return _confirm_page(found, token)


@bp.post("/confirm/<token>")
@guards.link
def confirm(token: str) -> Response:
    """Turn what was asked into consents."""
    ref, now = _ref(Salt.CONFIRM, token), clock.now()
    if ref is None:
        return unknown()
    if not is_pressed(ref.row, now):
        found = follow(Salt.CONFIRM, token)
        return _confirm_page(found, token, once_more=True) if found else unknown()
    with transaction() as session:
        found = look(session, Salt.CONFIRM, ref)
        if found is not None:
            done = optins.confirm(
                session,
                found,
                by=client.circumstances(found.shop),
                tools=tools(),
                now=now,
                ref=ref,
            )
    if found is None:
        return unknown()
    if done.is_new:
        return leave("confirmed", found)
    return _stands(found, done, token)


@bp.post("/confirm/<token>/not-me")
@guards.link
def not_me(token: str) -> Response:
    """Forget the request, because the owner of the address did not make it."""
    found = follow(Salt.CONFIRM, token)
    if found is None:
        return unknown()
    with transaction() as session:
        done = optins.decline(
            session,
            found,
            by=client.circumstances(found.shop),
            tools=tools(),
            now=clock.now(),
        )
        asked_from = (
            consents.asked_from(session, found.who, found.asked.id, vault=tools().vault)
            if done.is_new
            else ""
        )
    if not done.is_new:
        return _stands(found, done, token)
    if asked_from:
        # Whoever typed it, and not the one who now presses (section 15).
        network = client.network_of(asked_from)
        limiter().not_me(network=network, email=found.who.email)
    return leave("declined", found)


@bp.post("/confirm/<token>/renew")
@guards.link
def renew(token: str) -> Response:
    """Mail a new link, without asking for the address again (DO-05).

    The answer is the same whether a mail goes out or a limit keeps it back.
    """
    found = follow(Salt.CONFIRM, token)
    if found is None:
        return unknown()
    with transaction() as session:
        optins.renew(
            session,
            found,
            by=client.circumstances(found.shop),
            tools=tools(),
            now=clock.now(),
        )
    return leave("renewed", found)


@bp.get("/unsubscribe/<token>")
@guards.link
def unsubscribe_page(token: str) -> Response:
    """Show whose mail would stop, and one button."""
    found = follow(Salt.UNSUBSCRIBE, token)
    if found is None:
        return unknown()
    return page(
        "links/unsubscribe.html",
        found,
        mailbox="***" if found.who.is_lost else address.masked(found.who.email),
        action=url_for(".unsubscribe", token=token),
    )


@bp.post("/unsubscribe/<token>")
@guards.link
def unsubscribe(token: str) -> Response:
    """Stop every mail a consent allowed, at once (WD-01, WD-02; RFC 8058).

    A mail program gets 200 whatever the link was, and is never sent elsewhere.
    """
    is_one_click = request.form.get("List-Unsubscribe") == ONE_CLICK
    found = _stopped(token, "one-click" if is_one_click else "unsubscribe-page")
    if is_one_click:
        return make_response("", 200)
    return leave("unsubscribed", found) if found else unknown(status=200)


def _stopped(token: str, method: str) -> Found | None:
    """Stop all mails of whom a link is about; return them, None for a foreign link."""
    ref = _ref(Salt.UNSUBSCRIBE, token)
    if ref is None:
        return None
    with transaction() as session:
        found = look(session, Salt.UNSUBSCRIBE, ref)
        if found is not None:
            withdrawals.withdraw_all(
                session,
                found,
                by=client.circumstances(found.shop),
                method=method,
                tools=tools(),
                now=clock.now(),
            )
    return found


@bp.get("/done/<what>/<code>/<lang>")
@guards.anyone
def done(what: str, code: str, lang: str) -> Response:
    """Say what a press has done, at an address that names nobody (T22)."""
    with reading() as session:
        shop = campaigns.shop_named(session, code)
    if shop is None or what not in DONE or lang not in LOCALES:
        abort(404)
    language.speak(lang)
    title, advice = DONE[what]
    body = render_template(
        "links/state.html",
        shop=shop,
        title=str(title),
        advice=str(advice) % {"shop": shop.name},
    )
    return unindexed(make_response(body))


def follow(salt: Salt, token: str) -> Found | None:
    """Return where a link leads, and speak its language; None for a foreign one."""
    ref = _ref(salt, token)
    if ref is None:
        return None
    with reading() as session:
        return look(session, salt, ref)


def _ref(salt: Salt, token: str) -> LinkRef | None:
    """Return what a link points to, if it is one of ours."""
    try:
        return signer().read_link(salt, token, now=clock.now())
    except (BadTokenError, ExpiredTokenError):
        return None


def look(session: Session, salt: Salt, ref: LinkRef) -> Found | None:
    """Return where a link leads as `follow` does, for who presses what is behind it.

    None for a confirmation that has no request. Of a mail to an address that was given
    up, and to who cannot be read any more, only the stopping works, for ever (WD-04).
    """
    found = links.find(session, ref, directory=directory(), vault=tools().vault)
    if found is None or (salt is Salt.CONFIRM and found.optin is None):
        return None
    if found.is_outdated and salt in OF_THE_MAILBOX:
        return None
    if found.who.is_lost and salt is not Salt.UNSUBSCRIBE:
        return None
    if salt in OF_EVERY_LANGUAGE and (wish := language.asked()):
        # For what is read and pressed now; the person's own language stays.
        found = replace(found, locale=wish)
    language.speak(found.locale)
    return found


def shown_now(found: Found, now: datetime) -> str:
    """Return what a form carries, so that its press tells when it was shown."""
    shown = [found.link_id, int(now.timestamp() * 1000)]
    return signer().sign(Salt.RENDER, shown, now=now)


def is_pressed(link_id: int, now: datetime) -> bool:
    """Return whether somebody presses who has read, and not too often."""
    return is_read(link_id, now) and limiter().may_press(link=link_id)


def is_read(link_id: int, now: datetime) -> bool:
    """Return whether this POST comes from a page that somebody had time to read."""
    try:
        payload = signer().read(
            Salt.RENDER,
            request.form.get("shown", ""),
            now=now,
            lasts=rules.RENDER_LIFE,
        )
    except (BadTokenError, ExpiredTokenError):
        return False
    match payload:
        case [int(shown_id), int(shown_ms)] if shown_id == link_id:
            age_ms = now.timestamp() * 1000 - shown_ms
            youngest_ms = rules.RENDER_YOUNGEST.total_seconds() * 1000
            return age_ms >= youngest_ms
    return False


def _confirm_page(found: Found, token: str, *, once_more: bool = False) -> Response:
    optin = found.asked
    now = clock.now()
    state = State(optin.state)
    if state not in rules.OPEN or optin.expires_at <= now:
        return _stands(found, Confirmation(state, optin.settled_at, False), token)
    return page(
        "links/confirm.html",
        found,
        status=422 if once_more else 200,
        once_more=once_more,
        mailbox=address.masked(found.who.email),
        purposes=_purposes(found),
        asked_at=_local(optin.requested_at),
        action=url_for(".confirm", token=token),
        not_me_action=url_for(".not_me", token=token),
        shown=shown_now(found, now),
    )


def _purposes(found: Found) -> list[PurposeText]:
    return [
        purpose.texts[found.locale]
        for purpose in found.campaign.asked_in(found.locale)
        if purpose.key in found.asked.purposes
    ]


def _stands(found: Found, done: Confirmation, token: str) -> Response:
    """Say how a request that waits no more stands, and what can be done (DO-05)."""
    may_renew = optins.may_renew(found.asked, now=clock.now())
    status, title, advice = _ended(found, done, may_renew=may_renew)
    return page(
        "links/state.html",
        found,
        status=status,
        title=title,
        advice=advice,
        renew_action=url_for(".renew", token=token) if may_renew else None,
    )


def _ended(
    found: Found, done: Confirmation, *, may_renew: bool
) -> tuple[int, str, str]:
    """Return status, title and advice for a request in its last state."""
    shop = found.shop.name
    if done.state is State.CONFIRMED:
        advice = _(
            "You confirmed it on %(at)s, and pressing again changes nothing. "
            "Every mail from %(shop)s has a button to stop.",
            at=_local(done.at) if done.at else "",
            shop=shop,
        )
        return 200, _("This is already confirmed"), advice
    if done.state is State.DECLINED:
        advice = _("Nothing was agreed to. You do not have to do anything.")
        return 200, _("This request was closed"), advice
    if done.state is State.SUPERSEDED:
        advice = _(
            "You asked for something else later on. "
            "Use the button in the newest mail from %(shop)s.",
            shop=shop,
        )
        return 410, _("There is a newer mail"), advice
    advice = (
        _("You can have a new one mailed to the same address.")
        if may_renew
        else _("Nothing was agreed to. Take part again if you still want to.")
    )
    return 410, _("This link is no longer valid"), advice


def _local(moment: datetime) -> str:
    return str(format_datetime(moment, "d MMMM y, HH:mm", rebase=True))


def page(name: str, found: Found, *, status: int = 200, **context: Any) -> Response:
    body = render_template(
        name,
        shop=found.shop,
        here_in=language.here_in,
        languages=language.NAMES,
        **context,
    )
    return unindexed(make_response(body, status))


def unknown(*, status: int = 404) -> Response:
    """Answer a link that is not ours, saying nothing about anybody."""
    advice = _(
        "Perhaps it was not copied whole: open it from the mail once more. Or "
        "what it led to is no longer there, for instance because the mail is "
        "old, the address was changed, or the data was erased."
    )
    place = url_for("preferences.ask_page", lang=get_locale())
    return unindexed(
        errors.problem(
            status,
            _("This link does not work"),
            advice,
            ways=[(_("What you get, and your data"), place)],
        )
    )


def leave(what: str, found: Found) -> Response:
    """Send the browser to a page whose address holds no link (T22)."""
    place = url_for("links.done", what=what, code=found.shop.code, lang=found.locale)
    return unindexed(make_response(redirect(place, 303)))


def unindexed(response: Response) -> Response:
    response.headers["X-Robots-Tag"] = "noindex"
    return response
