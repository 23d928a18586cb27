"""An order that a winner wants back: its reference, its amount, and what is paid."""

import re

from server.domain.parts import Locale

LONGEST_REFERENCE = 40
MOST_CENTS = 100_000_00
# Whole euros, or with two digits after a comma or a point.
_AMOUNT = re.compile(r"^(?:€ ?|EUR ?)?([0-9]{1,6})(?:[.,]([0-9]{2}|-))?$")
_PLAIN = re.compile(r"[^0-9a-z]")
# What the page around a game tells of an order (docs/embedding.md).
REFERENCE, AMOUNT = "order:reference", "order:amount"


def identity(reference: str) -> str:
    """Return what makes two references the same order: their letters and digits.

    Empty if there are none, or more than an order's number has.
    """
    plain = _PLAIN.sub("", reference.lower())
    return plain if len(reference) <= LONGEST_REFERENCE else ""


def cents(typed: str) -> int | None:
    """Return an amount in cents; None if it is none, or nothing, or beyond belief."""
    found = _AMOUNT.match(typed.strip())
    if found is None:
        return None
    euros, rest = found.groups()
    amount = int(euros) * 100 + int((rest or "0").strip("-") or 0)
    return amount if 0 < amount <= MOST_CENTS else None


def as_typed(told: str, locale: Locale) -> str:
    """Return an amount in cents, as a page tells it, in the way people type it."""
    if not told.isdecimal() or not told.isascii() or len(told) > len(str(MOST_CENTS)):
        return ""
    point = "," if locale == "nl" else "."
    return f"{int(told) // 100}{point}{int(told) % 100:02}"


def paid_back(amount: int, *, most: int) -> int:
    """Return how many cents of an order are paid back, up to a cap."""
    return min(amount, most)
