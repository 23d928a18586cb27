"""Logs: one JSON object a line on stderr, and nothing in it that is about a person.

Only the fields named here pass (SAFETY.md T23). What libraries log is kept to what
they wrote in their code: what they filled in may be anything.
"""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

from server import clock

Event = MutableMapping[str, Any]

# Numbers, names from our own code, and codes that shops choose for campaigns.
FIELDS = frozenset(
    {
        *("at", "level", "event", "logger", "error", "where", "pid"),
        *("route", "method", "status", "scope", "campaign", "shop", "placement"),
        *("outbox_id", "letter", "attempts", "answer", "state", "check"),
        *("sent", "failed", "refused", "dropped", "released", "waiting", "dead"),
        *("expired", "lapsed", "days", "seconds", "oldest_seconds", "count"),
        *("directive", "host", "signs", "confirmed", "contact"),
        *("raffled", "webhook", "key", "was", "sealed", "day", "size"),
        *("signal", "process", "folder", "address", "version", "name", "bytes"),
    }
)
# Gunicorn tells here where it listens and that it stops.
TRUSTED_LOGGERS = ("gunicorn",)
_PERSONAL = re.compile(r"ip=\S+|\S+@\S+|\?\S*|/[\w.~-]{20,}|\b[\w-]{32,}")
NOISE = ("alembic", "asyncio", "mail.log", "aiosmtpd", "urllib3")


def configure(*, level: int = logging.INFO) -> None:
    """Send every log of this process, and of its libraries, through our rules."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        _stamped,
        _without_messages,
        _only_known_fields,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_as_written, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
            keep_exc_info=False,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in NOISE:
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.captureWarnings(True)


def _stamped(_logger: Any, _method: str, event: Event) -> Event:
    event["at"] = clock.now().isoformat(timespec="milliseconds")
    return event


def _as_written(_logger: Any, _method: str, event: Event) -> Event:
    """Keep of a library's record what stands in its code, not what was filled in."""
    record: logging.LogRecord = event["_record"]
    event["logger"] = record.name
    if record.levelno <= logging.INFO and record.name.startswith(TRUSTED_LOGGERS):
        text = str(event["event"])
    else:
        text = str(record.msg)
    event["event"] = _PERSONAL.sub("...", text.splitlines()[0] if text else "")
    if record.exc_info:
        event["exc_info"] = record.exc_info
    return event


def _without_messages(_logger: Any, _method: str, event: Event) -> Event:
    """Keep of an exception its kind and its place: its message may quote anybody."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["where"] = [
            f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)[-6:]
        ]
    return event


def _only_known_fields(_logger: Any, _method: str, event: Event) -> Event:
    return {
        key: value
        for key, value in event.items()
        if key in FIELDS or key in {"_record", "_from_structlog"}
    }
