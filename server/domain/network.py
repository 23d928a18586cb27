"""Addresses of networks."""

import ipaddress
from functools import lru_cache

# What is left of an address once it may be known no longer: many people share it.
KEPT_BITS = {4: 24, 6: 48}


# Reading an address takes longer than sealing it, and many come more than once.
@lru_cache(maxsize=4_096)
def truncated(ip: str) -> str:
    """Return the network of an address, `192.0.2.0/24`; empty for what is none."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ""
    bits = KEPT_BITS[address.version]
    return str(ipaddress.ip_network(f"{address}/{bits}", strict=False))


def is_in(ip: str, networks: tuple[str, ...]) -> bool:
    """Return whether an address lies in one of these networks."""
    if not networks:
        return False
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(network) for network in networks)
