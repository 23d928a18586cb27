"""Hits counted in Redis, so that all processes count together (AB-01)."""

import time
from collections.abc import Callable

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
        found = self._ask(lambda: self._shared.hit(item, *identifiers))
        return self._meanwhile.hit(item, *identifiers) if found is None else found

    def has_room(self, item: RateLimitItem, /, *identifiers: str) -> bool:
        """Return whether the window has room for one more hit."""
        found = self._ask(lambda: self._shared.test(item, *identifiers))
        return self._meanwhile.has_room(item, *identifiers) if found is None else found

    def _ask(self, ask: Callable[[], bool]) -> bool | None:
        """Return what Redis says, or None while it does not answer."""
        if time.monotonic() < self._alone_until:
            return None
        try:
            return ask()
        except RedisError as error:
            self._alone_until = time.monotonic() + LEFT_ALONE_S
            log.error("limits unreachable", error=type(error).__name__)
            return None


def _storage(url: str) -> RedisStorage:
    try:
        return RedisStorage(
            url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S
        )
    except (ConfigurationError, ValueError) as error:
        raise SettingError(
            "JAWOORD_REDIS_URL cannot be read; write it like redis://HOST:6379/0"
        ) from error
