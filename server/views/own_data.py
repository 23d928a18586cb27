"""What people do about their own data, behind the link of a mail (DS-01, DS-02).

Refuse, put on hold, take along, correct, erase: each by a press, and at once.
"""

import json

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _

from server import clock
from server.db import reading, transaction
from server.domain import address
from server.domain.links import Salt
from server.services import address_changes, own_rights
from server.services.links import Found
from server.views import client, downloads, guards, language
from server.views.house import directory, limiter, tools
from server.views.links import (
    follow,
    is_pressed,
    is_read,
    leave,
    page,
    shown_now,
    unindexed,
    unknown,
)
from server.views.preferences import back, paused

FILE = "my-data.json"

bp = Blueprint("own_data", __name__)
bp.url_defaults(language.keep_asked)


@bp.post("/preferences/<token>/never")
@guards.link
def never(token: str) -> Response:
    """Object to every newsletter and offer, for good (GDPR 21(3); DS-02)."""
    found = follow(Salt.PREFERENCES, token)
    if found is None:
        return unknown()
    with transaction() as session:
        own_rights.refuse(
            session,
            found,
            by=client.circumstances(found.shop),
            tools=tools(),
            now=clock.now(),
        )
    return back(token, done="never")


@bp.post("/preferences/<token>/ask-again")
@guards.link
def ask_again(token: str) -> Response:
    """End that refusal; it says yes to nothing."""
    found = follow(Salt.PREFERENCES, token)
    if found is None:
        return unknown()
    if not is_read(found.link_id, clock.now()):
        return back(token, done="not_ask_again")
    if pause := paused(found):
        return pause
    with transaction() as session:
        own_rights.allow(
            session,
            found,
            by=client.circumstances(found.shop),
            tools=tools(),
            now=clock.now(),
        )
    return back(token, done="ask_again")


@bp.post("/preferences/<token>/hold")
@guards.link
def hold(token: str) -> Response:
    """Let data be kept and not used (GDPR 18)."""
    found = follow(Salt.PREFERENCES, token)
    return unknown() if found is None else _hold(found, token, is_held=True)


@bp.post("/preferences/<token>/use")
@guards.link
def use(token: str) -> Response:
    """Let data be used again."""
    found = follow(Salt.PREFERENCES, token)
    if found is None:
        return unknown()
    if not is_read(found.link_id, clock.now()):
        return back(token, done="not_used")
    return _hold(found, token, is_held=False)


def _hold(found: Found, token: str, *, is_held: bool) -> Response:
    if pause := paused(found):
        return pause
    with transaction() as session:
        own_rights.hold(
            session,
            found,
            is_held=is_held,
            by=client.circumstances(found.shop),
            tools=tools(),
            now=clock.now(),
        )
    return back(token, done="held" if is_held else "used")


@bp.post("/preferences/<token>/data")
@guards.link
def take_along(token: str) -> Response:
    """Answer all that the shop has of somebody as a file (GDPR 15, 20).

    A press and no link, since that the right was used is a fact to keep.
    """
    found = follow(Salt.PREFERENCES, token)
    if found is None:
        return unknown()
    if refusal := downloads.refusal(
        _("Try again in an hour. Then your file is made anew.")
    ):
        return refusal
    with transaction() as session:
        data = own_rights.take_along(
            session,
            found,
            by=client.circumstances(found.shop),
            tools=tools(),
            now=clock.now(),
        )
    response = Response(
        json.dumps(data, ensure_ascii=False, indent=2), mimetype="application/json"
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{FILE}"'
    return unindexed(response)


@bp.get("/preferences/<token>/address")
@guards.link
def address_page(token: str) -> Response:
    """Ask for a new mail address."""
    found = follow(Salt.PREFERENCES, token)
    return unknown() if found is None else _address_page(found, token)


@bp.post("/preferences/<token>/address")
@guards.link
def change_address(token: str) -> Response:
    """Mail the question to a new address; nothing changes before its answer.

    The page is the same whether the address is known, or a limit keeps the mail back.
    """
    found = follow(Salt.PREFERENCES, token)
    if found is None:
        return unknown()
    typed = request.form.get("email", "").strip()
    try:
        email = address.parse(typed)
    except address.AddressError:
        problem = _("This is not an address we can mail to. Look at it once more.")
        return _address_page(found, token, typed=typed, problem=problem)
    if email == found.who.email:
        problem = _("We mail you at this address already.")
        return _address_page(found, token, typed=typed, problem=problem)
    may_press = limiter().may_press(link=found.link_id)
    # Strangers are written to, so it is limited like an address that is typed (T16).
    if may_press and limiter().may_ask_by_address(
        network=client.network(), shop_id=found.who.shop_id
    ):
        with transaction() as session:
            address_changes.ask(session, found, email, tools=tools(), now=clock.now())
    return leave("address_asked", found)


def _address_page(
    found: Found, token: str, *, typed: str = "", problem: str = ""
) -> Response:
    return page(
        "links/address.html",
        found,
        status=422 if problem else 200,
        mailbox=address.masked(found.who.email),
        action=url_for(".change_address", token=token),
        token=token,
        typed=typed,
        problem=problem,
    )


@bp.get("/rectify/<token>")
@guards.link
def rectify_page(token: str) -> Response:
    """Show whose mails would come to this address, and one button."""
    found = follow(Salt.RECTIFY, token)
    return unknown() if found is None else _rectify_page(found, token)


@bp.post("/rectify/<token>")
@guards.link
def rectify(token: str) -> Response:
    """Write to the new address from now on: once, and within seven days."""
    found = follow(Salt.RECTIFY, token)
    if found is None:
        return unknown()
    now = clock.now()
    if not is_pressed(found.link_id, now):
        return _rectify_page(found, token, once_more=True)
    with transaction() as session:
        is_moved = address_changes.confirm(
            session,
            found,
            by=client.circumstances(found.shop),
            directory=directory(),
            tools=tools(),
            now=now,
        )
    return leave("address_changed", found) if is_moved else _not_moved(found)


def _rectify_page(found: Found, token: str, *, once_more: bool = False) -> Response:
    now = clock.now()
    with reading() as session:
        email = address_changes.asked(session, found, now=now)
    if email is None:
        return _not_moved(found)
    return page(
        "links/rectify.html",
        found,
        status=422 if once_more else 200,
        once_more=once_more,
        mailbox=address.masked(email),
        action=url_for(".rectify", token=token),
        shown=shown_now(found, now),
    )


def _not_moved(found: Found) -> Response:
    """Say that it cannot be, and not why: that could be about somebody else."""
    return page(
        "links/state.html",
        found,
        status=410,
        title=_("This cannot be used (any more)"),
        advice=_(
            "The link is too old or was used, or this address cannot be taken. Ask "
            "again from your page, or mail %(email)s and we sort it out.",
            email=found.shop.sender.email,
        ),
    )


@bp.get("/preferences/<token>/erase")
@guards.link
def erase_page(token: str) -> Response:
    """Say what goes and what stays, and one button."""
    found = follow(Salt.PREFERENCES, token)
    return unknown() if found is None else _erase_page(found, token)


def _erase_page(found: Found, token: str, *, once_more: bool = False) -> Response:
    return page(
        "links/erase.html",
        found,
        status=422 if once_more else 200,
        once_more=once_more,
        mailbox=address.masked(found.who.email),
        action=url_for(".erase", token=token),
        shown=shown_now(found, clock.now()),
        token=token,
    )


@bp.post("/preferences/<token>/erase")
@guards.link
def erase(token: str) -> Response:
    """Forget somebody, and lead them to an address without their link (GDPR 17).

    Nobody can undo it, so a machine that posts every form it meets does not do it.
    """
    found = follow(Salt.PREFERENCES, token)
    if found is None:
        return unknown()
    if not is_pressed(found.link_id, clock.now()):
        return _erase_page(found, token, once_more=True)
    with transaction() as session:
        own_rights.erase(
            session,
            found,
            by=client.circumstances(found.shop),
            tools=tools(),
            now=clock.now(),
        )
    return leave("erased", found)
