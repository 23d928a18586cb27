"""Early access: what the people of a waiting list get before all others."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from server.domain.parts import Key, Line, Locale, Moment, Part, Sentence


class Invitation(Part):
    """The early-access letter in one language."""

    subject: Line
    text: Sentence
    button: Line


class EarlyAccess(Part):
    """When it starts (a moment, or days after the opening), and what it brings.

    Only those who confirmed `purpose` are invited. `page` is on the shop's own site,
    so that no letter of ours leads elsewhere.
    """

    purpose: Key
    at: Moment | None = None
    after_days: int | None = Field(default=None, ge=0, le=366)
    lasts_days: int = Field(default=7, ge=1, le=60)
    code: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9-]{3,40}$")] | None = None
    page: Annotated[
        str,
        StringConstraints(
            pattern=r"^/(?:[A-Za-z0-9_.~?=&%-][A-Za-z0-9/_.~?=&%-]{0,198})?$"
        ),
    ]
    texts: dict[Locale, Invitation]

    def window(self, opens: datetime) -> tuple[datetime, datetime]:
        """Return from when and until when people are invited."""
        starts = self.at or opens + timedelta(days=self.after_days or 0)
        return starts, starts + timedelta(days=self.lasts_days)
