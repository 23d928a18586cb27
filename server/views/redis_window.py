"""Hits counted in Redis, so that all processes count together (AB-01)."""

import time
from collections.abc import Sequence

import structlog
from limits.errors import ConfigurationError
from limits.storage import RedisStorage
from redis.exceptions import RedisError

from server.settings import SettingError
from server.tally import Chain, Hit
from server.views.limiter import Window

log = structlog.get_logger()

# A Redis that hangs costs one visitor a moment; then it is left alone for a while.
PATIENCE_S = 0.5
LEFT_ALONE_S = 5.0


# Several chains in one round trip: hits are noted in order, up to the first that is one
# too many. The lists are as `limits` keeps them for its moving window.
_COUNT = b"""
local now, refused, at = tonumber(ARGV[1]), {}, 2
for i, key in ipairs(KEYS) do
    local chain, most = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
    local lasts_s, is_noted = tonumber(ARGV[at + 2]), ARGV[at + 3]
    at = at + 4
    refused[chain] = 0
    local oldest = redis.call('lindex', key, most - 1)
    if oldest and tonumber(oldest) >= now - lasts_s then
        refused[chain] = i
        break
    elseif is_noted == '1' then
        redis.call('lpush', key, ARGV[1])
        redis.call('ltrim', key, 0, most - 1)
        redis.call('expire', key, lasts_s)
    end
end
return refused
"""


class RedisWindow:
    """Counts in Redis, and otherwise while Redis does not answer: `meanwhile`."""

    def __init__(self, url: str, *, meanwhile: Window) -> None:
        self._storage = _storage(url)
        self._script = self._storage.get_connection().register_script(_COUNT)
        self._meanwhile = meanwhile
        self._alone_until = 0.0

    def count(self, *chains: Chain) -> list[Hit | None]:
        """Note hits as `count_chains` does."""
        found = self._ask(chains)
        return self._meanwhile.count(*chains) if found is None else found

    def _ask(self, chains: Sequence[Chain]) -> list[Hit | None] | None:
        """Return what Redis says, or None while it does not answer."""
        if time.monotonic() < self._alone_until:
            return None
        hits = [hit for chain in chains for hit in chain]
        told: list[float | int] = [time.time()]
        for number, chain in enumerate(chains, 1):
            for hit in chain:
                item = hit.item
                told += [number, item.amount, item.get_expiry(), int(hit.is_noted)]
        keys = [self._storage.prefixed_key(hit.full_key) for hit in hits]
        try:
            refused = self._script(keys, told)
        except RedisError as error:
            self._alone_until = time.monotonic() + LEFT_ALONE_S
            log.error("limits unreachable", error=type(error).__name__)
            return None
        return [hits[which - 1] if which else None for which in refused]


def _storage(url: str) -> RedisStorage:
    try:
        return RedisStorage(
            url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S
        )
    except (ConfigurationError, ValueError) as error:
        raise SettingError(
            "JAWOORD_REDIS_URL cannot be read; write it like redis://HOST:6379/0"
        ) from error
