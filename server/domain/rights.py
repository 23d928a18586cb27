"""What a person can ask of their data, and by when it has to be done (GDPR 12, 15-21).

Kinds and outcomes are words of the database; pages say them in their own language.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from server.domain.months import months_after

TERM_MONTHS = 1
# Somebody who writes a letter down today may have had it for a while.
LONGEST_AGO_DAYS = 62
LONGEST_NOTE = 200
# From here on a page says that it is time.
SOON = timedelta(days=7)


class Right(StrEnum):
    """Which right somebody uses."""

    ACCESS = "access"
    RECTIFY = "rectify"
    RESTRICT = "restrict"
    OBJECT = "object"
    ERASE = "erase"


class Outcome(StrEnum):
    """What came of a request; where a person decided, their note is told instead."""

    ACCESSED = "accessed"
    RECTIFIED = "rectified"
    CORRECTED = "corrected"
    ERASED = "erased"
    RESTRICTED = "restricted"
    RESTRICTION_ENDED = "restriction_ended"
    OBJECTED = "objected"
    OBJECTION_ENDED = "objection_ended"


def due(opened_at: datetime) -> datetime:
    """Return when a request has to be answered: a month after it came in (12(3))."""
    return months_after(opened_at, TERM_MONTHS)
