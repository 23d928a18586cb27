"""The page on which people choose what a shop sends them: the preference centre.

It opens from nearly any mail, stops everything in one press, and needs no script
(WD-01, WD-05). What it changes counts once it is saved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
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
from flask_babel import format_date
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from server import clock
from server.db import reading, transaction
from server.domain import address
from server.domain.consent import LASTING, Act, worded
from server.domain.links import Salt
from server.domain.shop import ShopFile
from server.services import (
    contacts,
    optins,
    preference_letters,
    preferences,
    profile,
    withdrawals,
)
from server.services.contacts import Reason
from server.services.links import Found
from server.services.preferences import KEEP, Choice, Offer, Saved, Want
from server.services.texts import Shown
from server.views import client, errors, guards, language
from server.views.house import directory, faces, limiter, signer, tools
from server.views.links import follow, page, shown_now, unindexed, unknown

MOST_CHOICES = 100
# Which purposes a form was about: what is missing in it was switched off.
SHOWN = "shown."

bp = Blueprint("preferences", __name__, url_prefix="/preferences")
bp.url_defaults(language.keep_asked)


@bp.get("")
@guards.anyone
def ask_page() -> Response:
    """Ask for an address, of who has no mail of ours at hand."""
    language.as_wished()
    return _ask_page(request.args.get("shop", ""))


@bp.post("")
@guards.anyone
def ask() -> Response:
    """Mail a link to an address, and say the same whether anybody has it (WD-05)."""
    locale = language.as_wished()
    code, typed = request.form.get("shop", ""), request.form.get("email", "").strip()
    with reading() as session:
        shops = preference_letters.shops(session)
    if code not in shops:
        abort(404)
    name, _at, host = typed.partition("@")
    if not name or not host or len(typed) > address.LONGEST:
        return _ask_page(code, typed=typed)
    shop_id, shop = shops[code]
    may_send = limiter().may_ask_by_address(network=client.network(), shop_id=shop_id)
    try:
        email = address.parse(typed)
    except address.AddressError:
        # Nobody can have it, but the answer takes no other time.
        email, may_send = typed, False
    with transaction() as session:
        preference_letters.ask(
            session,
            shop_id=shop_id,
            email=email,
            may_send=may_send,
            locale=locale,
            tools=tools(),
            now=clock.now(),
        )
    place = url_for("links.done", what="link_mailed", code=shop.code, lang=locale)
    return unindexed(make_response(redirect(place, 303)))


def _ask_page(code: str, *, typed: str | None = None) -> Response:
    with reading() as session:
        shops = {
            key: shop for key, (_id, shop) in preference_letters.shops(session).items()
        }
    if code and code not in shops:
        abort(404)
    chosen: ShopFile | None = shops.get(code)
    if chosen is None and len(shops) == 1:
        chosen = next(iter(shops.values()))
    body = render_template(
        "links/preferences_ask.html",
        shop=chosen,
        shops=[] if chosen else list(shops.values()),
        typed=typed,
        action=url_for(".ask", lang=request.args.get("lang")),
    )
    return unindexed(make_response(body, 200 if typed is None else 422))


@bp.get("/<token>")
@guards.link
def centre(token: str) -> Response:
    """Show what the shop sends to this address, and every way to change it."""
    found = follow(Salt.PREFERENCES, token)
    if found is None:
        return unknown()
    with reading() as session:
        offered = _offers(session, found)
        wants = preferences.overview(session, found, offered)
        is_refused = contacts.is_suppressed(session, found.who, reason=Reason.NEVER)
        keeps_any = profile.keeps_any(session, found.who)
    return page(
        "links/preferences.html",
        found,
        mailbox=address.masked(found.who.email),
        token=token,
        has_receipt=any(want.since for want in wants),
        keeps_any=keeps_any,
        note=_note(wants, found.shop.name),
        done=request.args.get("done"),
        # What a hold or a refusal ends by: a machine that posts every form ends none.
        shown=shown_now(found, clock.now()),
        is_refused=is_refused,
        is_held=found.held_since is not None,
        locale=found.locale,
        keep=KEEP,
        mails=[want for want in wants if not _is_soft(want)],
        bought=[want for want in wants if _is_soft(want)],
        how=[want for want in wants if want.act is Act.GIVEN and _has_ways(want)],
        is_any_on=any(want.act in LASTING for want in wants),
        can_choose=any(
            want.act in LASTING or (want.offer and not is_refused) for want in wants
        ),
        since={want.key: _day(want) for want in wants if want.since},
        category=_category,
    )


@bp.get("/<token>/receipt")
@guards.link
def receipt(token: str) -> Response:
    """Lead to somebody's receipt, of which there may have been no mail."""
    if follow(Salt.PREFERENCES, token) is None:
        return unknown()
    now = clock.now()
    ref = signer().read_link(Salt.PREFERENCES, token, now=now)
    place = url_for(
        "receipts.receipt", token=signer().sign_link(Salt.RECEIPT, ref, now=now)
    )
    return unindexed(make_response(redirect(place, 303)))


@bp.post("/<token>/save")
@guards.link
def save(token: str) -> Response:
    """Let what the form says be so, and come back naming what changed."""
    found = follow(Salt.PREFERENCES, token)
    if found is None:
        return unknown()
    choices = _choices()
    # Switching off is never kept waiting.
    says_yes = any(choice.said not in {"", KEEP} for choice in choices)
    if says_yes and (pause := paused(found)):
        return pause
    with reading() as session:
        offered = _offers(session, found)
    # Before the transaction: what is rendered must keep no other writer waiting.
    shown = _shown(found, choices, offered)
    with transaction() as session:
        saved = preferences.save(
            session,
            found,
            choices,
            offered=offered,
            shown=shown,
            by=client.circumstances(found.shop),
            tools=tools(),
            now=clock.now(),
        )
    return back(token, **_told(saved))


@bp.post("/<token>/stop")
@guards.link
def stop(token: str) -> Response:
    """End one purpose in one press, whatever else the page says (WD-01)."""
    found = follow(Salt.PREFERENCES, token)
    if found is None:
        return unknown()
    purpose = request.form.get("purpose", "")
    with transaction() as session:
        ended = withdrawals.withdraw(
            session,
            found.who,
            [purpose] if purpose.isprintable() else [],
            facts=optins.press(found, client.circumstances(found.shop)),
            method=preferences.METHOD,
            tools=tools(),
            now=clock.now(),
        )
    return back(token, **({"off": ended} if ended else {"done": "same"}))


@bp.post("/<token>/all-off")
@guards.link
def all_off(token: str) -> Response:
    """Stop every mail that somebody said yes to, in one press (WD-01, WD-05)."""
    found = follow(Salt.PREFERENCES, token)
    if found is None:
        return unknown()
    with transaction() as session:
        withdrawals.withdraw_all(
            session,
            found,
            by=client.circumstances(found.shop),
            method=preferences.METHOD,
            tools=tools(),
            now=clock.now(),
        )
    return back(token, done="all_off")


def paused(found: Found) -> Response | None:
    """Return the answer to who presses to and fro; None for everybody else.

    Each press is a fact for ever. What only stops mails asks this never (WD-01).
    """
    if limiter().may_press(link=found.link_id):
        return None
    answer = errors.problem(
        429,
        _("That was a lot at once"),
        _("Nothing was changed by this press. Wait a minute and press again."),
    )
    answer.headers["Retry-After"] = "60"
    return unindexed(answer)


def back(token: str, **said: Any) -> Response:
    """Send the browser to the page again, with what was done in its address.

    It had the link there before, so nothing is leaked that was not open already.
    """
    place = url_for("preferences.centre", token=token, **said)
    return unindexed(make_response(redirect(place, 303)))


# --- the form ----------------------------------------------------------------------


def _choices() -> list[Choice]:
    """Return what the form says of each purpose that it showed, and of no other."""
    form = request.form
    shown = [name.removeprefix(SHOWN) for name in form if name.startswith(SHOWN)]
    return [
        Choice(
            key=key,
            said=form.get(f"want.{key}", ""),
            asked_how=f"asked_how.{key}" in form,
            topics=form.getlist(f"topics.{key}"),
            rhythm=form.get(f"rhythm.{key}", ""),
        )
        for key in shown[:MOST_CHOICES]
    ]


def _offers(session: Session, found: Found) -> dict[str, Offer]:
    return preferences.offers(session, found, directory=directory(), now=clock.now())


def _shown(
    found: Found, choices: Sequence[Choice], offered: Mapping[str, Offer]
) -> dict[str, Shown]:
    """Return the copies of what asks for each yes, by the code of its campaign (PR-01).

    The form is the words of this page about the purposes of that campaign, with its
    notice, as a person saw them who had said yes to none.
    """
    wanted = {choice.key for choice in choices if choice.said not in {"", KEEP}}
    asked = sorted(
        (offer for key, offer in offered.items() if key in wanted),
        key=lambda offer: offer.live.campaign.code,
    )
    made = {}
    for code, group in groupby(asked, key=lambda offer: offer.live.campaign.code):
        mine = list(group)
        face = faces().of(mine[0].live, found.locale).shown
        language.speak(found.locale)
        said = render_template("links/_wants.html", shop=found.shop, offers=mine)
        made[code] = replace(
            face,
            form=worded(f"{said}\n{face.notice.body}"),
            purposes={offer.purpose.key: offer.wording for offer in mine},
        )
    return made


def _told(saved: Saved) -> dict[str, Any]:
    told = {
        "on": saved.on,
        "off": saved.off,
        "how": saved.how,
        "not_on": saved.not_on,
    }
    said: dict[str, Any] = {key: keys for key, keys in told.items() if keys}
    return said or {"done": "same"}


# --- words -------------------------------------------------------------------------


def _note(wants: Sequence[Want], shop: str) -> list[str]:
    """Return what the last press has changed, line by line; nothing before one."""
    titles = {want.key: _title(want) for want in wants}

    def named(what: str) -> str:
        keys = dict.fromkeys(request.args.getlist(what))
        return ", ".join(titles[key] for key in keys if key in titles)

    lines = []
    if on := named("on"):
        lines.append(_("Saved. From now on you get: %(names)s.", names=on))
    if off := named("off"):
        lines.append(_("Saved. You do not get this any more: %(names)s.", names=off))
    if how := named("how"):
        lines.append(_("Saved. We keep to your wishes for: %(names)s.", names=how))
    if not_on := named("not_on"):
        lines.append(
            _(
                "This is not on, because its words have changed or you asked never to "
                "be mailed: %(names)s. Read it again below.",
                names=not_on,
            )
        )
    return lines or _done(shop)


def _done(shop: str) -> list[str]:
    """Return what a press has done, where the page does not say it for good anyway."""
    match request.args.get("done"):
        case "all_off":
            return [
                _(
                    "All mails from %(shop)s have stopped. A prize you have won stays "
                    "yours.",
                    shop=shop,
                )
            ]
        case "ask_again":
            return [_("You can be asked again. Nothing is on unless you switch it on.")]
        case "used":
            return [_("Your data is in use again, as you chose below.")]
        case "same":
            return [_("Saved. Nothing has changed.")]
    return []


def _is_soft(want: Want) -> bool:
    return want.act is Act.SOFT_OPT_IN or want.key.startswith("soft:")


def _has_ways(want: Want) -> bool:
    purpose = want.offer.purpose if want.offer else None
    return bool(purpose and (purpose.topics or purpose.rhythms))


def _category(want: Want) -> str:
    return want.key.partition(":")[2].replace("_", " ")


def _title(want: Want) -> str:
    return _category(want) if _is_soft(want) else want.told.title


def _day(want: Want) -> str:
    return str(format_date(want.since, "d MMMM y"))
