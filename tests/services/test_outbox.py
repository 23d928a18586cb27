"""The outbox: committed first, sent after, and its links are in no other place."""

import re
import sqlite3
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, text

from server.models import Attempt, Outbox
from server.services import outbox
from tests.mail import Mode
from tests.visits import EMAIL, sure_win, take_card

LINK = re.compile(r"http://service\.test(/(?:confirm|unsubscribe)/\S+)")


@pytest.fixture
def signed_up(publish, client):
    publish(sure_win())
    return take_card(client).enter(client, consents=["newsletter"])


def links_in(deliveries) -> list[str]:
    return [path for mail in deliveries for path in LINK.findall(mail.text())]


def test_a_crash_after_the_commit_loses_nothing(signed_up, house, app, worker, smtp):
    """DO-14, I5: a worker that dies after claiming is followed by another."""
    with house.database.transaction() as session:
        outbox.claim_due(session, tools=app.extensions["tools"], now=house.clock.now())
    assert worker.deliver() == 0, "the dead one's lease still stands"

    house.clock.advance(outbox.LEASE + timedelta(seconds=1))
    worker.deliver()

    assert len(smtp.to(EMAIL)) == 2
    assert {row.state for row in house.rows(Outbox)} == {"delivered"}


def test_what_was_sent_is_not_sent_again(signed_up, house, worker, smtp):
    """DO-14: however often and however much later."""
    for _ in range(5):
        worker.deliver()
        house.clock.advance(timedelta(days=1))

    assert len(smtp.to(EMAIL)) == 2
    ids = [mail.message["Message-ID"] for mail in smtp.taken]
    assert len(set(ids)) == 2


def test_an_hour_without_a_mail_server_costs_nobody_anything(
    signed_up, client, house, worker, smtp
):
    """DO-14, F10: the visitor sees nothing of it, and every mail comes in the end."""
    smtp.stop()
    worker.deliver()
    during = take_card(client).enter(client, "bram@example.com")
    smtp.start()
    house.clock.advance(timedelta(hours=1))
    while worker.deliver():
        pass

    assert signed_up.status_code == during.status_code == 200
    assert len(smtp.to(EMAIL)) == 2 and len(smtp.to("bram@example.com")) == 1


def test_what_the_other_side_said_is_kept(signed_up, house, worker, smtp):
    """DO-14: the provider's answer, without the address it repeats."""
    smtp.by_recipient[EMAIL] = Mode.LATER
    worker.deliver()

    answers = [row.answer for row in house.rows(Attempt)]
    assert len(answers) == 2 and all(a.startswith("451") for a in answers)
    assert not any(EMAIL in answer for answer in answers)


def test_every_mail_can_be_stopped(signed_up, worker, smtp, client, house):
    """WD-01, WD-02, RFC 8058: header and link, in each letter we send."""
    worker.deliver()

    assert len(smtp.taken) == 2
    for mail in smtp.taken:
        assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        header = mail.message["List-Unsubscribe"].strip("<>")
        assert header.startswith("http://service.test/unsubscribe/")
        path = urlsplit(header).path
        assert client.get(path).status_code == 200
        answer = client.post(path, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200


def test_a_link_is_in_the_mail_and_in_no_other_place(
    signed_up, client, house, worker, smtp, capfd, tmp_path, database_kind, request
):
    """DO-15: no page, log or column holds a token or its secret, in the clear."""
    (letter,) = house.letters("confirm")
    secret = letter.params["link"][1]
    while worker.deliver():
        pass
    links = links_in(smtp.to(EMAIL))
    tokens = {link.rpartition("/")[2] for link in links}
    assert any("/confirm/" in link for link in links)
    visited = [client.get(link).text for link in links]
    pressed = house.press(client, next(k for k in links if "/confirm/" in k))
    visited.append(client.get(pressed.location).text)

    stored = raw_database(house, request, tmp_path)
    logged = "".join(capfd.readouterr())
    for hidden in (secret.encode(), bytes.fromhex(secret)):
        assert hidden not in stored
        assert hidden.hex().encode() not in stored
    for token in tokens:
        assert token.encode() not in stored
        assert token not in logged
        # Its own page has it in the address the form is sent to, nothing else has.
        others = [page for page in visited if f"/{token}" not in page]
        assert all(token not in page for page in others)
        assert token not in signed_up.text
    assert secret not in logged and EMAIL not in logged


def raw_database(house, request, folder) -> bytes:
    """Return everything that the database keeps, as a thief would read it."""
    if house.database.is_sqlite:
        path = house.database.engine.url.database
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        with open(path, "rb") as file:
            return file.read()
    with house.database.reading() as session:
        tables = session.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ).all()
        rows = [
            str(row)
            for table in tables
            for row in session.execute(text(f"SELECT t::text FROM {table} t"))  # noqa: S608
        ]
    return "\n".join(rows).encode()


def test_a_waiting_mail_is_sealed(signed_up, house):
    """DO-15, T24: address, name and code of a mail that waits are not readable."""
    with house.database.reading() as session:
        for row in session.scalars(select(Outbox)):
            assert EMAIL.encode() not in row.sealed
            assert b"MUG10" not in row.sealed


def test_a_sent_mail_says_nothing_any_more(signed_up, house, worker):
    """DO-15."""
    worker.deliver()

    assert [row.sealed for row in house.rows(Outbox)] == [None, None]
