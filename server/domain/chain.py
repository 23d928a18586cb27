"""Lines of JSON that are chained, so that no byte of a file can change unnoticed.

Each line is in its canonical form (RFC 8785) with a hash `h`: the hex SHA-256 of the
`h` before (empty for the first line), a line feed and the line without its own `h`.
What the lines say is for `domain/transcript` and `domain/raffle_record` to judge.
"""

import hashlib
import json
from typing import Any

import rfc8785

LONGEST_LINE = 100_000


class WrongLineError(Exception):
    """A line of the file is not what it has to be."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")
        self.line = line
        self.why = why


class Chain:
    """Writes lines, each chained to the one before."""

    def __init__(self) -> None:
        self._head = ""

    @property
    def head(self) -> str:
        """Return the hash of the last line."""
        return self._head

    def line(self, fields: dict[str, Any]) -> bytes:
        """Return the next line."""
        self._head = _chained(self._head, rfc8785.dumps(fields))
        return rfc8785.dumps(fields | {"h": self._head}) + b"\n"


def opened(number: int, line: bytes, before: str) -> tuple[dict[str, Any], str]:
    """Return a line's fields and its hash, once the line is seen to be whole.

    Raises `WrongLineError`.
    """
    if len(line) > LONGEST_LINE or not line.endswith(b"\n"):
        raise WrongLineError(number, "it does not end")
    try:
        fields = json.loads(line)
        written = rfc8785.dumps(fields)
    except (ValueError, RecursionError, rfc8785.CanonicalizationError):
        raise WrongLineError(number, "it cannot be read") from None
    if not isinstance(fields, dict) or written + b"\n" != line:
        raise WrongLineError(number, "it is not written as it was")
    if any(isinstance(value, bool) for value in fields.values()):
        # To Python they are numbers.
        raise WrongLineError(number, "it is no line that belongs here")
    told = fields.pop("h", None)
    head = _chained(before, rfc8785.dumps(fields))
    if told != head:
        raise WrongLineError(number, "it was changed, or the line before is missing")
    return fields, head


def _chained(before: str, line: bytes) -> str:
    return hashlib.sha256(before.encode() + b"\n" + line).hexdigest()


def scheme_of(line: bytes) -> str:
    """Return the scheme that a file's first line names; empty if it names none."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    return str(fields.get("scheme", "")) if isinstance(fields, dict) else ""
