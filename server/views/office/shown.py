"""Numbers and moments as people read them, in the language of the page."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from babel.numbers import format_decimal, format_percent
from flask_babel import format_date, format_datetime, get_locale

from server.domain import voucher

NOTHING = "–"


def moment(value: datetime | None) -> str:
    """Return `2 Mar 2026, 11:30` on the shop's clock; `exact` is for proofs."""
    if value is None:
        return NOTHING
    return str(format_datetime(value, "d MMM y, HH:mm"))


def full_day(value: datetime) -> str:
    """Return `2 Mar 2026`, the day it is where the shop is."""
    return str(format_date(value, "d MMM y"))


def last_day(until: datetime) -> str:
    """Return the last whole day before that, as the winner's own letter names it."""
    return full_day(voucher.last_day(until))


def as_moment(value: str) -> datetime:
    """Return the moment that a piece of evidence names in ISO 8601."""
    return datetime.fromisoformat(value)


def exact(value: datetime | None) -> str:
    """Return `2026-03-02 10:30:00.000 UTC`, as a proof says it in any language."""
    if value is None:
        return NOTHING
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"


def day(value: date) -> str:
    """Return `2 Mar`."""
    return str(format_date(value, "d MMM", rebase=False))


def number(value: int | None) -> str:
    """Return `12,345`."""
    return (
        NOTHING
        if value is None
        else format_decimal(value, "#,##0", locale=get_locale())
    )


def share(value: float | None) -> str:
    """Return `62.5%`; small shares keep two digits that mean something."""
    if value is None:
        return NOTHING
    digits = "#,##0.0%" if value >= 0.01 or value == 0 else "#,##0.###%"
    return format_percent(value, digits, locale=get_locale())


def own_words(texts: Mapping[str, str]) -> str:
    """Return the page's language of a text, else the first it has."""
    return texts.get(str(get_locale())) or next(iter(texts.values()), "")


def chosen(value: str, options: Mapping[str, Mapping[str, str]]) -> str:
    """Return the labels of the answers that were chosen; what was typed stays."""
    if not options:
        return str(value)
    keys = str(value).split(",")
    return ", ".join(own_words(options.get(key, {"": key})) for key in keys)


def as_told(value: str, kind: str) -> str:
    """Return `2 March` for a birthday's `--03-02`, and room after a choice's comma."""
    if kind == "choices":
        return value.replace(",", ", ")
    if kind != "date":
        return value
    try:
        # A birthday has no year, and may be the last of February.
        found = date.fromisoformat(f"2000{value[1:]}")
    except ValueError:
        return value
    return str(format_date(found, "d MMMM", rebase=False))
