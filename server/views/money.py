"""Sums of money, as their language writes them."""

from flask_babel import format_currency


def euros(cents: int | None) -> str:
    """Return an amount, or nothing for no amount."""
    return "" if cents is None else str(format_currency(cents / 100, "EUR"))
