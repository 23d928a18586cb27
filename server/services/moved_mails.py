"""What becomes of the mails that wait for who gave up their address (GDPR 16)."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from server.domain.links import LinkRef
from server.models.link import Link
from server.services import links, outbox, raffle_places
from server.services.campaigns import Directory
from server.services.contacts import Person
from server.services.outbox import Mail
from server.services.tools import Tools

# They ask something of the old mailbox, or open the page to it.
LEFT_BEHIND = frozenset({"confirm", "rectify", "preferences"})
# Written anew, also where it has arrived: what was won waits for a press in it.
ANEW = raffle_places.LETTER


def take_along(
    session: Session,
    moved: Person,
    *,
    directory: Directory,
    tools: Tools,
    now: datetime,
) -> None:
    """Let nothing more go to the old address; what is still owed goes to the new one.

    Each gets a link of its own, since one made before the move opens nothing.
    """
    taken = outbox.take_back(session, moved.id, vault=tools.vault, now=now)
    again = list(_readdressed(session, taken, moved, tools=tools, now=now))
    outbox.put_mails(session, again, tools=tools, now=now)
    raffle_places.write_again(session, moved, directory=directory, tools=tools, now=now)


def _readdressed(
    session: Session, taken: list[Mail], moved: Person, *, tools: Tools, now: datetime
) -> Iterator[Mail]:
    for mail in taken:
        before = session.get(Link, LinkRef.from_payload(mail.params["link"]).row)
        if mail.letter in {*LEFT_BEHIND, ANEW} or before is None:
            continue
        ref = links.make(
            session,
            contact_id=moved.id,
            entry_id=before.entry_id,
            optin_id=before.optin_id,
            tools=tools,
            now=now,
        )
        params = {
            **mail.params,
            "to": moved.email,
            "link": ref.as_payload(),
        }
        yield Mail(mail.letter, mail.shop_id, moved.id, mail.optin_id, params)
