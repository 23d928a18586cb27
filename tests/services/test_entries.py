"""The path of an entry: consent buys nothing, and a failure leaves nothing."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from server.domain.consent import worded
from server.domain.entry import Step, read
from server.models import Entry, Outbox
from server.services import entries
from server.services.campaigns import Directory
from server.services.consents import Circumstances
from server.services.entries import Attempted
from server.services.texts import Shown
from tests.factories import campaign_file
from tests.visits import EMAIL

PURPOSES = ("newsletter", "personal_offers")
WORDS = {key: worded(key) for key in PURPOSES}
SHOWN = Shown("en", form=worded("form"), notice=worded("notice"), purposes=WORDS)
FORM = {"email": EMAIL, "terms": "yes", "adult": "yes"}


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
