"""Sent again and again, or cut off before the answer: one play each (G6, F8, F9).

In small, without a network, it is in `tests/views/test_widget_entry.py`.
"""

import secrets
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.mail import MailServer
from tests.servers import LOOPBACK
from tests.stress.conftest import PLACEMENT
from tests.stress.service import Player, Service, size
from tests.stress.test_awards import assert_no_error

CLICKS = 6


@pytest.mark.stress
def test_who_clicks_six_times_or_loses_the_line_plays_once(
    serve: Callable[..., Service],
    ask: Callable[[str], list[Any]],
    smtp: MailServer,
    say: Callable[[str], None],
) -> None:
    """I1, I4: as many entries as visitors, and each is told one outcome."""
    times = size("DOUBLES", 100)
    service = serve(stock=4 * times, weight=1, smtp_url=smtp.url)

    for number in range(times):
        form = ticket_of(service, f"klik.{number}@huispost.nl")
        assert len(set(click_at_once(service, form))) == 1
    for number in range(times):
        form = ticket_of(service, f"lijn.{number}@huispost.nl")
        cut_off(service, form)
        again = [outcome_of(service, form) for _ in range(2)]
        assert again[0] == again[1]

    say(f"{times} x {CLICKS} clicks and {times} cut answers: one entry each")
    visitors = 2 * times
    assert ask("SELECT count(*), count(DISTINCT ticket) FROM entry") == [
        (visitors, visitors)
    ]
    assert ask("SELECT count(*) FROM voucher WHERE state <> 'free'") == ask(
        "SELECT count(*) FROM entry WHERE awarded = 'mug'"
    )
    assert_no_error(service)


def ticket_of(service: Service, email: str) -> dict[str, str]:
    """Open the game and return the form that this visitor sends."""
    player = Player(service.port, PLACEMENT)
    try:
        return player.form(email)
    finally:
        player.close()


def outcome_of(service: Service, form: dict[str, str]) -> tuple[str, str | None]:
    """Send a form until there is an answer."""
    player = Player(service.port, PLACEMENT)
    try:
        return player.send(form)
    finally:
        player.close()


def click_at_once(
    service: Service, form: dict[str, str]
) -> list[tuple[str, str | None]]:
    """Press the button so often that the requests overlap."""
    outcomes: list[tuple[str, str | None]] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(outcome_of(service, form)))
        for _ in range(CLICKS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == CLICKS
    return outcomes


def cut_off(service: Service, form: dict[str, str]) -> None:
    """Send a form whole, and hang up before its answer is read."""
    body = urlencode(form)
    with socket.create_connection((LOOPBACK, service.port)) as line:
        line.sendall(
            f"POST /w/{PLACEMENT}/entries HTTP/1.1\r\nHost: {LOOPBACK}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        # Now and then the play is already made by then, now and then it is not.
        if secrets.randbelow(2):
            line.recv(1)
