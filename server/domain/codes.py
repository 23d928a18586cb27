"""Codes that people read, type and call out: Crockford's base 32 with a check.

The check character is the code's value mod 37 (Crockford's scheme), which catches
every single wrong character and every swap of two neighbours.
"""

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECKS = ALPHABET + "*~$=U"
READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
LENGTH = 12
GROUP = 4


class CodeError(Exception):
    """The text is not a code of ours; most often it was mistyped."""


def make(chance: bytes) -> str:
    """Return `XXXX-XXXX-XXXX-C` from at least 8 random bytes: 60 bits and a check."""
    value = int.from_bytes(chance[:8], "big") >> 4
    return _written(value)


def read(text: str) -> str:
    """Return the code as we write it, whatever the case, gaps or look-alikes.

    Raises `CodeError`.
    """
    plain = text.upper().replace("-", "").replace(" ", "")
    body, check = plain[:-1].translate(READ_AS), plain[-1:]
    if len(body) != LENGTH or any(letter not in ALPHABET for letter in body):
        raise CodeError
    value = 0
    for letter in body:
        value = value * 32 + ALPHABET.index(letter)
    if CHECKS[value % 37] != check.translate(READ_AS):
        raise CodeError
    return _written(value)


def _written(value: int) -> str:
    letters = [ALPHABET[value >> shift & 31] for shift in range(55, -1, -5)]
    groups = ["".join(letters[i : i + GROUP]) for i in range(0, LENGTH, GROUP)]
    return "-".join([*groups, CHECKS[value % 37]])
