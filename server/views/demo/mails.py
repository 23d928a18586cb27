"""The mails that the demo's sink kept, read back for the inbox.

Whatever a mail says is only ever text here; its HTML leaves through one route
that switches scripts off.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

FOLDER = "demo-mail"
NAME = re.compile(r"(\d{8}T\d{6})(\d{3})-\d{6}-[0-9a-f]{8}", re.ASCII)
SNIPPET_LENGTH = 110

_ADDRESS = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it arrived."""

    name: str
    arrived: datetime
    message: EmailMessage

    def header(self, name: str) -> str:
        """Return a header as text, or nothing where it is missing or damaged."""
        return next(iter(self._values(name)), "")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Return every header, the repeated ones too, in the order of the mail."""
        return [
            (name, value)
            for name in dict.fromkeys(self.message)
            for value in self._values(name)
        ]

    @property
    def html(self) -> str:
        return self._part("html")

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def snippet(self) -> str:
        """Return how the text starts, without addresses."""
        words = " ".join(_ADDRESS.sub("", self.text).split())
        if len(words) <= SNIPPET_LENGTH:
            return words
        return words[:SNIPPET_LENGTH].rsplit(" ", 1)[0] + "…"

    def _values(self, name: str) -> list[str]:
        try:
            values = self.message.get_all(name, [])
            return [" ".join(str(value).split()) for value in values]
        except (ValueError, LookupError, AttributeError, TypeError):
            # The parser of the standard library trips over some crafted headers.
            return []

    def _part(self, kind: str) -> str:
        part = self.message.get_body(preferencelist=(kind,))
        if part is None:
            return ""
        try:
            return str(part.get_content())
        except (ValueError, LookupError, AttributeError, TypeError):
            body = part.get_payload(decode=True)
            return body.decode("utf-8", "replace") if isinstance(body, bytes) else ""


def newest(folder: Path, *, most: int) -> list[Mail]:
    """Return the newest mails, newest first."""
    if not folder.is_dir():
        return []
    names = sorted((path.stem for path in folder.glob("*.eml")), reverse=True)
    return [mail for name in names[:most] if (mail := read(folder, name))]


def read(folder: Path, name: str) -> Mail | None:
    """Return the mail of that name, or None for any name the sink would not give."""
    shape = NAME.fullmatch(name)
    if shape is None:
        return None
    try:
        body = (folder / f"{name}.eml").read_bytes()
        arrived = datetime.strptime(shape[1] + shape[2], "%Y%m%dT%H%M%S%f")
    except (FileNotFoundError, ValueError):
        return None
    message = message_from_bytes(body, policy=policy.default)
    return Mail(name, arrived.replace(tzinfo=UTC), message)


def pieces(text: str) -> list[tuple[str, bool]]:
    """Return the text in pieces, each with whether it is an address to click."""
    found: list[tuple[str, bool]] = []
    done = 0
    for match in _ADDRESS.finditer(text):
        found += [(text[done : match.start()], False), (match[0], True)]
        done = match.end()
    return [*found, (text[done:], False)]
