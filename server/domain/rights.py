"""The rights of a person, and the month within which they are answered (GDPR 12(3))."""

import calendar
from datetime import datetime
from enum import StrEnum


class Right(StrEnum):
    """What somebody may ask for (GDPR 15 to 21); access is a copy to take along."""

    ACCESS = "access"
    RECTIFY = "rectify"
    RESTRICT = "restrict"
    OBJECT = "object"
    ERASE = "erase"


class Outcome(StrEnum):
    """What came of a request."""

    DONE = "done"
    REFUSED = "refused"


def due_at(opened: datetime) -> datetime:
    """Return the same day and hour of the next month (GDPR 12(3)).

    Where that month has no such day it is its last one, as Regulation 1182/71 counts.
    """
    year, month = divmod(opened.year * 12 + opened.month, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return opened.replace(year=year, month=month + 1, day=min(opened.day, last))
