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
ONE_MAILBOX_HOSTS = {"googlemail.com": "gmail.com"}


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
    address = parsed.ascii_email
    if address is None or len(address) > LONGEST:
        raise AddressError
    local, _, host = address.rpartition("@")
    return f"{local}@{host.lower()}"


def identity(address: str) -> str:
    """Return what makes two addresses the same person: all but the letters' case."""
    return address.lower()


def mailbox(address: str) -> str:
    """Return what makes two addresses the same mailbox, in a limit's eyes."""
    local, _, host = address.lower().rpartition("@")
    host = ONE_MAILBOX_HOSTS.get(host, host)
    return f"{local.partition('+')[0].replace('.', '')}@{host}"


def masked(address: str) -> str:
    """Return `a***@example.com`: enough to recognise, too little to read (DO-03)."""
    local, _, host = address.rpartition("@")
    return f"{local[:1]}***@{host}"
