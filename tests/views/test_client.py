"""Where a request comes from: only as far as the configured proxies are believed."""

import pytest

from server.domain.network import truncated
from server.models import ConsentEvent
from server.views import client as asking
from tests.factories import campaign_file, shop_file
from tests.visits import take_card

SOCKET = "203.0.113.7"
SIX = "2001:db8:85a3::8a2e:370:7334"


@pytest.fixture
def behind(house_with, publish):
    """Make the service stand behind so many proxies, and play there once."""

    def play(hops: int, *, socket: str, **headers: str) -> str:
        """Return the address that the evidence of the play holds."""
        if not play.published:
            publish(campaign_file("welcome-scratch"))
            play.published = True
        house = house_with(TRUSTED_PROXIES=str(hops))
        visitor = house.app.test_client()
        before = len(house.rows(ConsentEvent))
        named = f"visitor{before}@example.com"
        take_card(visitor).enter(
            visitor,
            named,
            consents=["newsletter"],
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            environ_overrides={"REMOTE_ADDR": socket},
        )
        (fact,) = house.facts(named)
        return house.evidence(fact, named)["ip"]

    play.published = False
    return play


FORGED = {
    "X_Forwarded_For": "198.51.100.1, 198.51.100.2",
    "X_Real_IP": "198.51.100.3",
    "Forwarded": "for=198.51.100.4",
    "CF_Connecting_IP": "198.51.100.5",
    "True_Client_IP": "198.51.100.6",
    "Client_IP": "198.51.100.7",
}


def test_without_proxies_no_header_is_believed(behind):
    """PR-03, T29: spoofed headers never reach the proof."""
    assert behind(0, socket=SOCKET, **FORGED) == SOCKET


def test_behind_one_proxy_only_its_own_word_counts(behind):
    """PR-03: what the visitor put before it is not taken."""
    forged = FORGED | {"X_Forwarded_For": f"198.51.100.1, 198.51.100.2, {SOCKET}"}

    assert behind(1, socket="10.0.0.2", **forged) == SOCKET


def test_a_proxy_that_says_nothing_leaves_the_socket(behind):
    assert behind(1, socket=SOCKET) == SOCKET


@pytest.mark.parametrize("hops", [0, 1])
def test_ipv6_is_kept_whole(behind, hops):
    """PR-03."""
    forwarded = {"X_Forwarded_For": SIX} if hops else {}

    found = behind(hops, socket="10.0.0.2" if hops else SIX, **forwarded)

    assert found == SIX


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:85a3:1234::1", "2001:db8:85a3:1200::/56"),
        ("not an address", "unknown"),
    ],
)
def test_limits_count_a_network_as_one_client(app, ip, network):
    """Section 15 counts a /24 or a /56."""
    with app.test_request_context(environ_overrides={"REMOTE_ADDR": ip}):
        assert asking.network() == network


def test_a_browsers_name_is_kept_only_so_long(app):
    with app.test_request_context(headers={"User-Agent": "x" * 5_000}):
        told = asking.circumstances(shop_file())
    assert len(told.user_agent) == asking.LONGEST_AGENT


def test_a_shop_can_do_without_addresses(publish, client, house):
    """PR-10: neither the address nor its network is kept."""
    publish(
        campaign_file("welcome-scratch"), shop=shop_file(keeps_network_addresses=False)
    )

    take_card(client).enter(
        client, consents=["newsletter"], environ_overrides={"REMOTE_ADDR": SOCKET}
    )

    told = house.evidence(house.facts()[0])
    assert told["ip"] == ""
    assert not {"network", "trace"} & told.keys()


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        (SIX, "2001:db8:85a3::/48"),
        ("::ffff:203.0.113.7", "::/48"),
        ("unknown", ""),
    ],
)
def test_of_an_old_address_its_network_is_left(ip, network):
    """DS-04."""
    assert truncated(ip) == network
