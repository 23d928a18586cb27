"""Retention on the command line: look first, then do it (DS-04)."""

import json

import pytest

from server.domain.months import months_after
from tests.factories import campaign_file
from tests.visits import NOTHING, take_card


@pytest.fixture
def database_kind() -> str:
    """Commands know no database; `tests/services/test_retention.py` runs on both."""
    return "sqlite"


@pytest.fixture
def run(run):
    """Run a command of the clock; return its code and its words."""

    def run_and_tell(*words):
        done = run("retention", *words)
        return done.exit_code, done.stdout

    return run_and_tell


@pytest.fixture
def people(publish, client, house, clock, now):
    """Three who lost, one of whom said yes and was not heard of for three years."""
    lost = [NOTHING | {"weight": 1}]
    publish(campaign_file("welcome-scratch", days=10, prizes=lost, fallback="nothing"))
    for name in ("ann", "ben"):
        take_card(client).enter(client, f"{name}@example.com")
    take_card(client).enter(client, "cas@example.com", consents=["newsletter"])
    house.press(client, house.link("confirm", to="cas@example.com"))
    return house


def test_the_report_says_how_many_and_why_and_writes_nothing(run, people, clock, now):
    before = people.dump()
    today = run("report")
    clock.moment = months_after(now, 30)
    later = run("report", "--shop", "demo")
    clock.moment = months_after(now, 37)
    late = run("report")

    assert people.dump() == before
    assert today == (
        0,
        "demo: 3 people\n"
        "  kept\n"
        "          1  a yes that stands\n"
        "          2  an entry without a prize, the first until 2026-06-10\n"
        "  next lapse 2029-03-02\n"
        "Nothing was written. To do it: python -m server retention run\n",
    )
    assert later[1].splitlines()[2:-1] == [
        "          1  a yes that stands",
        "  to be erased; last kept by",
        "          2  an entry without a prize",
        "  warning: no sign of life for long, and so soon to lapse",
        "          1  newsletter",
        "  next lapse 2029-03-02",
    ]
    assert "  to lapse\n          1  newsletter\n" in late[1]
    assert "what is about nobody, to be removed\n          1  counter" in late[1]


def test_a_run_does_it(run, people, clock, now):
    clock.moment = months_after(now, 37)

    code, words = run("run")

    assert code == 0
    assert words.splitlines()[-1] == "People erased: 2; consents that lapsed: 1."
    emails = people.emails()
    assert emails == ["", "", "cas@example.com"]
    assert "example.com" not in words


def test_a_program_gets_the_same(run, people, clock, now):
    clock.moment = months_after(now, 37)

    told = json.loads(run("report", "--json")[1])
    did = json.loads(run("run", "--json", "--shop", "demo")[1])

    assert told["written"] is False
    assert told["shops"]["demo"]["over"] == {"entry": 2}
    assert told["leftovers"]["mail_counters"] == 1
    assert (did["written"], did["erased"], did["lapsed"]) == (True, 2, 1)
    assert did["leftovers"] == {}


def test_a_shop_that_is_not_there(run, people):
    assert run("run", "--shop", "elsewhere")[0] == 2


def test_nobody_is_known_yet(run, database):
    assert run("report")[1].startswith("Nobody is known.\n")
