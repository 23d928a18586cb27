"""Hits counted in Redis, so that all processes count together (AB-01)."""

import time

import structlog
from limits import RateLimitItem
from limits.errors import ConfigurationError
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

from server.settings import SettingError
from server.views.limiter import Window

log = structlog.get_logger()

# A Redis that hangs costs one visitor a moment; then it is left alone for a while.
PATIENCE_S = 0.5
LEFT_ALONE_S = 5.0


class RedisWindow:
    """Counts in Redis, and in this process while Redis does not answer."""

    def __init__(self, url: str, *, meanwhile: Window) -> None:
        self._shared = MovingWindowRateLimiter(_storage(url))
        self._meanwhile = meanwhile
        self._alone_until = 0.0

    def hit(self, item: RateLimitItem, /, *identifiers: str) -> bool:
        """Note a hit, unless the window is full."""
        return self._ask("hit", item, *identifiers)

    def test(self, item: RateLimitItem, /, *identifiers: str) -> bool:
        """Return whether one more hit would be let through."""
        return self._ask("test", item, *identifiers)

    def _ask(self, what: str, item: RateLimitItem, *identifiers: str) -> bool:
        if time.monotonic() >= self._alone_until:
            try:
                return bool(getattr(self._shared, what)(item, *identifiers))
            except RedisError as error:
                self._alone_until = time.monotonic() + LEFT_ALONE_S
                log.error("limits unreachable", error=type(error).__name__)
        return bool(getattr(self._meanwhile, what)(item, *identifiers))


def _storage(url: str) -> RedisStorage:
    try:
        return RedisStorage(
            url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S
        )
    except (ConfigurationError, ValueError) as error:
        raise SettingError(
            "JAWOORD_REDIS_URL cannot be read; write it like redis://HOST:6379/0"
        ) from error
