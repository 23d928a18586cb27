"""Who is asking, as far as a request shows it."""

import ipaddress

from flask import request

from server.domain.network import is_in
from server.domain.shop import ShopFile
from server.services.consents import Circumstances
from server.views import house

LONGEST_AGENT = 300


def circumstances(shop: ShopFile, page: str = "") -> Circumstances:
    """Return address and browser; the address comes from trusted hops only (PR-03).

    A shop can do without the address altogether (PR-10).
    """
    agent = request.headers.get("User-Agent", "")[:LONGEST_AGENT]
    ip = request.remote_addr or ""
    return Circumstances(
        ip=ip if shop.keeps_network_addresses else "",
        user_agent=agent,
        page=page,
        is_scanner=is_in(ip, house.settings().scanner_networks),
    )


def network() -> str:
    """Return the network that limits count as one client: a /24 or a /56."""
    return network_of(request.remote_addr or "")


def network_of(ip: str) -> str:
    """Return the network of an address, `unknown` for what is none."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "unknown"
    prefix = 24 if address.version == 4 else 56
    rest = address.max_prefixlen - prefix
    # The library's own way to a network takes four times as long.
    first = type(address)(int(address) >> rest << rest)
    return f"{first}/{prefix}"
