"""When a delivery that failed is tried again (SAFETY.md F10, F13).

Mails are tried for 72 hours, when the link in them would be stale; webhooks on the
schedule that Standard Webhooks gives, some 76 hours. Then the row is a dead letter, for
a person to look at.
"""

from datetime import datetime, timedelta

GIVE_UP_AFTER = timedelta(hours=72)
FIRST_WAITS = tuple(timedelta(minutes=m) for m in (1, 5, 15, 30, 60, 120, 240, 480))
# Between the tries of a webhook, in seconds.
HOUR_S = 3_600
WEBHOOK_WAITS = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        *(5, 300, 1_800),
        *(hours * HOUR_S for hours in (2, 5, 10, 14, 20, 24)),
    )
)
# What waits longer, because its recipient answers nobody, is given up as well.
WEBHOOK_GIVE_UP_AFTER = timedelta(days=4)
# Each wait is longer by up to this share, so that not all come back at one moment.
JITTER = 0.1


def next_try(*, attempts: int, created: datetime, now: datetime) -> datetime | None:
    """Return when to try again after `attempts` failures, or None to give up."""
    due = now + FIRST_WAITS[min(attempts, len(FIRST_WAITS)) - 1]
    return due if due - created <= GIVE_UP_AFTER else None


def next_webhook(
    *, attempts: int, created: datetime, share: float, now: datetime
) -> datetime | None:
    """Return when to try a webhook again after `attempts` failures, or None to give up.

    `share` between 0 and 1 is by how much of the jitter it waits longer.
    """
    if attempts > len(WEBHOOK_WAITS) or now - created > WEBHOOK_GIVE_UP_AFTER:
        return None
    return now + WEBHOOK_WAITS[attempts - 1] * (1 + JITTER * share)
