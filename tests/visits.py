"""A visitor's walk over HTTP, and what the house holds afterwards.

`card = take_card(client, "welcome-inline")` opens the game; `card.enter(client)` plays
and says who plays in one go, `card.play` and `card.claim` do it in two.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import inspect, select
from werkzeug.test import TestResponse

from server.db import Database
from server.domain.campaign import Campaign
from server.domain.links import LinkRef, Salt
from server.domain.seals import Vault
from server.models import (
    Attribute,
    Base,
    ConsentEvent,
    Contact,
    Entry,
    Outbox,
    Standing,
)
from server.sealing import Sealing
from server.services import consents, contacts, envelopes, ledger, ledger_audit
from server.services.contacts import Person
from tests.factories import campaign_file, prize_table
from tests.people import answers_of, contact_of, email_of, source_of

M = TypeVar("M", bound=Base)
T = TypeVar("T")

EMAIL = "iris@example.com"
AGREED = {"terms": "yes", "adult": "yes"}
READING = timedelta(seconds=2)
# After this every process sees that a campaign was changed or paused.
NOTICED = timedelta(seconds=2)
SALTS = {
    "confirm": Salt.CONFIRM,
    "unsubscribe": Salt.UNSUBSCRIBE,
    "prize": Salt.PRIZE,
    "claim": Salt.CLAIM,
    "receipt": Salt.RECEIPT,
    "preferences": Salt.PREFERENCES,
    "rectify": Salt.RECTIFY,
}
# Places that every letter leads to, and the one whose letter has another name.
LETTERS = {"unsubscribe": None, "preferences": None, "claim": "won"}
NOTHING = prize_table("nothing", kind="none", weight=0)
del NOTHING["stock"]

_TICKET = re.compile(r'name="ticket" value="([^"]+)"')
_CHANGING = re.compile(r'(nonce|name="ticket" value)="[^"]*"|<code>[0-9a-f]{32}</code>')


def sure_win(name: str = "welcome-scratch", **changes: Any) -> Campaign:
    """Return a campaign in which every play wins the same mug."""
    mug = prize_table(stock=None, code="MUG10")
    return campaign_file(name, **{"prizes": [mug], "fallback": "mug"} | changes)


def few_mugs(
    stock: int, name: str = "welcome-scratch", *, losing: int = 0, **changes: Any
) -> Campaign:
    """Return a campaign of so many mugs, and of so many losing cards to each."""
    prizes = [prize_table(stock=stock), NOTHING | {"weight": losing}]
    return campaign_file(name, prizes=prizes, fallback="nothing", **changes)


@dataclass(frozen=True, slots=True)
class Card:
    """A ticket, and where it is sent."""

    action: str
    ticket: str

    def enter(
        self, client: FlaskClient, email: str | None = EMAIL, **options: Any
    ) -> TestResponse:
        """Agree, say who plays, and play."""
        return self.send(client, AGREED | _named(email), **options)

    def play(self, client: FlaskClient, **options: Any) -> TestResponse:
        """Agree and play."""
        return self.send(client, AGREED, **options)

    def claim(
        self, client: FlaskClient, email: str | None = EMAIL, **options: Any
    ) -> TestResponse:
        """Say who has played."""
        return self.send(client, _named(email), **options)

    def send(
        self,
        client: FlaskClient,
        fields: Mapping[str, str],
        *,
        consents: Iterable[str] = (),
        more: Mapping[str, str] | None = None,
        **options: Any,
    ) -> TestResponse:
        """Send exactly these fields with the ticket; `options` go to the client."""
        given = {f"consent.{purpose}": "yes" for purpose in consents}
        data = {"ticket": self.ticket, **fields, **given, **(more or {})}
        return client.post(self.action, data=data, **options)


def _named(email: str | None) -> dict[str, str]:
    return {} if email is None else {"email": email}


def take_card(client: FlaskClient, code: str = "welcome-inline", **query: str) -> Card:
    """Open the game and return the ticket that comes with it."""
    answer = client.get(f"/w/{code}", query_string={"lang": "en"} | query)
    assert answer.status_code == 200, answer.status
    return Card(f"/w/{code}/entries", ticket_in(answer))


def ticket_in(answer: TestResponse) -> str:
    """Return the ticket of a form in an answer."""
    found = _TICKET.search(answer.get_data(as_text=True))
    assert found, "the answer holds no ticket"
    return found[1]


def without_chance(answer: TestResponse) -> str:
    """Return an answer without what is random in it: ticket, receipt and nonce."""
    return _CHANGING.sub(r"\1", answer.get_data(as_text=True))


def at_once(actions: Iterable[Callable[[], T]], *, threads: int) -> list[T]:
    """Return what came of actions that so many threads do at the same time."""
    with ThreadPoolExecutor(threads) as pool:
        return [running.result() for running in [pool.submit(a) for a in actions]]


@dataclass(frozen=True, slots=True)
class Letter:
    """A queued mail, opened with the house's own key."""

    kind: str
    to: str
    row: Outbox
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class House:
    """What is stored, looked at from inside."""

    app: Flask
    database: Database
    vault: Vault
    clock: Any

    def rows(self, model: type[M], **values: Any) -> list[M]:
        """Return the rows with these values, oldest first."""
        with self.database.reading() as session:
            keys = inspect(model).primary_key
            wanted = select(model).filter_by(**values).order_by(*keys)
            return list(session.scalars(wanted))

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of every table."""
        with self.database.reading() as session:
            return {
                table.name: [
                    tuple(row)
                    for row in session.execute(
                        select(table).order_by(*table.primary_key)
                    )
                ]
                for table in Base.metadata.sorted_tables
            }

    def letters(
        self, kind: str | None = None, *, to: str | None = None
    ) -> list[Letter]:
        """Return the queued mails, opened; one that was sent says nothing any more."""
        found = []
        for row in self.rows(Outbox):
            if row.sealed is None or kind not in {None, row.letter}:
                continue
            sealed = self.vault.open(row.sealed, about=row.message_id.encode())
            params = json.loads(sealed)
            to_whom = params.get("to", "")
            if to in {None, to_whom}:
                found.append(Letter(row.letter, to_whom, row, params))
        return found

    def link(self, place: str, *, to: str = EMAIL) -> str:
        """Return the address in the newest mail: `confirm`, `prize`, `claim`..."""
        kind = LETTERS.get(place, place)
        letter = self.letters(kind, to=to)[-1]
        ref = LinkRef.from_payload(letter.params["link"])
        signer = self.app.extensions["signer"]
        token = signer.sign_link(SALTS[place], ref, now=letter.row.created_at)
        return f"/{place}/{token}"

    def press(self, client: FlaskClient, link: str) -> TestResponse:
        """Open a confirmation page, read it, and press its button."""
        return client.post(link, data={"shown": self.shown(client, link)})

    def shown(self, client: FlaskClient, link: str) -> str:
        """Open a confirmation page, read it, and return what its form carries."""
        page = client.get(link).get_data(as_text=True)
        found = re.search(r'name="shown" value="([^"]+)"', page)
        self.clock.advance(READING)
        return found[1] if found else ""

    def person(self, email: str = EMAIL) -> Person:
        """Return somebody with the key that opens their evidence."""
        with self.database.reading() as session:
            row = contact_of(session, email, self.vault)
            return contacts.person(session, row.id, vault=self.vault)

    def emails(self) -> list[str]:
        """Return everybody's address, oldest first; empty for who was erased."""
        return [email_of(row, self.vault) for row in self.rows(Contact)]

    def answers(self, number: int = 0) -> dict[str, str]:
        """Return what was answered in an entry, the first if none is named."""
        with self.database.reading() as session:
            return answers_of(session, self.rows(Entry)[number], self.vault)

    def source(self, number: int = 0) -> dict[str, str]:
        """Return what the page around an entry told."""
        with self.database.reading() as session:
            return source_of(session, self.rows(Entry)[number], self.vault)

    def attributes(self) -> dict[str, tuple[str, str, str]]:
        """Return what is known about people: key -> kind, value, purpose."""
        with self.database.reading() as session:
            people = {row.id: row for row in session.scalars(select(Contact))}
            return {
                row.key: (
                    row.kind,
                    self._value(row, people[row.contact_id]),
                    row.purpose,
                )
                for row in session.scalars(select(Attribute))
            }

    def _value(self, row: Attribute, person: Contact) -> str:
        key = envelopes.key_of(person, vault=self.vault)
        return envelopes.value_of(row, key, subject_ref=person.subject_ref)

    def facts(self, email: str = EMAIL) -> list[ConsentEvent]:
        """Return the facts about somebody's consents in ledger order."""
        with self.database.reading() as session:
            return consents.history(session, self.person(email).subject_ref)

    def acts(self, email: str = EMAIL) -> list[tuple[str, str]]:
        """Return what was done to which purpose, in ledger order."""
        return [(event.purpose, event.act) for event in self.facts(email)]

    def standing(self, email: str = EMAIL) -> dict[str, str]:
        """Return the stored standing: purpose -> act."""
        rows = self.rows(Standing, contact_id=self.person(email).id)
        return {row.purpose: row.act for row in rows}

    def verify_ledger(self, shop: str = "demo") -> None:
        """Seal, and do what `ledger verify` does; raises `BrokenError`."""
        tools = self.app.extensions["tools"]
        sealing = Sealing(self.database, tools)
        while sealing.go_round(now=self.clock.now()):
            pass
        with self.database.standing_still() as session:
            tip = next(tip for tip in ledger.tips(session) if tip.shop == shop)
            ledger_audit.verify(
                session,
                tip,
                keys=tools.notary.publics,
                step=lambda _: None,
                now=self.clock.now(),
            )

    def evidence(self, event: ConsentEvent, email: str = EMAIL) -> dict[str, Any]:
        """Return what proves a fact, opened with the person's key."""
        with self.database.reading() as session:
            return consents.evidence(
                session, self.person(email), event.evidence_hash, vault=self.vault
            )
