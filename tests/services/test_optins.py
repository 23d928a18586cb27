"""Double opt-in over time: what was asked, confirmed, withdrawn or forgotten."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from server.domain.consent import standing
from server.domain.links import LinkRef
from server.models import ConsentEvent, Contact, Entry, Mailbox, OptIn, Standing
from server.services import consents, contacts, optins, withdrawals
from server.services import links as links_of
from server.services.campaigns import Directory
from server.services.consents import Circumstances
from server.worker import Worker
from tests.factories import make
from tests.visits import EMAIL, few_mugs, sure_win, take_card

BOTH = ["newsletter", "personal_offers"]
DAY = timedelta(days=1)
BY = Circumstances(ip="203.0.113.7", user_agent="test")
STEPS = st.one_of(
    st.tuples(
        st.just("request"),
        st.sets(st.sampled_from([*BOTH, "post"]), min_size=1),
        st.sampled_from([b"a" * 32, b"b" * 32]),
    ),
    st.tuples(st.sampled_from(["confirm", "withdraw", "decline", "wait", "renew"])),
)


@pytest.fixture
def walk(database, app, publish, vault, clock):
    """Run steps for one person in a transaction that is rolled back."""
    publish(sure_win())
    tools, directory = app.extensions["tools"], Directory(vault)

    def request(session, who, entry_id, purposes, wording):
        now = clock.now()
        asked = dict.fromkeys(sorted(purposes), wording)
        pending = optins.pending_of(session, who.id)
        if pending:
            optins.supersede(session, who, pending, tools=tools, now=now)
        optin_id = optins.request(
            session,
            who,
            asked,
            entry_id=entry_id,
            notice_hash=wording,
            form_hash=wording,
            locale="en",
            channel="email",
            context={"page": ""},
            facts={},
            tools=tools,
            now=now,
        )
        return links_of.make(
            session,
            contact_id=who.id,
            entry_id=entry_id,
            optin_id=optin_id,
            tools=tools,
            now=now,
        )

    def run(steps):
        with database.transaction() as session:
            who = contacts.recognise(
                session,
                shop_id=directory.find(
                    session, "welcome-inline", now=clock.now()
                ).shop_id,
                email=EMAIL,
                locale="en",
                vault=vault,
                now=clock.now(),
                random=tools.random,
            )
            live = directory.find(session, "welcome-inline", now=clock.now())
            entry = make(
                session,
                Entry,
                now=clock.now(),
                campaign_id=live.campaign_id,
                placement_id=live.placement_id,
                contact_id=who.id,
                state="claimed",
                version=live.version,
                locale="en",
            )
            links = []
            for name, *details in steps:
                clock.advance(timedelta(hours=1))
                now = clock.now()
                if name == "request":
                    links.append(request(session, who, entry.id, *details))
                elif name == "wait":
                    clock.advance(8 * DAY)
                    optins.expire_due(session, tools=tools, now=clock.now())
                elif links:
                    found = links_of.find(
                        session, links[-1], directory=directory, vault=vault
                    )
                    options = {"by": BY, "tools": tools, "now": now}
                    if name == "withdraw":
                        withdrawals.withdraw_all(
                            session, found, method="test", **options
                        )
                    elif name == "confirm":
                        optins.confirm(session, found, **options)
                    elif name == "decline":
                        optins.decline(session, found, **options)
                    else:
                        optins.renew(session, found, **options)
            session.flush()
            session.expire_all()
            stored = {
                row.purpose: (row.act, row.text_hash, row.event_id)
                for row in session.scalars(select(Standing))
            }
            events = consents.history(session, who.subject_ref)
            session.expunge_all()
            session.rollback()
        return stored, events

    return run


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=14))
def test_the_stored_standing_is_what_the_facts_alone_give(walk, steps):
    """PR-06: whatever happens, in whatever order: replaying gives the table."""
    stored, events = walk(steps)

    assert {purpose: act for purpose, (act, *_) in stored.items()} == standing(events)
    last = {e.purpose: e for e in events if e.act in {"given", "withdrawn"}}
    assert stored == {p: (e.act, e.text_hash, e.id) for p, e in last.items()}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS.filter(lambda step: step[0] != "confirm"), max_size=12))
def test_nothing_but_a_confirmation_makes_a_yes(walk, steps):
    """DO-01."""
    stored, events = walk(steps)

    assert "given" not in {act for act, *_ in stored.values()}
    assert "given" not in {event.act for event in events}


def test_the_worker_asks_once_and_never_reminds(publish, app, client, house, smtp):
    """DO-09: a fortnight of an unanswered request is one mail."""
    publish(sure_win())
    take_card(client).enter(client, consents=BOTH)
    worker = Worker(app)

    for _ in range(14 * 4):
        while worker.deliver():
            pass
        worker.keep_house(now=house.clock.now())
        house.clock.advance(DAY / 4)
    worker.close()

    subjects = [mail.message["Subject"] for mail in smtp.to(EMAIL)]
    assert len(subjects) == 2
    assert len([s for s in subjects if "confirm" in s]) == 1
    assert house.rows(OptIn)[0].state == "expired"
    assert [act for _, act in house.acts()].count("expired") == len(BOTH)
    assert house.standing() == {}


def test_a_prize_is_mailed_without_any_consent(publish, app, client, house, smtp):
    """DO-08, CR-02: a mail of its own, at once, whatever was said yes to."""
    publish(sure_win())
    take_card(client).enter(client, "no@example.com")
    take_card(client).enter(client, "yes@example.com", consents=BOTH)
    worker = Worker(app)
    worker.deliver()
    worker.close()

    said_no, said_yes = smtp.to("no@example.com"), smtp.to("yes@example.com")
    assert len(said_no) == 1 and len(said_yes) == 2
    (prize,) = said_no
    assert "MUG10" in prize.text() and "MUG10" in prize.text("html")
    (asking,) = [mail for mail in said_yes if "MUG10" not in mail.text()]
    assert "confirm" in asking.message["Subject"]
    assert "MUG10" not in asking.text("html")


def test_asking_twice_while_it_waits_is_one_request(publish, client, house):
    """DO-10: coalesced; a second mail only after the cooldown, for the same request."""
    publish(few_mugs(0))
    take_card(client).enter(client, consents=BOTH)
    take_card(client).enter(client, consents=BOTH)

    assert len(house.rows(OptIn)) == 1
    assert len(house.letters("confirm")) == 1

    house.clock.advance(timedelta(minutes=11))
    take_card(client).enter(client, consents=BOTH)
    first, second = house.letters("confirm")
    assert len(house.rows(OptIn)) == 1
    assert first.row.optin_id == second.row.optin_id
    assert first.params["link"] != second.params["link"]
    assert house.press(client, house.link("confirm")).status_code == 303


def test_a_second_mail_leads_to_its_entry_and_to_where_the_request_began(
    publish, client, house, database, app, vault
):
    publish(few_mugs(0))
    take_card(client).enter(client, consents=BOTH)
    house.clock.advance(timedelta(minutes=11))
    take_card(client).enter(client, consents=BOTH)
    row, secret = house.letters("confirm")[-1].params["link"]

    with database.reading() as session:
        found = links_of.find(
            session,
            LinkRef(row, bytes.fromhex(secret)),
            directory=Directory(vault),
            vault=vault,
        )

    first, second = sorted(entry.id for entry in house.rows(Entry))
    assert (found.asked.entry_id, found.entry_id) == (first, second)


def test_an_older_link_of_the_same_request_stays_valid(publish, client, house):
    """Section 14: resent, and both mails work."""
    publish(few_mugs(0))
    take_card(client).enter(client, consents=BOTH)
    older = house.link("confirm")
    house.clock.advance(timedelta(minutes=11))
    take_card(client).enter(client, consents=BOTH)

    assert house.link("confirm") != older
    assert house.press(client, older).status_code == 303


def test_asking_for_something_else_replaces_the_request(publish, client, house):
    """Section 14, DO-10: superseded, and the old link confirms nothing."""
    publish(few_mugs(0))
    take_card(client).enter(client, consents=["newsletter"])
    older = house.link("confirm")
    house.clock.advance(timedelta(minutes=11))
    take_card(client).enter(client, consents=BOTH)

    states = [row.state for row in house.rows(OptIn)]
    assert states == ["superseded", "requested"]
    assert house.press(client, older).status_code == 410
    assert house.standing() == {}


def test_who_is_confirmed_gets_a_mail_to_manage_once_a_day(publish, client, house):
    """DO-10: no second request, no dead end, the same screen."""
    publish(sure_win())
    take_card(client).enter(client, consents=BOTH)
    house.press(client, house.link("confirm"))
    house.clock.advance(DAY)

    for _ in range(3):
        take_card(client).enter(client, consents=BOTH)
        house.clock.advance(timedelta(hours=7))

    assert len(house.letters("manage")) == 1
    assert len(house.rows(OptIn)) == 1
    # The newest letter is of a prize that waits for its turn.
    house.clock.advance(DAY)
    assert client.get(house.link("unsubscribe")).status_code == 200


def test_what_waits_is_given_to_nobody(publish, client, database, house):
    """DO-01: before the press no purpose is active."""
    publish(sure_win())
    take_card(client).enter(client, consents=BOTH)
    with database.reading() as session:
        assert consents.active(session, house.person().id) == {}

    house.press(client, house.link("confirm"))
    with database.reading() as session:
        assert set(consents.active(session, house.person().id)) == set(BOTH)


def test_the_request_of_somebody_forgotten_is_not_made_up(publish, client, house):
    """A mailbox's count can be lost without a second request coming of it."""
    publish(sure_win())
    take_card(client).enter(client, consents=BOTH)
    with house.database.transaction() as session:
        session.execute(delete(Mailbox))

    take_card(client).enter(client, consents=BOTH)

    assert len(house.rows(OptIn)) == 1
    assert len(house.rows(Contact)) == 1
    assert {e.act for e in house.rows(ConsentEvent)} == {"requested"}
