"""Guessing codes is slow, seen, and costs who plays a code nothing (T14, G14)."""

import statistics
import time

import pytest
from structlog.testing import capture_logs

from server.domain.boxcodes import Given
from server.services import boxcodes
from server.views.limiter import Limiter
from tests.boxes import fill_boxes, scan, take_box
from tests.factories import campaign_file

ALARM = "box codes are being guessed"


@pytest.fixture
def label(publish, database, vault, now):
    publish(campaign_file("box-scratch"))
    return fill_boxes(database, vault, now=now).labels[0]


def wrong(number: int) -> str:
    return f"{number:022d}"


def test_ten_wrong_codes_a_minute_and_no_more(client, label):
    """G14: then a typed right one waits as well, or guessing would go on by answers."""
    statuses = [client.get(f"/b/{wrong(n)}").status_code for n in range(12)]

    assert statuses == [404] * 10 + [429] * 2
    typed = client.post("/b/", data={"code": label.typed})
    assert typed.status_code == 429
    assert typed.headers["Retry-After"] == "60"
    assert label.typed in typed.get_data(as_text=True)
    assert client.get(f"/b/{label.typed}").status_code == 429


def test_who_scans_a_right_code_is_not_kept_by_who_guesses(client, label):
    """Nobody guesses 128 bits, and a whole street may share an address."""
    for n in range(12):
        client.post("/b/", data={"code": f"guess {n}"})

    assert scan(client, label).status_code == 200


def test_typing_counts_as_guessing_too(client, label):
    statuses = [
        client.post("/b/", data={"code": f"guess {n}"}).status_code for n in range(12)
    ]

    assert statuses == [422] * 10 + [429] * 2


def test_a_forged_address_does_not_help(client, label):
    """T14: only hops that we trust say who somebody is."""
    statuses = [
        client.get(
            f"/b/{wrong(n)}", headers={"X-Forwarded-For": f"203.0.113.{n}"}
        ).status_code
        for n in range(12)
    ]

    assert statuses[-1] == 429


def test_another_network_goes_on(client, label):
    for number in range(12):
        client.get(f"/b/{wrong(number)}")

    other = client.get(
        f"/b/{label.qr}", environ_overrides={"REMOTE_ADDR": "198.51.100.7"}
    )

    assert other.status_code == 200


def test_a_street_behind_one_address_scans_as_often_as_it_likes(client, label):
    assert {scan(client, label).status_code for _ in range(50)} == {200}


def test_the_alarm_sounds_at_a_thousand_wrong_codes_in_an_hour(app):
    limiter: Limiter = app.extensions["limiter"]

    with capture_logs() as logs:
        for number in range(999):
            limiter.wrong_code(network=f"10.{number // 250}.{number % 250}.0/24")
        quiet = [line for line in logs if line["event"] == ALARM]
        for number in range(50):
            limiter.wrong_code(network=f"10.9.{number}.0/24")

    assert quiet == []
    alarms = [line for line in logs if line["event"] == ALARM]
    assert [line["log_level"] for line in alarms] == ["error"]
    assert alarms[0]["count"] == 1_000
    assert limiter.is_guessing()


def test_under_the_alarm_a_right_code_costs_a_sum(app, client, label):
    limiter: Limiter = app.extensions["limiter"]
    card = take_box(client, label)
    for number in range(1_000):
        limiter.wrong_code(network=f"10.{number // 250}.{number % 250}.0/24")

    answer = card.play(client)

    assert answer.status_code == 422
    assert "data-challenge" in answer.get_data(as_text=True)


def test_the_log_holds_no_code(client, label):
    """T22, T23."""
    with capture_logs() as logs:
        for number in range(12):
            client.get(f"/b/{wrong(number)}")
        scan(client, label)
        client.post("/b/", data={"code": label.typed})

    told = str(logs)
    assert logs
    assert label.qr not in told
    assert label.typed not in told
    assert wrong(1) not in told


def test_a_code_that_is_there_takes_no_longer_to_find(database, vault, label):
    """T14: one search for a keyed hash, found or not; the medians agree."""

    def took(qr: str) -> float:
        began = time.perf_counter()
        with database.reading() as session:
            boxcodes.find(session, Given("qr", qr), vault=vault)
        return time.perf_counter() - began

    took(label.qr)
    there, gone = [], []
    for number in range(200):
        there.append(took(label.qr))
        gone.append(took(wrong(number)))

    ratio = statistics.median(there) / statistics.median(gone)
    assert 0.5 < ratio < 2, ratio
