"""Orders that are won back: each once in its shop, known by a keyed hash."""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy.orm import Session

from server.domain import order
from server.domain.seals import Vault
from server.models.base import inserting, table
from server.models.purchase import Purchase


class OrderUsedError(Exception):
    """This order was won back before."""


def hashed(vault: Vault, shop_id: int, reference: str) -> bytes:
    """Return the keyed hash by which a shop knows an order again."""
    return vault.hashed("order", shop_id, order.identity(reference))


def win_back(
    session: Session,
    *,
    shop_id: int,
    order_hash: bytes,
    entry_id: int,
    cents: int,
    now: datetime,
) -> None:
    """Note that an order is paid back to who won it. Raises `OrderUsedError`."""
    connection = session.connection()
    made = connection.scalar(
        _new_purchase(connection.dialect.name),
        {
            "shop_id": shop_id,
            "order_hash": order_hash,
            "entry_id": entry_id,
            "amount_cents": cents,
            "claimed_at": now,
        },
    )
    if made is None:
        raise OrderUsedError


@cache
def _new_purchase(dialect: str) -> Any:
    purchase = table(Purchase)
    insert = inserting(dialect)(purchase)
    return insert.on_conflict_do_nothing(
        index_elements=["shop_id", "order_hash"]
    ).returning(purchase.c.id)
