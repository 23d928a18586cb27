"""The path of an entry: consent buys nothing, and a failure leaves nothing."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from server.domain.consent import worded
from server.domain.entry import Step, read
from server.models import Entry, Outbox
from server.services import entries
from server.services.campaigns import Directory
from server.services.consents import Circumstances
from server.services.entries import Attempted
from server.services.texts import Shown
from tests.factories import campaign_file
from tests.visits import EMAIL, few_mugs, sure_win, take_card

PURPOSES = ("newsletter", "personal_offers")
WORDS = {key: worded(key) for key in PURPOSES}
SHOWN = Shown("en", form=worded("form"), notice=worded("notice"), purposes=WORDS)
FORM = {"email": EMAIL, "terms": "yes", "adult": "yes"}
TABLES_OF_AN_ENTRY = [
    *(("contact", "INSERT"), ("mailbox", "INSERT"), ("entry", "INSERT")),
    *(("voucher", "UPDATE"), ("evidence", "INSERT"), ("consent_event", "INSERT")),
    *(("optin", "INSERT"), ("link", "INSERT"), ("outbox", "INSERT")),
    ("text", "INSERT"),
]
TABLES_OF_A_SECOND_ONE = [("contact", "UPDATE"), ("mailbox", "UPDATE")]


@pytest.fixture
def live(app, database, publish, vault, now):
    """The welcome campaign as the path of an entry knows it."""
    publish(campaign_file("welcome-scratch"))
    with database.reading() as session:
        found = Directory(vault).find(session, "welcome-inline", now=now)
    assert found is not None
    return found


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ticket=st.binary(min_size=16, max_size=16),
    seed=st.binary(min_size=16, max_size=16),
    subsets=st.lists(st.sets(st.sampled_from(PURPOSES)), min_size=2, max_size=4),
)
def test_consent_buys_no_odds(
    database, app, live, now, ticket: bytes, seed: bytes, subsets: list[set[str]]
):
    """CR-02, DO-08: same ticket and seed, whatever is ticked: the same outcome, the
    same prize, the same mails of a prize."""
    came_of_it = set()
    for ticked in subsets:
        form = FORM | {"seed": seed.hex()} | {f"consent.{key}": "yes" for key in ticked}
        attempted = Attempted(
            live=live,
            submission=read(form, live.campaign, "en"),
            step=Step.BOTH,
            ticket=ticket,
            locale="en",
            shown=SHOWN,
            by=Circumstances(ip="203.0.113.7", user_agent="test"),
            may_ask=True,
        )
        with database.transaction() as session:
            outcome = entries.submit(
                session, attempted, tools=app.extensions["tools"], now=now
            )
            entry = session.scalars(select(Entry)).one()
            letters = session.scalars(select(Outbox.letter)).all()
            came_of_it.add(
                (
                    outcome.prize.key,
                    outcome.is_win,
                    outcome.code is None,
                    *(entry.drawn, entry.awarded, entry.unit, entry.epoch),
                    letters.count("prize"),
                )
            )
            assert letters.count("confirm") == bool(ticked)
            session.rollback()

    assert len(came_of_it) == 1


def test_the_draw_is_not_even_told_of_consents(live):
    """CR-02: what it takes is the table, the day's seed, the ticket, the browser, and
    what a quiz led to.
    """
    from inspect import signature

    from server.domain import chance
    from server.services import draws

    assert set(signature(chance.draw).parameters) == {
        *("table", "seed", "campaign", "epoch", "ticket", "browser")
    }
    assert set(signature(draws.draw_prize).parameters) == {
        *("session", "live", "ticket", "seed", "now", "led_to")
    }


def break_table(database, table: str, verb: str) -> str:
    """Let the database refuse a verb on a table; returns what mends it again."""
    name = f"break_{table}"
    with database.transaction() as session:
        if database.is_sqlite:
            session.execute(
                text(
                    f"CREATE TRIGGER {name} BEFORE {verb} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END"
                )
            )
            return f"DROP TRIGGER {name}"
        session.execute(
            text(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'broken on purpose'; END $$"
            )
        )
        session.execute(
            text(
                f"CREATE TRIGGER {name} BEFORE {verb} ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION {name}()"
            )
        )
    return f"DROP FUNCTION {name}() CASCADE"


def refuse_and_mend(house, table: str, verb: str, send):
    """Return the answer of a visit that the database refuses half-way."""
    mend = break_table(house.database, table, verb)
    before = house.dump()
    try:
        answer = send()
        assert house.dump() == before, f"{verb} on {table} left something behind"
    finally:
        with house.database.transaction() as session:
            session.execute(text(mend))
    return answer


@pytest.mark.parametrize(("table", "verb"), TABLES_OF_AN_ENTRY)
def test_an_entry_is_whole_or_not_at_all(publish, client, house, table, verb):
    """F5, I1, I2: every statement fails in turn: 503, nothing stored, and the same
    ticket works as soon as the database does."""
    publish(few_mugs(3))
    card = take_card(client)

    def send():
        return card.enter(client, consents=PURPOSES)

    refused = refuse_and_mend(house, table, verb, send)
    accepted = send()

    assert refused.status_code == 503
    assert 2 <= int(refused.headers["Retry-After"]) <= 10
    assert "Nothing is lost" in refused.text
    assert accepted.status_code == 200
    assert {letter.kind for letter in house.letters()} == {"prize", "confirm"}
    assert house.rows(Entry)[0].awarded == "mug"


@pytest.mark.parametrize(
    ("table", "verb"), [*TABLES_OF_A_SECOND_ONE, ("voucher", "INSERT")]
)
def test_a_second_entry_is_whole_or_not_at_all(publish, client, house, table, verb):
    """F5: what only a known visitor, or an unlimited prize, leads to."""
    publish(sure_win())
    take_card(client).enter(client)
    card = take_card(client)

    refused = refuse_and_mend(house, table, verb, lambda: card.enter(client))

    assert refused.status_code == 503
    assert card.enter(client).status_code == 200
    assert len(house.rows(Entry)) == 2


@pytest.mark.parametrize(
    ("table", "verb"),
    [("entry", "UPDATE"), ("voucher", "UPDATE"), ("contact", "INSERT")],
)
def test_a_claim_is_whole_or_not_at_all(publish, client, house, table, verb):
    """F5: the play stands, and is claimed once the database is well again."""
    publish(few_mugs(3, "lucky-scratch"))
    card = take_card(client, "lucky-inline")
    card.play(client)

    refused = refuse_and_mend(house, table, verb, lambda: card.claim(client))

    assert refused.status_code == 503
    assert card.claim(client).status_code == 200
    assert house.rows(Entry)[0].state == "claimed"


@pytest.mark.parametrize(
    ("table", "verb"),
    [("optin", "UPDATE"), ("consent_event", "INSERT"), ("standing", "INSERT")],
)
def test_a_confirmation_is_whole_or_not_at_all(publish, client, house, table, verb):
    """F5, I2: no consent without its proof, no proof without its consent."""
    publish(sure_win())
    take_card(client).enter(client, consents=PURPOSES)
    link = house.link("confirm")
    form = {"shown": house.shown(client, link)}

    refused = refuse_and_mend(house, table, verb, lambda: client.post(link, data=form))

    assert refused.status_code == 503
    assert client.post(link, data=form).status_code == 303
    assert set(house.standing().values()) == {"given"}


def test_a_limit_on_clients_changes_only_the_mail(database, app, live, now):
    """AB-01: over the limit the entry stands and the answer is the same."""
    attempted = Attempted(
        live=live,
        submission=read(FORM | {"consent.newsletter": "yes"}, live.campaign, "en"),
        step=Step.BOTH,
        ticket=bytes(16),
        locale="en",
        shown=SHOWN,
        by=Circumstances(ip="203.0.113.7", user_agent="test"),
        may_ask=True,
    )
    outcomes, letters = [], []
    for may_ask in (True, False):
        with database.transaction() as session:
            outcomes.append(
                entries.submit(
                    session,
                    replace(attempted, may_ask=may_ask),
                    tools=app.extensions["tools"],
                    now=now,
                )
            )
            letters.append(session.scalars(select(Outbox.letter)).all())
            session.rollback()

    assert outcomes[0].asks_confirmation and outcomes[1].asks_confirmation
    assert outcomes[0].prize == outcomes[1].prize
    assert "confirm" in letters[0] and "confirm" not in letters[1]
