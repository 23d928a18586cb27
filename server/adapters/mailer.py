"""Send mails over one kept connection, and sort what can go wrong (SAFETY.md F10, F11).

No address is ever logged here: what the other side answers goes back to the caller,
who decides what to keep of it (T23).
"""

import binascii
import re
import secrets
import smtplib
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.charset import QP, Charset
from email.mime.base import MIMEBase
from email.utils import format_datetime
from functools import lru_cache
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import flask_mail

from server.settings import SettingError

SCHEMES = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
IDLE_S = 5.0
SECONDS = 20.0
LONGEST_ANSWER = 200
# Writing one mail of two kilobytes whole costs a millisecond, so frames are kept.
MOST_FRAMES = 500
PERSONAL = frozenset({"To", "Date", "Message-ID"})
CLOSING = 421
# RFC 8058 section 3.1.
ONE_CLICK = "List-Unsubscribe=One-Click"
# These refuse us, not the person: wrong password, no encryption, no sign-in.
OUR_FAULT = frozenset({530, 534, 535, 538})
_ADDRESS = re.compile(r"[^\s<>:;,]+@[^\s<>:;,]+")
_POLICY = re.compile(r"^[45]\.7\.\d")


class DeliveryError(Exception):
    """This mail was not taken now; trying again later may work."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        super().__init__(answer)


class UnreachableError(DeliveryError):
    """The mail server itself is in trouble, so other mails need not be tried now."""


class RefusedError(DeliveryError):
    """This recipient is refused for good; trying again would be spam."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where mails are handed in, and how."""

    host: str
    port: int
    encryption: str
    user: str
    password: str

    @classmethod
    def from_url(cls, url: str) -> "Server":
        """Read `smtp://[USER:PASSWORD@]HOST:PORT`, `smtps://` or `smtp+starttls://`.

        Raises `SettingError`.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), 0
        if parts.scheme not in SCHEMES or not parts.hostname or port == 0:
            raise SettingError(
                "JAWOORD_SMTP_URL cannot be read; give smtp://HOST:PORT, "
                "smtps://USER:PASSWORD@HOST:PORT or smtp+starttls://..."
            )
        return cls(
            host=parts.hostname,
            port=port or SCHEMES[parts.scheme],
            encryption=parts.scheme,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one person, ready to be written down.

    A notice to the shop has no address to stop it at, nor has a mail to an address that
    nobody has proved to be theirs.
    """

    to: str
    sender_name: str
    sender_email: str
    subject: str
    text: str
    html: str
    message_id: str
    date: datetime
    locale: str
    unsubscribe_url: str


class _QuotedPrintable(Charset):
    """UTF-8 that passes servers without 8BITMIME and stays readable in the source."""

    def __init__(self) -> None:
        super().__init__("utf-8")
        self.body_encoding = QP

    def body_encode(self, string: Any) -> Any:
        """Encode in C; the standard library's own loop takes most of a mail's time."""
        plain = string if isinstance(string, bytes) else string.encode()
        return binascii.b2a_qp(plain).decode("ascii")


_UTF8 = _QuotedPrintable()
# Flask-Mail has encoded and folded the names by then. Folding more would turn a long
# List-Unsubscribe address into encoded words, which no mail program reads as one.
_AS_IT_IS = policy.compat32.clone(max_line_length=None)


class _Frame(flask_mail.Message):
    """Flask-Mail's message, as text and HTML alternatives without a wrapper.

    It lacks the headers that differ from one person to the next.
    """

    def _message(self) -> MIMEBase:
        wrapper = super()._message()
        alternative = cast("list[MIMEBase]", wrapper.get_payload())[0]
        wrapper.policy = alternative.policy = _AS_IT_IS
        for name, value in wrapper.items():
            if name not in alternative and name not in PERSONAL:
                alternative[name] = value
        return alternative


def written(letter: Letter) -> bytes:
    """Return the exact bytes of a mail. Raises `flask_mail.BadHeaderError`."""
    personal = {
        "To": letter.to,
        "Date": format_datetime(letter.date),
        "Message-ID": letter.message_id,
    }
    if letter.unsubscribe_url:
        personal["List-Unsubscribe"] = f"<{letter.unsubscribe_url}>"
    head = "\n".join(f"{name}: {value}" for name, value in personal.items())
    if "\r" in head or head.count("\n") != len(personal) - 1:
        raise flask_mail.BadHeaderError
    before, between, after = _frame(
        letter.sender_name,
        letter.sender_email,
        letter.subject,
        letter.locale,
        can_stop=bool(letter.unsubscribe_url),
    )
    parts = (
        *(head.encode("ascii"), b"\n", before),
        *(_quoted(letter.text), between, _quoted(letter.html), after),
    )
    # As SMTP wants its lines, those of folded headers included.
    return b"".join(parts).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@lru_cache(maxsize=MOST_FRAMES)
def _frame(
    sender_name: str, sender_email: str, subject: str, locale: str, *, can_stop: bool
) -> tuple[bytes, bytes, bytes]:
    """Return what many mails share: all before, between and after their two bodies.

    Raises `flask_mail.BadHeaderError`.
    """
    mark = secrets.token_hex(16)
    message = _Frame(
        subject=subject,
        recipients=["somebody@invalid"],
        body=mark,
        html=mark,
        sender=sender_email,
        charset=_UTF8,  # type: ignore[arg-type]  # MIMEText takes a Charset as well
        extra_headers={
            **({"List-Unsubscribe-Post": ONE_CLICK} if can_stop else {}),
            "Auto-Submitted": "auto-generated",
            "Content-Language": locale,
        },
    )
    # Set afterwards, because Flask-Mail would read a comma in the name as a list.
    message.sender = (sender_name, sender_email)
    if message.has_bad_headers():
        raise flask_mail.BadHeaderError
    # No body can hold the boundary: quoted-printable writes its "==" as "=3D=3D".
    before, between, after = message.as_bytes().split(mark.encode())
    return before, between, after


def _quoted(text: str) -> bytes:
    return binascii.b2a_qp(text.encode())


class Mailer:
    """Hands mails to one server, over a connection that is kept while it works."""

    def __init__(self, server: Server, *, greeting: str, seconds: float) -> None:
        self._server = server
        # A name of our own, since looking one up can take seconds.
        self._greeting = greeting or "localhost"
        # A mail ends within this, so that its lease still stands (F22).
        self._seconds = seconds
        self._smtp: smtplib.SMTP | None = None
        self._used = 0.0
        self._deadline = 0.0

    def send(self, body: bytes, *, sender: str, to: str) -> str:
        """Hand in one mail for one recipient and return what the server answered.

        Raises `RefusedError`, `UnreachableError` and `DeliveryError`.
        """
        self._deadline = time.monotonic() + self._seconds
        try:
            self._open(sender)
            self._say("RCPT", lambda smtp: smtp.rcpt(to))
            return self._say("DATA", lambda smtp: smtp.data(body))
        except smtplib.SMTPDataError as error:
            raise self._sorted("DATA", error.smtp_code, error.smtp_error) from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            # Its text may hold the address, so only its kind goes on.
            self.close()
            raise UnreachableError(_kind(error)) from None

    def check(self) -> None:
        """Say hello to the server. Raises `UnreachableError`."""
        self._deadline = time.monotonic() + self._seconds
        try:
            self._connect().noop()
        except (OSError, smtplib.SMTPException) as error:
            raise UnreachableError(_kind(error)) from None
        finally:
            self.close()

    def close(self) -> None:
        """Say goodbye, if anybody is there."""
        if self._smtp is None:
            return
        with suppress(OSError, smtplib.SMTPException):
            if self._smtp.sock is not None:
                self._smtp.sock.settimeout(1.0)
                self._smtp.quit()
        self._smtp.close()
        self._smtp = None

    def cut(self) -> None:
        """Break the line from another thread, so that a stop need not wait for it."""
        smtp = self._smtp
        if smtp is not None and smtp.sock is not None:
            with suppress(OSError):
                smtp.sock.shutdown(2)

    def _open(self, sender: str) -> None:
        """Begin a mail, on a new line where the kept one turns out to be cut."""
        if self._smtp is not None and not self._is_alive():
            self.close()
        is_kept = self._smtp is not None
        try:
            self._say("MAIL", lambda smtp: smtp.mail(sender))
        except (OSError, smtplib.SMTPException, UnreachableError):
            if not is_kept:
                raise
            # Nothing of the mail was said on that line, so this cannot send it twice.
            self.close()
            self._say("MAIL", lambda smtp: smtp.mail(sender))

    def _is_alive(self) -> bool:
        if time.monotonic() - self._used < IDLE_S:
            return True
        try:
            return self._timed().noop()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False

    def _say(self, verb: str, speak: Any) -> str:
        code, answer = speak(self._timed())
        self._used = time.monotonic()
        if 200 <= code < 300:
            return _told(code, answer)
        raise self._sorted(verb, code, answer)

    def _timed(self) -> smtplib.SMTP:
        """Return the connection; each answer may take what is left of the mail's time.

        Raises TimeoutError when nothing is left.
        """
        if self._smtp is None:
            self._smtp = self._connect()
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if self._smtp.sock is not None:
            self._smtp.sock.settimeout(min(left, SECONDS))
        return self._smtp

    def _connect(self) -> smtplib.SMTP:
        server, timeout = self._server, min(self._seconds, SECONDS)
        if server.encryption == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                local_hostname=self._greeting,
                timeout=timeout,
                context=ssl.create_default_context(),
            )
        else:
            smtp = smtplib.SMTP(local_hostname=self._greeting, timeout=timeout)
        # Known before it connects, so that `cut` reaches one that waits for a greeting.
        self._smtp = smtp
        # The name that TLS checks; smtplib notes it only where it connects at once.
        smtp._host = server.host  # type: ignore[attr-defined]  # has no public name
        smtp.connect(server.host, server.port)
        if server.encryption == "smtp+starttls":
            smtp.starttls(context=ssl.create_default_context())
        smtp.ehlo_or_helo_if_needed()
        if server.user:
            smtp.login(server.user, server.password)
        return smtp

    def _sorted(self, verb: str, code: int, answer: bytes | str) -> DeliveryError:
        """Return what an unfriendly answer means, and leave the line clean."""
        told = _told(code, answer)
        if code == CLOSING or code in OUR_FAULT or code < 200:
            self.close()
            return UnreachableError(told)
        if self._smtp is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._smtp.rset()
        # A policy between servers (x.7.x) or a refused sender is ours to put right.
        is_personal = verb != "MAIL" and not _POLICY.match(told.partition(" ")[2])
        if 500 <= code < 600 and is_personal:
            return RefusedError(told)
        return DeliveryError(told)


def _told(code: int, answer: bytes | str) -> str:
    """Return a server's answer on one line, without the addresses it repeats."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    line = " ".join(f"{code} {text}".split())
    return _ADDRESS.sub("(address)", line)[:LONGEST_ANSWER]


def _kind(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _told(error.smtp_code, error.smtp_error)
    return f"no connection: {type(error).__name__}"
