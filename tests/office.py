"""A furnished house for tests of the office: two shops, their people, one player.

Everything a visitor leaves behind goes in as visitors leave it: by `entries.submit`,
the worker's marks and `optins.confirm`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.db import Database
from server.domain.entry import Step, Submission
from server.domain.links import LinkRef
from server.domain.seals import Vault
from server.models import Audit, ConsentEvent, Contact, Delivery, Entry, Outbox
from server.services import (
    campaigns,
    entries,
    links,
    members,
    optins,
    outbox,
    rights,
    shops,
    webhooks,
)
from server.services.consents import Circumstances
from server.services.entries import Attempted
from server.views import guards
from tests.factories import campaign_file, make, shop_file
from tests.people import tell

PASSWORD = "a long enough password"
IP, AGENT = "203.0.113.77", "Netscape Navigator 4.7"
EMAIL = "iris@home.example"


@dataclass(frozen=True)
class House:
    """What was made, by the names that addresses use."""

    app: Flask
    database: Database
    now: datetime
    owner: int
    viewer: int
    stranger: int
    staff: int
    contact: str
    evidence: str
    mail: str
    right: str
    recipient: str
    message: str
    campaign: str = "welcome-scratch"
    shop: str = "demo"
    other_shop: str = "other"

    @property
    def vault(self) -> Vault:
        """Return what opens the rows of the application."""
        vault: Vault = self.app.extensions["tools"].vault
        return vault

    def client(self, member_id: int | None, *, now: datetime | None = None):
        """Return a browser in which somebody has signed in, or nobody."""
        return signed_in(self.app, self.database, member_id, now=now or self.now)

    def audits(self) -> list[str]:
        """Return the acts that were noted, oldest first."""
        with self.database.reading() as session:
            return list(session.scalars(select(Audit.act).order_by(Audit.id)))


def furnish(app: Flask, database: Database, now: datetime) -> House:
    """Make two shops; in the first a campaign, an entry, a yes and a dead letter."""
    with database.transaction() as session:
        people = _people(session, now)
        campaigns.save(
            session,
            campaign_file("welcome-scratch"),
            vault=app.extensions["tools"].vault,
            now=now - timedelta(days=2),
            random=os.urandom,
        )
    play(app, database, now)
    _deliver(app, database, now)
    right = _ask(app, database, now)
    recipient, message = _give_up(app, database, now)
    with database.reading() as session:
        contact = session.scalars(select(Contact)).one()
        first = session.scalars(
            select(ConsentEvent.evidence_hash).order_by(ConsentEvent.id)
        ).first()
        assert first is not None
        dead = session.scalars(select(Outbox).where(Outbox.state == "dead")).one()
        return House(
            app=app,
            database=database,
            now=now,
            **people,
            contact=contact.public_id,
            evidence=first.hex(),
            mail=dead.message_id.strip("<>"),
            right=right,
            recipient=recipient,
            message=message,
        )


def _give_up(app: Flask, database: Database, now: datetime) -> tuple[str, str]:
    """Add a recipient that could not be told of something; return the names of both."""
    tools = app.extensions["tools"]
    with database.transaction() as session:
        shop_id = shops.id_of(session, "demo")
        assert shop_id is not None
        added = webhooks.add(
            session,
            shop_id,
            name="Mailing program",
            url="https://mail.example/hook",
            tools=tools,
            now=now,
        )
        row = webhooks.find(session, added.public_id)
        assert row is not None
        message = webhooks.put_test(session, row, tools=tools, now=now)
        session.execute(update(Delivery).values(state="dead", settled_at=now))
    return added.public_id, message


def _ask(app: Flask, database: Database, now: datetime) -> str:
    """Let the player ask for their data; return the request's public id."""
    with database.transaction() as session:
        contact = session.scalars(select(Contact)).one()
        return rights.open(
            session,
            contact.id,
            shop_id=contact.shop_id,
            kind="access",
            member_id=None,
            random=app.extensions["tools"].random,
            now=now,
        ).public_id


def _people(session: Session, now: datetime) -> dict[str, int]:
    campaigns.save_shop(session, shop_file(), now=now)
    campaigns.save_shop(session, shop_file(code="other"), now=now)
    kept = {"password_hash": "never compared", "now": now}
    found = {}
    for name, shop, role in (
        ("owner", "demo", "owner"),
        ("viewer", "demo", "viewer"),
        ("staff", "demo", "staff"),
        ("stranger", "other", "owner"),
    ):
        member = make(
            session,
            members.Member,
            email=f"{name}@{shop}.test",
            name=f"{name.title()} Name",
            **kept,
        )
        shop_id = session.scalar(
            select(members.Shop.id).where(members.Shop.code == shop)
        )
        make(
            session,
            members.Membership,
            member_id=member.id,
            shop_id=shop_id,
            role=role,
            now=now,
        )
        found[name] = member.id
    return found


def play(
    app: Flask,
    database: Database,
    now: datetime,
    *,
    email: str = EMAIL,
    answers: Mapping[str, str] | None = None,
    agent: str = AGENT,
    ip: str = IP,
    page: str = "http://localhost:8401/demo/",
    yes: tuple[str, ...] = ("newsletter",),
    placement: str = "welcome-inline",
) -> None:
    """Let somebody take part; what they bring is not checked, as a view would."""
    tools = app.extensions["tools"]
    with app.test_request_context(), database.reading() as session:
        live = app.extensions["directory"].find(session, placement, now=now)
        shown = app.extensions["faces"].of(live, "nl").shown
    attempted = Attempted(
        live=live,
        submission=Submission(
            seed=os.urandom(16).hex(),
            email=email,
            address=email,
            answers=answers or {"first_name": "Iris"},
            consents=frozenset(yes),
            terms=True,
            adult="yes",
        ),
        step=Step.BOTH,
        ticket=os.urandom(16),
        locale="nl",
        shown=shown,
        by=Circumstances(ip, agent, page),
        may_ask=True,
    )
    with database.transaction() as session:
        entries.submit(session, attempted, tools=tools, now=now)
        if answers:
            # Only what is asked is kept; the office must hold by itself all the same.
            entry = select(Entry).where(Entry.ticket == attempted.ticket)
            tell(session, session.scalars(entry).one(), tools.vault, answers=answers)


def _deliver(app: Flask, database: Database, now: datetime) -> None:
    """Refuse the prize mail for good; let the other one be sent and confirmed."""
    tools = app.extensions["tools"]
    with database.transaction() as session:
        outbox.put_mails(session, [_dead_letter(session)], tools=tools, now=now)
        for mail in outbox.claim_due(session, tools=tools, now=now):
            if mail.letter != "confirm":
                outbox.refused(session, mail, answer="550 5.1.1 Gone", now=now)
                continue
            outbox.delivered(session, mail, answer="250 Ok", now=now)
            facts = {"message_id": mail.message_id, "body_sha256": "ab" * 32}
            found = links.find(
                session,
                LinkRef.from_payload(mail.params["link"]),
                directory=app.extensions["directory"],
                vault=tools.vault,
            )
            optins.mark_sent(
                session,
                mail.optin_id,
                found.who,
                message_id=mail.message_id,
                facts=facts,
                tools=tools,
                now=now,
            )
            optins.confirm(
                session, found, by=Circumstances(IP, AGENT), tools=tools, now=now
            )
        # A prize may have been won or not; only one dead letter is wanted.
        dead = session.scalars(
            select(Outbox).where(Outbox.state == "dead").order_by(Outbox.id)
        ).all()
        for mail in dead[1:]:
            mail.state = "dropped"


def _dead_letter(session: Session) -> outbox.Mail:
    contact = session.scalars(select(Contact)).one()
    return outbox.Mail(
        letter="manage",
        shop_id=contact.shop_id,
        contact_id=contact.id,
        optin_id=None,
        params={"to": EMAIL, "link": [1, "secret-of-the-link"]},
    )


def signed_in(
    app: Flask, database: Database, member_id: int | None, *, now: datetime
) -> FlaskClient:
    """Return a browser with a session of its own, without the cost of a password."""
    client = app.test_client()
    if member_id is None:
        return client
    with database.transaction() as session:
        secret = members.sign_in(session, member_id, random=os.urandom, now=now)
    with client.session_transaction() as cookie:
        cookie[guards.SECRET] = secret
    return client


def token(client: FlaskClient) -> str:
    """Return the token that this browser's forms carry."""
    page = client.get("/office/sign-in", follow_redirects=True)
    text = page.get_data(as_text=True)
    return text.partition('name="csrf_token" value="')[2].partition('"')[0]
