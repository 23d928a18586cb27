"""A shop by the code under which its files and its people know it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.models.shop import Shop


class UnknownShopError(Exception):
    """There is no shop with this code."""


def find(session: Session, code: str) -> Shop | None:
    """Return the shop with this code."""
    return session.scalar(select(Shop).where(Shop.code == code))


def id_of(session: Session, code: str) -> int:
    """Return the row of a shop. Raises `UnknownShopError`."""
    shop = find(session, code)
    if shop is None:
        raise UnknownShopError
    return shop.id


def codes(session: Session) -> dict[int, str]:
    """Return the codes of all shops by their rows, oldest first."""
    rows = session.execute(select(Shop.id, Shop.code).order_by(Shop.id))
    return {row.id: row.code for row in rows}
