"""Who was drawn: a reserve list, each try to reach them, and no name (PZ-13)."""

from datetime import timedelta

import pytest

from server.domain import raffle as rules
from server.models import Entry, RafflePlace, RaffleStep
from tests.raffles import CODE, PAGE, Desk, raffle_file, winners
from tests.visits import House, take_card

RECORD = f"/verify/{CODE}/raffle/main"
# Everything about a raffle that needs no link and no account.
PUBLIC = (
    *(f"{RECORD}?lang={locale}" for locale in ("nl", "en")),
    f"{RECORD}/draw.jsonl",
    f"/verify/{CODE}",
    *(f"/{place}/{PAGE}?lang=en" for place in ("w", "terms")),
)
PEOPLE = {"ann": "Zebedee", "ben": "Quirinus", "cas": "Wolfhart"}
LATE = timedelta(days=8)


@pytest.fixture
def database_kind() -> str:
    """Pages know no database; `tests/services/test_raffles.py` runs on both."""
    return "sqlite"


@pytest.fixture
def desk(publish, client, desk) -> Desk:
    """A raffle of one prize and one reserve, in which three give their names."""
    publish(raffle_file(1, reserves=1))
    for name, first in PEOPLE.items():
        card = take_card(client, PAGE)
        card.enter(client, f"{name}@example.com", more={"first_name": first})
    return desk


def label_of(house: House, place: int) -> str:
    places = house.rows(RafflePlace)
    (entry,) = house.rows(Entry, id=places[place - 1].entry_id)
    return rules.label(entry.ticket)


def test_no_public_page_names_who_takes_part_or_won_at_any_stage(
    client, house, desk, run
):
    """Nobody is asked whether their name may be published, so none ever is."""
    stages = [lambda: None, desk.finish, lambda: desk.finish(LATE)]
    for go_on in stages:
        go_on()
        for address in PUBLIC:
            told = client.get(address, follow_redirects=True)
            assert told.status_code in {200, 410} or address.endswith("jsonl"), address
            for name, first in PEOPLE.items():
                assert first not in told.text, address
                assert f"{name}@" not in told.text, address
    assert desk.places() == ["lapsed", "offered"]


def test_the_reserve_hears_nothing_of_who_was_before(house, desk, client):
    desk.finish()
    first, second = (PEOPLE[name] for name in winners(house))
    desk.finish(LATE)

    (_, letter) = house.letters("won")
    page = client.get(house.link("claim", to=letter.to)).text

    assert letter.params["first_name"] == second
    for told in (str(letter.params), page):
        assert first not in told
        assert house.letters("won")[0].to not in told


def test_each_try_to_reach_each_of_them_is_kept_with_when_and_by_whom(
    house, desk, run, clock
):
    desk.finish()
    told = []
    for place, said in ((1, "called"), (1, "wrote a card"), (2, "called")):
        words = ("--label", label_of(house, place), "--note", said)
        told.append(run("raffle", "contacted", CODE, *words).exit_code)
        clock.advance(timedelta(hours=1))

    kept = [
        (step.place_id, step.note) for step in house.rows(RaffleStep, by="operator")
    ]
    first = house.rows(RafflePlace)[0].id
    # Who is a reserve has won nothing yet, and nobody has to reach them.
    assert told == [0, 0, 2]
    assert kept == [(first, "called"), (first, "wrote a card")]
    moments = [step.at for step in house.rows(RaffleStep, step="contacted")]
    assert moments[1] - moments[0] == timedelta(hours=1)


def test_what_was_tried_is_for_the_shop_alone(client, house, desk, run):
    desk.finish()
    run("raffle", "contacted", CODE, "--label", label_of(house, 1), "--note", "canary")

    for address in PUBLIC:
        assert "canary" not in client.get(address, follow_redirects=True).text


def test_the_command_tells_each_try_as_the_office_does(house, desk, run):
    desk.finish()
    label = label_of(house, 1)
    run("raffle", "contacted", CODE, "--label", label, "--note", "called, no answer")

    told = run("raffle", "show", CODE).output

    lines = told[told.index(label) :].splitlines()
    assert "offered" in lines[1]
    assert "contacted by operator: called, no answer" in lines[2]
