"""Redeem a prize at the till or the desk, look one up, take one back."""

from flask import Response, make_response, render_template, request
from flask_babel import gettext as _

from server import clock
from server.db import reading, transaction
from server.domain.answers import plain
from server.domain.voucher import LONGEST_CODE, LONGEST_NOTE, State, Verdict
from server.services import members, purchases, vouchers
from server.services.vouchers import By, Held, Redemption
from server.views import client, guards
from server.views import vouchers as words
from server.views.guards import Here
from server.views.house import directory, limiter, tools
from server.views.office.blueprint import bp

PAGE = "office/vouchers/page.html"


@bp.get("/<shop>/vouchers", endpoint="vouchers")
@guards.member("viewer")
def page(here: Here) -> Response:
    """Ask for a code."""
    return _page(here)


@bp.post("/<shop>/vouchers/find")
@guards.member("viewer")
def find_voucher(here: Here) -> Response:
    """Show how a voucher stands, and its life.

    A POST although it changes nothing: a code in a URL would end up in logs and in the
    browser's history (T23).
    """
    code = _code()
    if (refusal := _refusal(here, code)) is not None:
        return refusal
    with reading() as session:
        held = vouchers.find(
            session, here.shop.shop_id, code, directory=directory(), now=clock.now()
        )
    if held is None:
        return _unknown(here, code)
    return _page(here, code=held.code, held=held, said=words.staff_words(held))


@bp.post("/<shop>/vouchers/redeem")
@guards.member("staff")
def redeem_voucher(here: Here) -> Response:
    """Redeem a voucher, once."""
    code = _code()
    if (refusal := _refusal(here, code)) is not None:
        return refusal
    now = clock.now()
    with transaction() as session:
        done = vouchers.redeem(
            session,
            here.shop.shop_id,
            code,
            by=_by(here),
            directory=directory(),
            now=now,
            order_hash=purchases.hashed(
                tools().vault, here.shop.shop_id, request.form.get("order", "")
            ),
        )
        if done.held and done.is_done:
            here.note(session, "voucher.redeem", done.held.code, now=now)
    return _done(here, code, done)


@bp.post("/<shop>/vouchers/revoke")
@guards.member("owner")
def revoke_voucher(here: Here) -> Response:
    """Take a voucher back, with the reason."""
    code, why = _code(), plain(request.form.get("why", ""))[:LONGEST_NOTE]
    if not code or not why:
        return _page(
            here, code=code, problem=_("Say why it is taken back."), status=422
        )
    if (refusal := _too_many(here, code)) is not None:
        return refusal
    now = clock.now()
    with transaction() as session:
        done = vouchers.revoke(
            session,
            here.shop.shop_id,
            code,
            by=_by(here),
            why=why,
            directory=directory(),
            now=now,
        )
        if done.held and done.is_done:
            here.note(session, "voucher.revoke", done.held.code, now=now)
    return _done(here, code, done)


def _code() -> str:
    return request.form.get("code", "").strip()[:LONGEST_CODE]


def _by(here: Here) -> By:
    """Return who acts: by name too, since at the next till no one knows a row's id."""
    place = str(_("Office, %(name)s", name=here.who.name))
    return By(f"{members.ACTOR}{here.who.member_id}", place=place)


def _refusal(here: Here, code: str) -> Response | None:
    """Return what keeps us from looking for this code, if anything does."""
    if not code:
        return _page(here, problem=_("Type or scan the code first."), status=422)
    return _too_many(here, code)


def _too_many(here: Here, code: str) -> Response | None:
    if limiter().may_redeem(network=client.network()):
        return None
    said = _("Those were many wrong codes. Wait a minute before the next one.")
    response = _page(here, code=code, problem=said, status=429)
    response.headers["Retry-After"] = "60"
    return response


def _unknown(here: Here, code: str) -> Response:
    limiter().wrong_voucher(network=client.network())
    said = words.where(Redemption(Verdict.UNKNOWN, None))
    return _page(here, code=code, problem=said)


def _done(here: Here, code: str, done: Redemption) -> Response:
    """Say what came of it; the field is free for the next code where it went well."""
    if done.held is None:
        return _unknown(here, code)
    return _page(
        here,
        code="" if done.is_done else code,
        held=done.held,
        said=words.where(done),
        is_good=done.is_done,
        is_bad=not done.is_done,
    )


def _page(
    here: Here,
    *,
    code: str = "",
    held: Held | None = None,
    said: str = "",
    problem: str = "",
    is_good: bool = False,
    is_bad: bool = False,
    status: int = 200,
) -> Response:
    with reading() as session:
        steps = vouchers.history(session, held.id) if held else []
        names = members.names(session, [step.by for step in steps if step.by])
    may_act = held is not None and held.state is State.AWARDED and not held.is_shared
    return make_response(
        render_template(
            PAGE,
            code=code,
            held=held,
            prize=words.label(held) if held else "",
            worth=words.worth(held) if held else "",
            until=words.until(held) if held else "",
            steps=[(step, names.get(step.by or "", step.by)) for step in steps],
            said=said,
            problem=problem,
            is_good=is_good,
            is_bad=is_bad or (held is not None and not (may_act or is_good)),
            may_redeem=may_act and here.shop.allows("staff"),
            may_revoke=may_act and here.shop.allows("owner"),
        ),
        status,
    )
