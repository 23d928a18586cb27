"""Keep exact copies of what people were shown (PR-01)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import event
from sqlalchemy.orm import Session

from server.domain.consent import Wording
from server.models.base import inserting
from server.models.text import Text


@dataclass(frozen=True, slots=True)
class Shown:
    """What one form asked in one language: form, notice, each purpose's text."""

    locale: str
    form: Wording
    notice: Wording
    purposes: dict[str, Wording]

    def wordings(self) -> Iterable[tuple[str, Wording]]:
        """Yield every copy with its kind."""
        yield "form", self.form
        yield "notice", self.notice
        for wording in self.purposes.values():
            yield "purpose", wording


class Copies:
    """Stores copies, and remembers which this process knows to be stored."""

    def __init__(self) -> None:
        self._stored: set[bytes] = set()

    def keep(self, session: Session, shown: Shown, *, now: datetime) -> None:
        """Store what is not stored yet; nothing happens to what is.

        That it is stored is remembered once this transaction is committed.
        """
        form = shown.form.sha256
        if form in self._stored:
            return
        session.execute(
            inserting(session.get_bind().dialect.name)(Text).on_conflict_do_nothing(),
            [
                {
                    "sha256": wording.sha256,
                    "kind": kind,
                    "locale": shown.locale,
                    "body": wording.body,
                    "created_at": now,
                }
                for kind, wording in shown.wordings()
            ],
        )
        event.listen(session, "after_commit", lambda _: self._stored.add(form))
