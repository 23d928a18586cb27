"""The requests of many visitors, made beforehand with the server's own keys."""

import os
import re
import time
import urllib.parse
import urllib.request
from datetime import timedelta

from sqlalchemy import select

from bench import load
from bench.servers import Serve, Service
from server import clock
from server.db import Database
from server.domain.entry import Ticket
from server.domain.links import LinkRef, Salt, Signer, hash_secret
from server.models import Link, OptIn

PLACEMENT = "welcome-inline"
# Nobody fills in a form at once.
READ_FOR = timedelta(seconds=30)


class Visitor:
    """Makes the requests of many visitors beforehand, with the server's own keys."""

    def __init__(self, ours: Service | Serve, placement: str = PLACEMENT) -> None:
        self._host, self._placement = ours.host, placement
        self._signer = Signer(ours.settings.secret_keys)
        self._name, self._number = os.urandom(4).hex(), 0
        self._mark = self._form_mark()
        self._links = _Links(ours)
        self._confirmed: list[LinkRef] = []

    def _form_mark(self) -> str:
        """Return what the page says of its form, read from a ticket it gave."""
        address = f"http://{self._host}/w/{self._placement}?lang=nl"
        with urllib.request.urlopen(address) as answer:
            found = re.search(r'name="ticket" value="([^"]+)"', answer.read().decode())
        assert found
        payload = self._signer.read(Salt.TICKET, found[1], now=clock.now(), lasts=None)
        return Ticket.from_payload(payload).form

    def entries(self, number: int) -> list[bytes]:
        """Return entries of people nobody has seen before."""
        return [
            load.post(f"/w/{self._placement}/entries", self._form(), self._host)
            for _ in range(number)
        ]

    def bare_entries(self, number: int, path: str = "/bare") -> list[bytes]:
        """Return as many POSTs of the same size for the bare view."""
        return [load.post(path, self._form(), self._host) for _ in range(number)]

    def pages(self, number: int) -> list[bytes]:
        return [load.get(f"/w/{self._placement}?lang=nl", self._host)] * number

    def bare_pages(self, number: int) -> list[bytes]:
        return [load.get("/page", self._host)] * number

    def confirmations(self, number: int) -> list[bytes]:
        """Return presses on the buttons behind that many fresh mails."""
        self._confirmed = self._links.waiting(number)
        posts = [
            load.post(
                self._links.address("confirm", Salt.CONFIRM, ref),
                self._links.shown(ref),
                self._host,
            )
            for ref in self._confirmed
        ]
        # A page that was shown less than a second ago was not read by a person.
        time.sleep(1.1)
        return posts

    def centres(self) -> list[bytes]:
        """Return looks at the preference pages of those who confirmed last."""
        return [
            load.get(
                self._links.address("preferences", Salt.PREFERENCES, ref), self._host
            )
            for ref in self._confirmed
        ]

    def withdrawals(self) -> list[bytes]:
        """Return presses on the stop buttons of those who confirmed last."""
        return [
            load.post(
                self._links.address("unsubscribe", Salt.UNSUBSCRIBE, ref),
                "",
                self._host,
            )
            for ref in self._confirmed
        ]

    def _form(self) -> str:
        self._number += 1
        now = clock.now()
        ticket = Ticket(
            id=os.urandom(16),
            placement=self._placement,
            version=1,
            form=self._mark,
            locale="nl",
            page="http://localhost:8401/demo/done",
            shown_at=now - READ_FOR,
        )
        signed = self._signer.sign(Salt.TICKET, ticket.as_payload(), now=now)
        return urllib.parse.urlencode(
            {
                "ticket": signed,
                "seed": os.urandom(16).hex(),
                "email": f"{self._name}-{self._number}@bench.example",
                "first_name": "An",
                "consent.newsletter": "yes",
                "consent.personal_offers": "yes",
                "terms": "yes",
                "adult": "yes",
            }
        )


class _Links:
    """Mints the links of mails, as if the worker had sent them."""

    def __init__(self, ours: Service | Serve) -> None:
        self._signer = Signer(ours.settings.secret_keys)
        self._database = Database(ours.settings.database_url)
        self._seen = 0

    def waiting(self, number: int) -> list[LinkRef]:
        """Return links to the oldest requests that nobody got one for."""
        now = clock.now()
        refs = []
        with self._database.transaction() as session:
            requests = session.scalars(
                select(OptIn)
                .where(OptIn.id > self._seen, OptIn.state == "requested")
                .order_by(OptIn.id)
                .limit(number)
            ).all()
            for optin in requests:
                secret = os.urandom(16)
                link = Link(
                    secret_hash=hash_secret(secret),
                    contact_id=optin.contact_id,
                    entry_id=optin.entry_id,
                    optin_id=optin.id,
                    created_at=now,
                )
                session.add(link)
                session.flush()
                refs.append(LinkRef(link.id, secret))
                self._seen = optin.id
        return refs

    def address(self, place: str, salt: Salt, ref: LinkRef) -> str:
        """Return the path that a mail would carry."""
        return f"/{place}/{self._signer.sign_link(salt, ref, now=clock.now())}"

    def shown(self, ref: LinkRef) -> str:
        """Return what the page behind a link puts into its form."""
        marks = [ref.row, int(clock.now().timestamp() * 1000)]
        shown = self._signer.sign(Salt.RENDER, marks, now=clock.now())
        return urllib.parse.urlencode({"shown": shown})
