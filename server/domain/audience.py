"""Advertising audiences: who may be in one, under which hash, with which signals.

A hash of an address is still personal data, so each row rests on a yes (AD-03). There
are two to each platform, and neither is the consent to mails (AD-01).
"""

import hashlib
from collections.abc import Collection
from typing import Literal, get_args

Platform = Literal["google", "meta"]
# To send a person's hashed contact data there, and to show them ads chosen by it.
Use = Literal["upload", "personalise"]
Action = Literal["add", "remove"]

PLATFORMS: tuple[Platform, ...] = get_args(Platform)
USES: tuple[Use, ...] = get_args(Use)
GRANTED, DENIED = "GRANTED", "DENIED"
# What Google calls each yes in consent mode v2. `ad_storage` and `analytics_storage`
# are about a browser's cookies: only the site's own banner sets them (AD-02).
SIGNALS: dict[Use, str] = {
    "upload": "ad_user_data",
    "personalise": "ad_personalization",
}
# Without which yeses nobody may be named to a platform. Google is told with a signal
# that ads must not be personalised; Meta has none, so there it takes both.
NEEDED: dict[Platform, tuple[Use, ...]] = {"google": ("upload",), "meta": USES}
# Meta knows no such signals; there a column says what we know.
COLUMNS: dict[Platform, tuple[str, ...]] = {
    "google": ("action", "email_sha256", *SIGNALS.values()),
    "meta": ("action", "email", *USES),
}
GOOGLE_MAILBOXES = frozenset({"gmail.com", "googlemail.com"})


def hashed(platform: Platform, email: str) -> str:
    """Return the SHA-256, in hex, under which a platform knows an address (AD-03)."""
    return hashlib.sha256(spelled(platform, email).encode()).hexdigest()


def spelled(platform: Platform, email: str) -> str:
    """Return an address as a platform spells it before hashing.

    Google leaves out the dots and the tag of its own mailboxes; Meta does not.
    """
    text = email.strip().lower()
    local, _, host = text.rpartition("@")
    if platform == "google" and host in GOOGLE_MAILBOXES:
        return f"{local.partition('+')[0].replace('.', '')}@{host}"
    return text


def may_be_in(platform: Platform, active: Collection[Use]) -> bool:
    """Return whether somebody with these yeses may be named to a platform."""
    return set(NEEDED[platform]) <= set(active)


def signals(active: Collection[Use]) -> dict[str, str]:
    """Return Google's consent signals: DENIED unless there is a yes today (AD-02)."""
    return {name: _said(use in active) for use, name in SIGNALS.items()}


def row(
    platform: Platform, action: Action, hashed: str, active: Collection[Use]
) -> tuple[str, ...]:
    """Return a line of a platform's file, in the order of its `COLUMNS`.

    Who is removed is granted nothing, whatever they say yes to.
    """
    today = active if action == "add" else ()
    states = signals(today).values()
    if platform == "meta":
        states = {use: _said(use in today) for use in USES}.values()
    return (action, hashed, *states)


def _said(is_active: bool) -> str:
    return GRANTED if is_active else DENIED
