"""Advertising audiences: who may be in one, under which hash, with which signals.

A hash of an address or a number is still personal data, so each row rests on a yes that
covers it (AD-03). There are two to each platform, and neither is the consent to mails
(AD-01).
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Literal, get_args

Platform = Literal["google", "meta"]
# To send a person's hashed contact data there, and to show them ads chosen by it.
Use = Literal["upload", "personalise"]
Action = Literal["add", "remove"]
# By what a platform can know somebody.
Identifier = Literal["email", "phone"]

PLATFORMS: tuple[Platform, ...] = get_args(Platform)
USES: tuple[Use, ...] = get_args(Use)
IDENTIFIERS: tuple[Identifier, ...] = get_args(Identifier)
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
    "google": ("action", "email_sha256", "phone_sha256", *SIGNALS.values()),
    "meta": ("action", "email", "phone", *USES),
}
GOOGLE_MAILBOXES = frozenset({"gmail.com", "googlemail.com"})
# How words in Dutch or English name a phone number; that they speak of phones is less.
_PHONE_NUMBER = re.compile(
    r"\b(?:tele)?phone\s+numbers?\b|\bmobile\s+(?:phone\s+)?numbers?\b"
    r"|\b(?:mobiele\s+)?telefoonnummers?\b|\b(?:mobiele?\s+|06-)nummers?\b",
    re.I,
)


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


def hashed_phone(platform: Platform, number: str) -> str:
    """Return the SHA-256, in hex, under which a platform knows a number (AD-03)."""
    return hashlib.sha256(spelled_phone(platform, number).encode()).hexdigest()


def spelled_phone(platform: Platform, number: str) -> str:
    """Return a number in E.164 as a platform spells it before hashing.

    Google keeps the `+`; Meta wants the country code and the rest in digits alone.
    """
    digits = number.strip().removeprefix("+")
    return f"+{digits}" if platform == "google" else digits


def names_phone(words: str) -> bool:
    """Return whether words say that they are about a phone number too (AD-03).

    Whoever was asked for the hash of an address alone has agreed to nothing else.
    """
    return _PHONE_NUMBER.search(words) is not None


def may_be_in(platform: Platform, active: Collection[Use]) -> bool:
    """Return whether somebody with these yeses may be named to a platform."""
    return set(NEEDED[platform]) <= set(active)


def signals(active: Collection[Use]) -> dict[str, str]:
    """Return Google's consent signals: DENIED unless there is a yes today (AD-02)."""
    return {name: _said(use in active) for use, name in SIGNALS.items()}


def row(
    platform: Platform,
    action: Action,
    hashes: Mapping[Identifier, str],
    active: Collection[Use],
) -> tuple[str, ...]:
    """Return a line of a platform's file, in the order of its `COLUMNS`.

    What is not known, or not covered by a yes, is empty. Who is removed is granted
    nothing, whatever they say yes to.
    """
    today = active if action == "add" else ()
    states = signals(today).values()
    if platform == "meta":
        states = {use: _said(use in today) for use in USES}.values()
    return (action, *(hashes.get(name, "") for name in IDENTIFIERS), *states)


def _said(is_active: bool) -> str:
    return GRANTED if is_active else DENIED
