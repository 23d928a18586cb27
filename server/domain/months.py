"""Terms that the law counts in calendar months."""

from calendar import monthrange
from datetime import UTC, datetime

MONTHS_A_YEAR = 12


def months_after(at: datetime, months: int) -> datetime:
    """Return the same moment so many months later, or earlier where it is negative.

    A month without that day ends it: 31 January and a month is 28 or 29 February
    (Regulation 1182/71, article 3(2)(c)).
    """
    at = at.astimezone(UTC)
    years, month = divmod(at.month - 1 + months, MONTHS_A_YEAR)
    year, month = at.year + years, month + 1
    return at.replace(
        year=year, month=month, day=min(at.day, monthrange(year, month)[1])
    )
