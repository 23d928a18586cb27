"""How often one person may take part, and what is said when that is enough (PZ-10)."""

from datetime import timedelta
from functools import partial

import pytest

from server.models import Contact, Entry, Turn
from tests.visits import at_once, sure_win, take_card

DAILY = {"entries_per_day": 1, "days": 3}
AGAIN = "With this address you can take part again from Tuesday 3 March, 11:30."
NEVER = "With this address you cannot take part again in this game."


def test_once_a_day_and_again_on_the_next(publish, client, house):
    """The refusal says when; a day is one of the campaign's, to the minute."""
    publish(sure_win(**DAILY))

    first = take_card(client).enter(client)
    house.clock.advance(timedelta(hours=23, minutes=59))
    early = take_card(client).enter(client)
    house.clock.advance(timedelta(minutes=1))
    next_day = take_card(client).enter(client)

    assert [a.status_code for a in (first, early, next_day)] == [200, 409, 200]
    assert AGAIN in early.text


def test_on_the_last_day_nothing_is_promised_any_more(publish, client, house):
    publish(sure_win(**DAILY | {"days": 1}))
    take_card(client).enter(client)

    refused = take_card(client).enter(client)

    assert refused.status_code == 409
    assert NEVER in refused.text


def test_the_hour_after_the_end_is_no_day_of_its_own(publish, client, house, now):
    """PZ-10: two cards in two browsers, and only one of them can be claimed."""
    publish(sure_win(flow="play-first", entries_per_day=1, days=1))
    house.clock.advance(timedelta(hours=23, minutes=40))
    first, second = take_card(client), take_card(client)
    for card in (first, second):
        assert card.play(client).status_code == 200
    assert first.claim(client).status_code == 200

    house.clock.advance(timedelta(minutes=30))

    assert second.claim(client).status_code == 409


def test_days_and_all_of_them_together_are_counted(publish, client, house):
    publish(sure_win(**DAILY, entries_per_address=2))
    answers = []
    for _ in range(3):
        answers.append(take_card(client).enter(client))
        house.clock.advance(timedelta(days=0.9))

    assert [answer.status_code for answer in answers] == [200, 409, 200]
    assert AGAIN in answers[1].text
    last = take_card(client).enter(client)
    assert last.status_code == 409
    assert NEVER in last.text


SPELLINGS = [
    "jan.de.wit@gmail.com",
    "JanDeWit+spel@googlemail.com",
    "jandewit@gmail.com",
]


@pytest.mark.parametrize(("person", "taken"), [("address", 3), ("mailbox", 1)])
def test_spellings_of_one_mailbox_are_one_person_if_it_says_so(
    publish, client, person, taken
):
    """PZ-10: with the option for dots; who is someone else stays so."""
    publish(sure_win(entries_per_address=1, person=person))

    statuses = [
        take_card(client).enter(client, email).status_code for email in SPELLINGS
    ]
    neighbours = [
        take_card(client).enter(client, email).status_code
        for email in ("j.an@example.com", "jan@example.com")
    ]

    assert statuses.count(200) == taken
    assert statuses[0] == 200
    assert neighbours == [200, 200]


def test_many_tabs_of_one_person_cannot(publish, app, house):
    """T12: also under several spellings, which are several contacts."""
    publish(sure_win(**DAILY, person="mailbox"))
    cards = [take_card(app.test_client()) for _ in range(9)]

    answers = at_once(
        [
            partial(card.enter, app.test_client(), SPELLINGS[n % 3])
            for n, card in enumerate(cards)
        ],
        threads=9,
    )

    assert sorted(a.status_code for a in answers) == [200] + [409] * 8
    assert len(house.rows(Entry)) == 1
    assert [turn.times for turn in house.rows(Turn)] == [1]


def test_many_people_behind_one_network_can(publish, client):
    """A school, an office, a street: nobody is known by their network (PZ-10)."""
    publish(sure_win(**DAILY, person="mailbox"))

    statuses = {
        take_card(client).enter(client, f"v{number}@example.com").status_code
        for number in range(30)
    }

    assert statuses == {200}


def test_a_turn_names_nobody(publish, client, house):
    """And one campaign's says nothing in another."""
    publish(sure_win(**DAILY))
    take_card(client).enter(client)

    (turn,) = house.rows(Turn)

    assert len(turn.person) == 16
    assert house.rows(Contact)[0].email_hash[:16] != turn.person
