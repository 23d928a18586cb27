"""Mail addresses: which we accept, when two are one person, when two are one mailbox.

A person is an exact address (RFC 5321 lets hosts tell `j.doe` from `jdoe`). A
mailbox, which only limits look at, is judged wider, so that spellings of one address
do not multiply the mails to it (SAFETY.md T16).
"""

import re
from email.errors import HeaderParseError

from email_validator import EmailNotValidError, validate_email

LONGEST = 254
# What RFC 5321 calls a dot-string, without quoting, comments or address lists (T6).
_SHAPE = re.compile(r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[^\s@,;<>()\[\]\\\"]+$")
# The last of the Latin letters of European languages, U+024F.
LAST_LATIN = 0x24F
# Cyrillic and Greek letters that look like Latin ones.
TWINS = frozenset("аеорсухѕіјһԁӏԛԝкмтвнгпузбьαονρυικτχγηωϲϳ")
ONE_MAILBOX_HOSTS = {"googlemail.com": "gmail.com"}
DOTLESS_HOSTS = frozenset({"gmail.com"})


# By these names figures are told; a smaller host could be a person's own (DO-12).
PROVIDERS = {
    "gmail.com": "Gmail",
    "googlemail.com": "Gmail",
    **dict.fromkeys(
        (
            *("outlook.com", "outlook.nl", "outlook.de", "hotmail.com", "hotmail.nl"),
            *("hotmail.de", "hotmail.co.uk", "live.com", "live.nl", "live.co.uk"),
            "msn.com",
        ),
        "Outlook",
    ),
    **dict.fromkeys(("icloud.com", "me.com", "mac.com"), "iCloud"),
    **dict.fromkeys(("yahoo.com", "yahoo.de", "yahoo.co.uk", "ymail.com"), "Yahoo"),
    **dict.fromkeys(("ziggo.nl", "home.nl", "upcmail.nl", "casema.nl"), "Ziggo"),
    **dict.fromkeys(("kpnmail.nl", "planet.nl", "hetnet.nl", "xs4all.nl"), "KPN"),
    **dict.fromkeys(("gmx.de", "gmx.net", "gmx.at"), "GMX"),
    **dict.fromkeys(("web.de",), "Web.de"),
    **dict.fromkeys(("t-online.de",), "T-Online"),
    **dict.fromkeys(("proton.me", "protonmail.com", "pm.me"), "Proton"),
}
ANOTHER = "other"


class AddressError(Exception):
    """The text is not a mail address we can write to."""


def parse(text: str) -> str:
    """Return the address in the form that is stored, shown and written to.

    The host is lower case and in its ASCII (IDNA) form. Raises `AddressError`.
    """
    text = text.strip()
    if len(text) > LONGEST or not _SHAPE.match(text):
        raise AddressError
    try:
        parsed = validate_email(
            text,
            check_deliverability=False,
            allow_smtputf8=False,
            allow_quoted_local=False,
            allow_domain_literal=False,
            # `.test` is kept for tests (RFC 6761), and somebody has to run them.
            test_environment=True,
        )
    except (EmailNotValidError, HeaderParseError) as error:
        raise AddressError from error
    if parsed.domain and _looks_like_another(parsed.domain):
        raise AddressError
    address = parsed.ascii_email
    if address is None or len(address) > LONGEST:
        raise AddressError
    local, _, host = address.rpartition("@")
    return f"{local}@{host.lower()}"


def _looks_like_another(host: str) -> bool:
    """Return whether a host's name can be taken for one in Latin letters (AB-06).

    Either it mixes Latin with another alphabet, or all its letters have Latin twins.
    """
    for label in host.split("."):
        foreign = {letter for letter in label if ord(letter) > LAST_LATIN}
        has_latin = any(letter.isalpha() for letter in label if letter not in foreign)
        if foreign and (has_latin or foreign <= TWINS):
            return True
    return False


def identity(address: str) -> str:
    """Return what makes two addresses the same person: all but the letters' case."""
    return address.lower()


def mailbox(address: str) -> str:
    """Return what makes two addresses the same mailbox, in a limit's eyes."""
    local, _, host = address.lower().rpartition("@")
    host = ONE_MAILBOX_HOSTS.get(host, host)
    return f"{local.partition('+')[0].replace('.', '')}@{host}"


def person(address: str) -> str:
    """Return what makes two addresses the same person to a campaign that is strict.

    A tag after `+` tells no two people apart. Dots do, but at a host that is known to
    ignore them.
    """
    local, _, host = address.lower().rpartition("@")
    host = ONE_MAILBOX_HOSTS.get(host, host)
    local = local.partition("+")[0]
    return f"{local.replace('.', '') if host in DOTLESS_HOSTS else local}@{host}"


def masked(address: str) -> str:
    """Return `a***@example.com`: enough to recognise, too little to read (DO-03)."""
    local, _, host = address.rpartition("@")
    return f"{local[:1]}***@{host}"


def provider(address: str) -> str:
    """Return which of the big providers has a mailbox, or that it is another."""
    return PROVIDERS.get(address.rpartition("@")[2].lower(), ANOTHER)
