"""Counting in Redis, and without it (SAFETY.md F17)."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from limits import parse

from server.domain.seals import Vault
from server.settings import load_settings
from server.tally import Hit, Tally
from server.views.limiter import Limiter
from server.views.redis_window import RedisWindow
from tests.servers import Redis

OFTEN = 12


@pytest.fixture
def limiter(environ, redis_server: Redis) -> Limiter:
    settings = replace(load_settings(environ), redis_url=redis_server.url)
    return Limiter(settings, Vault(settings.data_keys))


def test_two_processes_share_one_count(environ, redis_server: Redis):
    settings = replace(load_settings(environ), redis_url=redis_server.url)
    one, other = (Limiter(settings, Vault(settings.data_keys)) for _ in range(2))

    pressed = [each.may_press(link=1) for each in [one, other] * (OFTEN // 2)]

    assert pressed == [True] * 10 + [False] * 2


def test_two_processes_count_wrong_box_codes_together(environ, redis_server: Redis):
    """G14: ten a minute, whichever process is asked."""
    settings = replace(load_settings(environ), redis_url=redis_server.url)
    one, other = (Limiter(settings, Vault(settings.data_keys)) for _ in range(2))

    for each in [one, other] * 5:
        assert each.may_guess(network="192.0.2.0/24")
        each.wrong_code(network="192.0.2.0/24")

    assert not one.may_guess(network="192.0.2.0/24")
    assert not other.may_guess(network="192.0.2.0/24")
    assert other.may_guess(network="198.51.100.0/24")


def test_without_redis_each_process_counts_for_itself(
    limiter: Limiter, redis_server: Redis
):
    """Somebody who presses "confirm" while Redis is down is not turned away."""
    redis_server.stop()

    pressed = [limiter.may_press(link=1) for _ in range(OFTEN)]

    assert pressed == [True] * 10 + [False] * 2


def test_a_redis_that_hangs_holds_nobody_up(limiter: Limiter, redis_server: Redis):
    assert limiter.may_press(link=1)
    redis_server.suspend()

    began = time.monotonic()
    pressed = [limiter.may_press(link=2) for _ in range(OFTEN)]
    lasted = time.monotonic() - began
    redis_server.resume()

    assert pressed == [True] * 10 + [False] * 2
    assert lasted < 4, "one short wait, not one for each visitor"


def test_wrong_codes_are_counted_together_and_right_ones_not(
    environ, redis_server: Redis
):
    """G14: looking whether one may guess notes nothing."""
    settings = replace(load_settings(environ), redis_url=redis_server.url)
    one, other = (Limiter(settings, Vault(settings.data_keys)) for _ in range(2))

    assert all(each.may_redeem(network="a") for each in [one, other] * OFTEN)
    for _ in range(5):
        one.wrong_voucher(network="a")
        other.wrong_voucher(network="a")

    assert not one.may_redeem(network="a")
    assert one.may_redeem(network="b")


def test_chains_take_one_round_trip_and_end_at_what_is_one_too_many(
    redis_server: Redis,
):
    """AB-01: as they are counted in the file of a machine."""
    window = RedisWindow(redis_server.url, meanwhile=Tally(Path("/nowhere")))
    two, ten = parse("2 per minute"), parse("10 per minute")
    play, client, rest = Hit(two, "play"), Hit(ten, "client"), Hit(two, "instance")
    look = Hit(two, "play", is_noted=False)
    before = commands(redis_server)

    answers = [window.count([play], [client, rest]) for _ in range(3)]

    assert commands(redis_server) - before <= 4, "one each, and once to load the script"
    assert answers == [[None, None], [None, None], [play]]
    assert window.count([look, client], [Hit(ten, "instance")]) == [look]
    assert window.count([client, rest], [Hit(ten, "instance")]) == [rest]
    assert [window.count([client])[0] for _ in range(8)] == [None] * 7 + [client]


def commands(server: Redis) -> int:
    """Return how many scripts were called for so far."""
    with redis.from_url(server.url) as client:
        stats = client.info("commandstats")
    names = ("cmdstat_evalsha", "cmdstat_script|load", "cmdstat_script")
    return sum(stats.get(name, {}).get("calls", 0) for name in names)


def test_without_redis_wrong_codes_are_still_counted(limiter, redis_server: Redis):
    redis_server.stop()

    for _ in range(10):
        assert limiter.may_redeem(network="a")
        limiter.wrong_voucher(network="a")

    assert not limiter.may_redeem(network="a")
