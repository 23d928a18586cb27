"""Where is my prize: how it stands, its code, and mailing it once more (PZ-07).

Open to whoever holds the link in the letter: no account, no cost, no script. A GET
writes nothing, however often a mail program looks.
"""

from flask import Blueprint, Response, url_for

from server import clock
from server.db import reading, transaction
from server.domain import address, bars, qr
from server.domain.links import Salt
from server.domain.voucher import State
from server.services import prize_letters, vouchers
from server.services.links import Found
from server.services.vouchers import Held
from server.views import guards, links
from server.views import vouchers as words
from server.views.house import directory, limiter, tools

bp = Blueprint("prize", __name__, url_prefix="/prize")


@bp.get("/<token>")
@guards.link
def page(token: str) -> Response:
    """Show how the prize stands, and its code as text and as a picture."""
    found, held = _follow(token)
    if found is None or held is None:
        return links.unknown()
    title, advice = words.winner_words(held, found.shop.name)
    is_open = held.state is State.AWARDED
    return links.page(
        "links/prize.html",
        found,
        title=title,
        advice=advice,
        prize=words.label(held),
        kind=held.prize.kind,
        worth=words.worth(held),
        claim=words.claim(held),
        code=held.code,
        is_open=is_open,
        picture=url_for(".picture", token=token) if is_open else None,
        bars=url_for(".barcode", token=token) if bars.can_hold(held.code) else None,
        action=url_for(".mail_again", token=token) if is_open else None,
        mailbox=address.masked(found.who.email),
    )


@bp.get("/<token>/code.svg")
@guards.link
def picture(token: str) -> Response:
    """Answer the code as a QR that a till can scan."""
    _found, held = _follow(token)
    if held is None or held.state is not State.AWARDED:
        return links.unknown()
    return links.unindexed(Response(qr.svg(held.code), mimetype="image/svg+xml"))


@bp.get("/<token>/code-bars.svg")
@guards.link
def barcode(token: str) -> Response:
    """Answer the code as bars, for a scanner that reads no QR."""
    _found, held = _follow(token)
    if held is None or held.state is not State.AWARDED or not bars.can_hold(held.code):
        return links.unknown()
    return links.unindexed(Response(bars.svg(held.code), mimetype="image/svg+xml"))


@bp.post("/<token>/mail")
@guards.link
def mail_again(token: str) -> Response:
    """Mail the prize once more, to the same address.

    The answer is the same whether a mail goes out or a limit keeps it back.
    """
    found, held = _follow(token)
    if found is None or held is None:
        return links.unknown()
    if limiter().may_press(link=found.link_id):
        with transaction() as session:
            prize_letters.mail_again(
                session, found, held, tools=tools(), now=clock.now()
            )
    return links.leave("mailed", found)


def _follow(token: str) -> tuple[Found | None, Held | None]:
    """Return where a link leads and what was won there; None for what is not ours."""
    found = links.follow(Salt.PRIZE, token)
    if found is None:
        return None, None
    with reading() as session:
        held = vouchers.of_entry(
            session, found.entry_id, directory=directory(), now=clock.now()
        )
    return found, held
