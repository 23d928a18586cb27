"""When a delivery that failed is tried again (SAFETY.md F10).

The schedule reaches 72 hours, when the link in the mail would be stale; then the
row is a dead letter, for a person to look at.
"""

from datetime import datetime, timedelta

GIVE_UP_AFTER = timedelta(hours=72)
FIRST_WAITS = tuple(timedelta(minutes=m) for m in (1, 5, 15, 30, 60, 120, 240, 480))


def next_try(*, attempts: int, created: datetime, now: datetime) -> datetime | None:
    """Return when to try again after `attempts` failures, or None to give up."""
    due = now + FIRST_WAITS[min(attempts, len(FIRST_WAITS)) - 1]
    return due if due - created <= GIVE_UP_AFTER else None
