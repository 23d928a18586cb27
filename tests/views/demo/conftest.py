"""A visitor of the demo, and mails in its inbox."""

from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from server.adapters.sink import Mailbox
from server.settings import Settings

Keep = Callable[..., str]


@pytest.fixture
def folder(settings: Settings) -> Path:
    """Where the demo's sink keeps mails."""
    return settings.instance / "demo-mail"


@pytest.fixture
def keep(folder: Path) -> Keep:
    """Let a mail arrive as the sink keeps it; returns the name in its address."""
    mailbox = Mailbox(folder)

    def arrive(
        *,
        subject: str = "Je prijs",
        text: str = "Dag Iris.",
        html: str = "",
        raw: bytes = b"",
    ) -> str:
        mail = EmailMessage()
        mail["From"] = "Noord & Zon <hallo@noordenzon.example>"
        mail["To"] = "iris@example.com"
        mail["Subject"] = subject
        mail["Date"] = "Mon, 02 Mar 2026 11:30:00 +0100"
        mail["List-Unsubscribe"] = "<http://service.test/unsubscribe/abc>"
        mail.set_content(text)
        if html:
            mail.add_alternative(html, subtype="html")
        name = mailbox.keep(
            raw or mail.as_bytes(),
            sender="bounce@noordenzon.example",
            recipients=["iris@example.com"],
        )
        return name.removesuffix(".eml")

    return arrive
