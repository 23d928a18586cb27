"""Keep and compare passwords with argon2id (SAFETY.md T18).

A hash takes a tenth of a second and 46 MiB on purpose, so it is never made inside a
transaction that a visitor waits for, and never more than two at a time.
"""

from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST_LETTERS = 12
# Longer than any password; what is longer still is somebody trying our patience.
MOST_LETTERS = 1_000
AT_ONCE = 2
WAIT_S = 5.0

_hasher = PasswordHasher(time_cost=3, memory_cost=46 * 1024, parallelism=1)
_turns = BoundedSemaphore(AT_ONCE)


class PasswordError(Exception):
    """The password is too short or too long; the message is one line that says so."""


class CrowdedError(Exception):
    """Too many passwords are being compared; trying again in a moment may work."""


def made(password: str) -> str:
    """Return what is kept of a password. Raises `PasswordError`.

    Length is the only rule: rules on composition make passwords worse
    (NIST SP 800-63B section 5.1.1.2).
    """
    if not LEAST_LETTERS <= len(password) <= MOST_LETTERS:
        raise PasswordError(
            f"a password has {LEAST_LETTERS} to {MOST_LETTERS:,} characters"
        )
    return _hasher.hash(password)


def fits(kept: str | None, password: str) -> bool:
    """Return whether a password is the kept one; None takes as long and never fits.

    Raises `CrowdedError`.
    """
    if not _turns.acquire(timeout=WAIT_S):
        raise CrowdedError
    try:
        # Made for everybody, lest the first unknown address takes twice as long.
        nobodys = _nobodys()
        return _is_same(kept or nobodys, password[:MOST_LETTERS]) and kept is not None
    finally:
        _turns.release()


def _is_same(kept: str, password: str) -> bool:
    try:
        return _hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    """Return a hash that costs what a member's does, for addresses nobody has."""
    return _hasher.hash("the password of nobody at all")
