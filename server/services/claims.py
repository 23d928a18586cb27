"""What a winner adds to a prize while claiming it: which of several, or an order."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from server.domain import order
from server.domain.answers import Reason
from server.domain.campaign import Prize
from server.domain.entry import CHOICE, ORDER, Submission, check_order
from server.domain.seals import Vault
from server.services import draws, purchases
from server.services.campaigns import Live


class UnclaimedError(Exception):
    """What was won needs something more to be claimed; `faults` says what."""

    def __init__(self, faults: dict[str, Reason]) -> None:
        self.faults = faults
        super().__init__(", ".join(faults))


@dataclass(frozen=True, slots=True)
class Added:
    """The key of what was picked, and how many cents of an order are paid back."""

    picked: str | None = None
    cents: int | None = None


def faults(submission: Submission, prize: Prize) -> dict[str, Reason]:
    """Return what of it a prize asks for and does not find, field -> reason.

    Only whether something is left, and free, is seen later.
    """
    if prize.kind == "choice" and submission.choice not in prize.options:
        return {CHOICE: Reason.NOT_OFFERED}
    return check_order(submission) if prize.kind == "refund" else {}


def settle(
    session: Session,
    live: Live,
    submission: Submission,
    *,
    awarded: str,
    entry_id: int,
    vault: Vault,
    now: datetime,
) -> Added:
    """Reserve what the winner picked, or note the order they want back.

    Raises `UnclaimedError`; then the play can still be claimed.
    """
    prize = live.campaign.prize(awarded)
    if wrong := faults(submission, prize):
        raise UnclaimedError(wrong)
    if prize.kind == "choice":
        picked = submission.choice
        try:
            draws.pick(session, live, picked, entry_id=entry_id, now=now)
        except draws.RanOutError as error:
            raise UnclaimedError({CHOICE: Reason.RAN_OUT}) from error
        return Added(picked=picked)
    if prize.kind == "refund":
        amount = order.cents(submission.order_amount) or 0
        cents = order.paid_back(amount, most=prize.value_cents)
        order_hash = purchases.hashed(vault, live.shop_id, submission.order)
        try:
            purchases.win_back(
                session,
                shop_id=live.shop_id,
                order_hash=order_hash,
                entry_id=entry_id,
                cents=cents,
                now=now,
            )
        except purchases.OrderUsedError as error:
            raise UnclaimedError({ORDER: Reason.ORDER_USED}) from error
        return Added(cents=cents)
    return Added()
