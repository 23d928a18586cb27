"""A mail server on a real socket that answers as a test tells it to."""

import email
import email.policy
from dataclasses import dataclass
from email.message import EmailMessage
from enum import StrEnum
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from tests.servers import LOOPBACK


class Mode(StrEnum):
    """How the server treats a mail."""

    OK = "250 OK"
    LATER = "451 try again later"
    # It puts off what it sees for the first time, as a greylist does.
    GREY = "451 greylisted, try again later"
    NEVER = "550 no such mailbox"
    # It took the mail and the line broke before it could say so.
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One mail as it came in: the envelope and the parsed message."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """Return the message as a mail program reads it."""
        parsed = email.message_from_bytes(self.raw, policy=email.policy.default)
        return cast(EmailMessage, parsed)

    def text(self, kind: str = "plain") -> str:
        """Return one of its two forms, `plain` or `html`."""
        body = self.message.get_body((kind,))
        assert body is not None, f"the mail has no {kind} part"
        return str(body.get_content())


class MailServer:
    """Takes mail at `url`. Stopped, it refuses connections; `mode` says the rest."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"smtp://{LOOPBACK}:{port}"
        self.mode = Mode.OK
        # How a mail to one address is treated, whatever the mode.
        self.by_recipient: dict[str, Mode] = {}
        self.taken: list[Delivery] = []
        # Those of them that the sender was not told about.
        self.dropped: list[Delivery] = []
        self.tries = 0
        self._seen: set[str] = set()
        self._controller: Controller | None = None

    def start(self) -> None:
        """Listen, again on the same port if it was stopped."""
        self._controller = Controller(self, hostname=LOOPBACK, port=self.port)
        self._controller.start()

    def stop(self) -> None:
        """Refuse connections from now on."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def to(self, address: str) -> list[Delivery]:
        """Return what was taken for an address."""
        return [mail for mail in self.taken if address in mail.recipients]

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name for it
        self, server: SMTP, _session: Any, envelope: Any
    ) -> str:
        """Treat one mail as the mode says."""
        self.tries += 1
        mode = self.by_recipient.get(envelope.rcpt_tos[0], self.mode)
        if mode is Mode.GREY and envelope.rcpt_tos[0] in self._seen:
            mode = Mode.OK
        self._seen.add(envelope.rcpt_tos[0])
        if mode in {Mode.OK, Mode.DROP}:
            recipients = tuple(envelope.rcpt_tos)
            content = envelope.original_content
            self.taken.append(Delivery(envelope.mail_from, recipients, content))
        if mode is Mode.DROP:
            self.dropped.append(self.taken[-1])
            assert server.transport is not None
            server.transport.abort()
        return mode.value
