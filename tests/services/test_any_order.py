"""Whatever happens in whatever order, nobody is exported without a proof.

A property over the services and a real database: imports, sales, requests, presses,
withdrawals, objections and erasures of one person (PR-06, PR-08, DO-01, DS-02, SO-02).
"""

import itertools
import os
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from server.domain.consent import Act, deciding, standing, worded
from server.domain.people_file import CONSENTS, SALES, Around, read
from server.domain.retention import soft_until
from server.domain.shop import Retention
from server.models import Contact, Entry, Standing, Text
from server.services import (
    consent_imports,
    consents,
    contactable,
    contacts,
    optins,
    privacy,
    withdrawals,
)
from server.services.consents import Circumstances
from server.services.contactable import Wanted
from server.services.contacts import Person
from server.services.links import Asked, Found
from server.services.tools import Tools
from tests.claims import consent, csv_of, no_texts, sale
from tests.factories import campaign_file, make, shop_file
from tests.tooling import tools_with

PURPOSE, OTHER, SOFT = "newsletter", "mailing", "soft:mugs"
SOFT_MONTHS = Retention().soft_months
PARTS = ("text", "source", "date", "method")
BY = Circumstances("203.0.113.7", "Browser")
# How a no is told to a withdrawal, and to a right.
HOW = {"facts": {}, "method": "link"}
USE = privacy.Use("en", "link", {})
_numbers = itertools.count(1)

# What goes wrong takes a list, an act of their own and a list again: so those are many.
STEPS = st.one_of(
    st.tuples(st.just("import"), st.sampled_from([0, 40, 700]), st.just("")),
    st.tuples(st.just("import"), st.sampled_from([0, 40]), st.sampled_from(PARTS)),
    st.tuples(st.just("import_other"), st.sampled_from([0, 40, 700]), st.just("")),
    st.tuples(st.just("sale"), st.sampled_from([0, 40, 700]), st.sampled_from([0, 30])),
    st.tuples(
        st.sampled_from(["withdraw", "end_all", "stop", "erase"]), st.none(), st.none()
    ),
    st.tuples(st.sampled_from(["ask", "confirm"]), st.none(), st.none()),
    st.tuples(st.just("wait"), st.sampled_from([1, 50, 500]), st.none()),
    st.tuples(
        st.sampled_from(["object", "ask_again", "restrict"]), st.none(), st.none()
    ),
)


@pytest.fixture
def database_kind() -> str:
    """The services' own tests run on both; here it is the number of orders."""
    return "sqlite"


@dataclass
class Life:
    """One person at one shop, and what they did themselves."""

    database: object
    tools: Tools
    now: datetime
    email: str
    shop_id: int
    entry_id: int
    # Whoever was there before is somebody else.
    before: int
    optin: Asked | None = None
    was_erased: bool = False
    objected: bool = False
    # Their newest no to anything, or the end of one.
    own_no: datetime | None = None
    imported: set[tuple[str, date]] = field(default_factory=set)

    def step(self, what, some, more) -> None:
        # No two things happen at one moment.
        self.now += timedelta(seconds=1)
        getattr(self, f"_{what}")(some, more)

    def _wait(self, days, _more) -> None:
        self.now += timedelta(days=days)

    def _import(self, age, gone, purpose=PURPOSE) -> None:
        day = self.now.date() - timedelta(days=age)
        row = consent(self.email, date=day.isoformat(), purpose=purpose)
        self._bring(row | ({gone: ""} if gone else {}), CONSENTS)
        if not gone:
            self.imported.add((purpose, day))

    def _import_other(self, age, gone) -> None:
        self._import(age, gone, OTHER)

    def _sale(self, age, delay) -> None:
        sold = self.now - timedelta(days=age + delay)
        told = (self.now - timedelta(days=age)).isoformat()
        row = sale(self.email, date=sold.date().isoformat(), collected=told)
        self._bring(row, SALES)

    def _bring(self, row, shape) -> None:
        around = Around("nl", no_texts, self.now)
        lines = csv_of(row).splitlines(keepends=True)
        claims = list(read(lines, shape, around, is_json=False))
        for batch in consent_imports.batches(
            claims, shop_id=self.shop_id, vault=self.tools.vault
        ):
            with self.database.transaction() as session:
                consent_imports.bring_in(session, batch, tools=self.tools, now=self.now)

    def _ask(self, _some, _more) -> None:
        text = worded("Yes, mail me.")
        with self.database.transaction() as session:
            who = contacts.recognise(
                session,
                shop_id=self.shop_id,
                email=self.email,
                locale="en",
                vault=self.tools.vault,
                now=self.now,
                random=os.urandom,
            )
            if not who.may_be_asked(self.now):
                return
            optin_id = optins.request(
                session,
                who,
                {PURPOSE: text.sha256},
                entry_id=self.entry_id,
                notice_hash=b"",
                form_hash=b"",
                locale="en",
                channel="email",
                context={"campaign": "welcome-scratch", "version": 1},
                facts={},
                tools=self.tools,
                now=self.now,
            )
        until = self.now + timedelta(days=7)
        self.optin = Asked(
            optin_id,
            self.entry_id,
            "requested",
            (PURPOSE,),
            self.now,
            until,
            sent_at=None,
            settled_at=None,
        )

    def _confirm(self, _some, _more) -> None:
        who = self.who()
        if self.optin is None or who is None:
            return
        found = self._found(who)
        with self.database.transaction() as session:
            done = optins.confirm(session, found, by=BY, tools=self.tools, now=self.now)
        if done.is_new:
            self.was_erased = False

    def _found(self, who) -> Found:
        return Found(
            1,
            self.optin,
            who,
            shop_file(),
            campaign_file("welcome-scratch"),
            "en",
            self.entry_id,
            is_outdated=False,
            held_since=None,
        )

    def _stop(self, _some, _more) -> None:
        who = self.who()
        if who is None:
            return
        with self.database.transaction() as session:
            withdrawals.withdraw_all(
                session,
                self._found(who),
                by=BY,
                method="one-click",
                tools=self.tools,
                now=self.now,
            )
        self._no(who)

    def _withdraw(self, _some, _more) -> None:
        self._no(self._end(withdrawals.withdraw, [PURPOSE, SOFT]))

    def _end_all(self, _some, _more) -> None:
        self._no(self._end(withdrawals.end_all))

    def _object(self, _some, _more) -> None:
        self._end(privacy.object_to_marketing, use=USE)
        self._no(self.who())
        self.objected = self.objected or self.who() is not None

    def _ask_again(self, _some, _more) -> None:
        ended = self._end(privacy.end_objection, use=USE)
        self._no(ended)
        self.objected = self.objected and not ended

    def _no(self, is_said) -> None:
        if is_said:
            self.own_no = self.now

    def _erase(self, _some, _more) -> None:
        known = self.who() is not None
        self._end(privacy.erase, use=USE)
        self.was_erased = self.was_erased or known

    def _restrict(self, _some, _more) -> None:
        self._end(privacy.restrict, is_restricted=True, use=USE)

    def _end(self, what, *args, **options) -> object:
        who = self.who()
        if who is None:
            return None
        with self.database.transaction() as session:
            return what(
                session,
                who,
                *args,
                tools=self.tools,
                now=self.now,
                **(options or HOW),
            )

    def who(self) -> Person | None:
        """Return the person as far as their address leads to them."""
        hashed = contacts.hash_email(self.tools.vault, self.shop_id, self.email)
        with self.database.reading() as session:
            found = session.scalar(
                select(Contact.id).where(Contact.email_hash == hashed)
            )
            if found is None:
                return None
            return contacts.person(session, found, vault=self.tools.vault)

    def exported(self, purpose, basis):
        wanted = Wanted(self.shop_id, purpose, basis)
        return [
            line
            for line in contactable.lines(
                self.database.reading,
                wanted,
                vault=self.tools.vault,
                clock=lambda: self.now,
            )
            if line.email == self.email
        ]


def check(life: Life) -> None:
    """Say what must hold at every moment."""
    with life.database.reading() as session:
        for contact in session.scalars(select(Contact).where(Contact.id > life.before)):
            events = consents.history(session, contact.subject_ref)
            rows = session.scalars(
                select(Standing).where(Standing.contact_id == contact.id)
            )
            assert {r.purpose: r.act for r in rows} == standing(events)
    yes = life.exported(PURPOSE, "consent")
    other = life.exported(OTHER, "consent")
    soft = life.exported(SOFT, "soft")
    assert max(len(yes), len(other), len(soft)) <= 1
    assert not life.exported(SOFT, "consent")
    assert not life.exported(PURPOSE, "soft")
    if life.was_erased or life.objected:
        assert (yes, other, soft) == ([], [], [])
    for line in (*yes, *other):
        check_proof(life, line)
    for line in soft:
        until = soft_until(line.since, SOFT_MONTHS)
        assert line.since <= life.now.date() < until == line.until
        assert fact_of(life, SOFT).act == Act.SOFT_OPT_IN


def fact_of(life: Life, purpose: str):
    with life.database.reading() as session:
        events = consents.history(session, life.who().subject_ref)
    return deciding(events)[purpose]


def check_proof(life: Life, line) -> None:
    """A yes has its own press, or a date, source, method and kept text from before."""
    fact, who = fact_of(life, line.purpose), life.who()
    assert fact.act == Act.GIVEN
    with life.database.reading() as session:
        if fact.method == "import":
            proof = consents.evidence(
                session, who, fact.evidence_hash, vault=life.tools.vault
            )
            assert all(proof[name] for name in ("source", "date", "method"))
            assert session.get(Text, fact.text_hash)
            assert (line.purpose, line.since) in life.imported
            if life.own_no and fact.at > life.own_no:
                assert line.since > life.own_no.date()
        else:
            events = consents.history(session, who.subject_ref)
            asked = [e for e in events if e.act == Act.REQUESTED]
            assert fact.optin_id in [event.optin_id for event in asked]


@given(steps=st.lists(STEPS, min_size=3, max_size=10))
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_order_of_events_exports_somebody_without_a_proof(
    database, vault, now, steps
):
    email = f"p{next(_numbers)}@example.com"
    with database.transaction() as session:
        known = session.scalar(select(Entry).order_by(Entry.id))
        if known is None:
            known = make(session, Entry, now=now)
        shop_id, entry_id = _shop_of(session, known), known.id
        before = session.scalar(select(func.max(Contact.id))) or 0
    tools = tools_with(vault)
    life = Life(database, tools, now, email, shop_id, entry_id, before)

    for step in steps:
        life.step(*step)
        check(life)


def _shop_of(session, entry: Entry) -> int:
    from server.models import Campaign

    return session.get_one(Campaign, entry.campaign_id).shop_id
