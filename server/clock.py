"""The only place that asks what time it is, so that everything else is told."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment in UTC, to the millisecond the database keeps."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
