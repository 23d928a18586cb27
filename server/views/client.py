"""Who is asking, as far as a request shows it."""

import ipaddress

from flask import request

from server.services.consents import Circumstances

LONGEST_AGENT = 300


def circumstances(page: str = "") -> Circumstances:
    """Return address and browser; the address comes from trusted hops only (PR-03)."""
    agent = request.headers.get("User-Agent", "")[:LONGEST_AGENT]
    return Circumstances(ip=request.remote_addr or "", user_agent=agent, page=page)


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
    return str(ipaddress.ip_network(f"{address}/{prefix}", strict=False))
