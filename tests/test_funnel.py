"""From the mail to the press: who opened it, by mail provider (DO-11, DO-12)."""

import threading
from datetime import timedelta

import pytest

from server.domain import address
from server.models import FunnelDay, Link, OptIn
from server.opened import NAME, Opened
from tests.factories import campaign_file
from tests.visits import take_card


@pytest.fixture
def ask(publish, client, house, worker):
    """Let people ask for the newsletter, and mail them; return their links."""
    publish(campaign_file("welcome-scratch"))

    def ask(*mailboxes):
        for mailbox in mailboxes:
            take_card(client).enter(client, mailbox, consents=["newsletter"])
        links = [house.link("confirm", to=mailbox) for mailbox in mailboxes]
        worker.deliver()
        return links

    return ask


def rows(house):
    return {
        row.provider: (row.mailed, row.opened, row.confirmed)
        for row in house.rows(FunnelDay)
    }


def test_opening_and_pressing_are_counted_by_provider(ask, client, house, worker, now):
    ann, ben, _cas, _dre = ask(
        "ann@gmail.com", "ben@gmail.com", "cas@gmail.com", "dre@smith.example"
    )
    client.get(ann)
    client.post(ben, data={"shown": house.shown(client, ben)})

    worker.count(now=now)

    assert rows(house) == {"Gmail": (3, 2, 1), "other": (1, 0, 0)}


def test_counting_again_changes_nothing(ask, client, house, worker, now):
    (link,) = ask("ann@gmail.com")
    client.get(link)
    worker.count(now=now)
    before = house.dump()

    client.get(link)
    worker.count(now=now)

    assert house.dump() == before


def test_a_get_leaves_the_database_as_it_was(ask, client, house):
    """DO-02: what it leaves is a mark in a file, and a HEAD not even that."""
    (link,) = ask("ann@gmail.com")
    before = house.dump()

    client.head(link)
    assert house.app.extensions["opened"].waiting(most=9) == []
    client.get(link)

    (row,) = house.rows(Link, contact_id=house.person("ann@gmail.com").id)
    assert house.app.extensions["opened"].waiting(most=9) == [row.id]
    assert house.dump() == before


def test_a_request_moves_until_it_can_be_pressed_no_more(
    ask, client, house, worker, clock
):
    """The day on which it was made is counted anew when somebody presses late."""
    (link,) = ask("ann@gmail.com")
    worker.count(now=clock.now())
    clock.advance(timedelta(days=6))

    client.post(link, data={"shown": house.shown(client, link)})
    worker.count(now=clock.now())

    (row,) = house.rows(FunnelDay)
    assert (row.day.isoformat(), row.opened, row.confirmed) == ("2026-03-02", 1, 1)


def test_a_file_that_cannot_be_used_costs_nobody_anything(tmp_path, client, ask, house):
    house.app.extensions["opened"] = Opened(tmp_path / "nowhere" / NAME)
    (link,) = ask("ann@gmail.com")

    assert client.get(link).status_code == 200
    assert house.app.extensions["opened"].waiting(most=9) == []


def test_processes_mark_the_same_link_once(tmp_path):
    path = tmp_path / NAME
    threads = [
        threading.Thread(target=lambda n=n: Opened(path).mark(n % 3)) for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    opened = Opened(path)

    assert sorted(opened.waiting(most=9)) == [0, 1, 2]
    opened.forget([0, 2])
    assert opened.waiting(most=9) == [1]


@pytest.mark.parametrize(
    ("mailbox", "name"),
    [
        ("a@gmail.com", "Gmail"),
        ("a@GoogleMail.com", "Gmail"),
        ("a@hotmail.nl", "Outlook"),
        ("a@smith.example", "other"),
        ("a@notgmail.com", "other"),
    ],
)
def test_a_small_host_could_be_a_persons_own_and_is_not_named(mailbox, name):
    assert address.provider(mailbox) == name


def test_the_request_keeps_no_host(ask, house):
    ask("dre@smith.example")

    assert [row.provider for row in house.rows(OptIn)] == ["other"]
