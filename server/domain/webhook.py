"""What recipients are told by webhook, how it is signed, and what takes whose place.

The shape and the signature are those of Standard Webhooks (standardwebhooks.com): a
recipient can check them with a library that others wrote (GDPR 19; DS-06).
"""

import ipaddress
import json
import re
from base64 import b64encode
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from standardwebhooks.webhooks import Webhook as Signing

from server.domain.consent import Act
from server.domain.ledger import moment

SECRET_PREFIX = "whsec_"  # noqa: S105  # the scheme's word, no secret
SECRET_BYTES = 32
# After a rotation both secrets sign for so long.
OLD_SECRET_FOR = timedelta(hours=24)
LONGEST_URL, LONGEST_NAME = 500, 100
PORTS = {"https": 443, "http": 80}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Event(StrEnum):
    """What a recipient can be told."""

    GIVEN = "consent.given"
    WITHDRAWN = "consent.withdrawn"
    # The law lets a shop mail its customers without a yes (Tw 11.7(3)): no consent,
    # and so under no name that says so.
    SOFT_STARTED = "soft_opt_in.started"
    SOFT_ENDED = "soft_opt_in.ended"
    OBJECTED = "contact.objected"
    RESTRICTED = "contact.restricted"
    UNRESTRICTED = "contact.unrestricted"
    RECTIFIED = "contact.rectified"
    ERASED = "contact.erased"
    TEST = "webhook.test"


# What lets a recipient do more; all else ends or corrects something, and goes first.
ALLOWING = frozenset({Event.GIVEN, Event.SOFT_STARTED, Event.UNRESTRICTED, Event.TEST})
# If nobody can be told of these, a person of the shop has to see to it (GDPR 19).
OWED = frozenset(set(Event) - ALLOWING)
STARTS = {Act.GIVEN: Event.GIVEN, Act.SOFT_OPT_IN: Event.SOFT_STARTED}
# What ends, by what stood; of a claim without proof nobody was ever told (PR-08).
ENDS = {Act.GIVEN: Event.WITHDRAWN, Act.SOFT_OPT_IN: Event.SOFT_ENDED}
# Rights that are about a person as a whole.
RIGHTS = {
    Act.OBJECTED: Event.OBJECTED,
    Act.RESTRICTED: Event.RESTRICTED,
    Act.RESTRICTION_ENDED: Event.UNRESTRICTED,
    Act.RECTIFIED: Event.RECTIFIED,
    Act.ERASED: Event.ERASED,
}
BASES = {
    Event.GIVEN: "consent",
    Event.WITHDRAWN: "consent",
    Event.SOFT_STARTED: "soft_opt_in",
    Event.SOFT_ENDED: "soft_opt_in",
}
_TOPICS = {
    Event.OBJECTED: "objection",
    Event.RESTRICTED: "restriction",
    Event.UNRESTRICTED: "restriction",
    Event.RECTIFIED: "address",
    Event.ERASED: "erasure",
    Event.TEST: "test",
}
PURPOSE = "purpose:"


def topic(event: Event, purpose: str | None) -> str:
    """Return what an event is about: of one person's topic only the newest counts."""
    return f"{PURPOSE}{purpose}" if event in BASES else _TOPICS[event]


def purpose_of(topic: str) -> str:
    """Return the purpose that a topic is about; empty where it is about no single."""
    return topic.removeprefix(PURPOSE) if topic.startswith(PURPOSE) else ""


def rank(event: Event) -> int:
    """Return in which row it stands: noes never queue behind a hundred thousand yeses.

    So they arrive within a minute while an import is told (WD-03).
    """
    return 1 if event in ALLOWING else 0


@dataclass(frozen=True, slots=True)
class Message:
    """One event about one person, as a recipient reads it."""

    event: Event
    contact: str
    email: str
    # Addresses that the recipient may know the person by, and was not told of yet.
    earlier: tuple[str, ...]
    purpose: str | None
    channel: str
    # Why it ended: `withdrawn` by somebody, or `lapsed` by the clock.
    because: str | None
    at: datetime
    sequence: datetime

    def body(self) -> bytes:
        """Return the JSON that is signed and sent. No token is in it (DO-15)."""
        data: dict[str, Any] = {"contact": self.contact, "email": self.email}
        if self.earlier:
            data["earlier_emails"] = list(self.earlier)
        if self.event in BASES:
            data["purpose"] = self.purpose
            data["channel"] = self.channel
            data["basis"] = BASES[self.event]
        if self.because is not None:
            data["because"] = self.because
        data["at"] = moment(self.at)
        data["sequence"] = moment(self.sequence)
        return _json(self.event, self.at, data)


def test_body(name: str, *, now: datetime) -> bytes:
    """Return what a try of the line says; it is about nobody."""
    return _json(Event.TEST, now, {"recipient": name})


def _json(event: Event, at: datetime, data: Mapping[str, Any]) -> bytes:
    told = {"type": event.value, "timestamp": moment(at), "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def secret(random: bytes) -> str:
    """Return a secret in the scheme's own spelling."""
    return SECRET_PREFIX + b64encode(random).decode()


def headers(
    message_id: str, body: bytes, secrets: Collection[str], *, now: datetime
) -> dict[str, str]:
    """Return the scheme's headers; `secrets` is today's, then one that still counts."""
    text = body.decode()
    signed = [Signing(each).sign(message_id, now, text) for each in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signed),
    }


class Fault(StrEnum):
    """Why an address cannot be a recipient's."""

    LONG = "long"
    SHAPE = "shape"
    PLAIN = "plain"
    PORT = "port"
    SECRETS = "secrets"
    NEAR = "near"


_HOST = re.compile(r"\[[0-9a-f:.]+\]|[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?", re.I)
_TARGET = re.compile(r"[!-~]*")
# A host whose last part is a number can only be meant as an address.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_LOOPBACK = ipaddress.ip_address("127.0.0.1")


def fault(url: str, *, networks: Collection[Network] = ()) -> Fault | None:
    """Return what is wrong with the address of a webhook, if anything (SAFETY.md T9).

    Personal data does not travel in the clear, so it is `https` on its own port. With
    `networks` of the operator's own, `http` and other ports are left to the check of
    what is connected to, and so is wherever a name leads.
    """
    if len(url) > LONGEST_URL:
        return Fault.LONG
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return Fault.SHAPE
    if "@" in parts.netloc:
        return Fault.SECRETS
    host = parts.netloc.removesuffix(f":{port}") if port is not None else parts.netloc
    if (
        parts.scheme not in PORTS
        or not _HOST.fullmatch(host)
        or not _TARGET.fullmatch(url)
        or "\\" in url
        or parts.fragment
    ):
        return Fault.SHAPE
    try:
        place = _spelled_out(parts.hostname or "")
    except ValueError:
        return Fault.SHAPE
    if place and not (is_public(place) or is_in_any(place, networks)):
        return Fault.NEAR
    if networks:
        return None
    if parts.scheme != "https":
        return Fault.PLAIN
    return None if port in {None, PORTS["https"]} else Fault.PORT


def _spelled_out(host: str) -> Address | None:
    """Return the address that a host says itself; None for a name to look up.

    Raises ValueError for one in a spelling that few programs read, such as 127.1.
    """
    name = host.removesuffix(".")
    last = name.rpartition(".")[2]
    if last == "localhost":
        # A name of the machine itself, whoever is asked (RFC 6761 section 6.3).
        return _LOOPBACK
    if ":" in name or _NUMBER.fullmatch(last):
        return ipaddress.ip_address(name)
    return None


# Of IPv6 this is all that was ever given out. Python calls more of it global, such as
# ::/96, 64:ff9b::/96 and fec0::/10, which lead to wherever their last part says.
_GIVEN_OUT = ipaddress.ip_network("2000::/3")
# What IANA set aside for protocols, of which Python has called parts global, too: no
# recipient is there, though a cloud's own services may be (192.0.0.192).
_NOT_FOR_ALL = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("192.0.0.0/24", "192.88.99.0/24"),
        *("2001::/23", "2002::/16", "3fff::/20"),
    )
)


def is_public(address: Address) -> bool:
    """Return whether an address is a place on the internet (SAFETY.md T9)."""
    address = unwrapped(address)
    if not address.is_global or address.is_multicast:
        return False
    if address.version == _GIVEN_OUT.version and address not in _GIVEN_OUT:
        return False
    return not any(is_in(address, network) for network in _NOT_FOR_ALL)


def unwrapped(address: Address) -> Address:
    """Return the IPv4 address that is meant by one of IPv6 that wraps it."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_in(address: Address, network: Network) -> bool:
    """Return whether an address is of a network of its own kind."""
    return address.version == network.version and address in network


def is_in_any(address: Address, networks: Iterable[Network]) -> bool:
    """Return whether an address is of one of these networks."""
    plain = unwrapped(address)
    return any(is_in(plain, network) for network in networks)


# A recipient that stays away is asked ever more seldom, and once up again, soon.
PAUSES_S = (5, 15, 30, 60, 120, 300)
LONGEST_WISH = timedelta(hours=1)


def pause(faults: int, *, share: float) -> timedelta:
    """Return how long to leave a recipient alone that did not answer `faults` times.

    `share` between 0 and 1 spreads it, so that not all come back in one moment.
    """
    seconds = PAUSES_S[min(faults, len(PAUSES_S)) - 1]
    return timedelta(seconds=seconds * (1 + share / 10))
