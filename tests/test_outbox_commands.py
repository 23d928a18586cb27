"""`outbox list` and `outbox retry`."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from server.models import Outbox
from tests.letters import publish, queue


@pytest.fixture
def tools(app):
    return app.extensions["tools"]


@pytest.fixture
def dead(database, tools, now):
    with database.transaction() as session:
        publish(session, tools=tools, now=now)
        queue(session, "prize", tools=tools, now=now)
        row = session.query(Outbox).one()
        row.state = "dead"
        return row.id


def test_mails_are_listed_without_what_they_say(run, dead):
    answer = run("outbox", "list", "--state", "dead")

    assert str(dead) in answer.stdout
    assert "prize" in answer.stdout
    assert "ada" not in answer.stdout


def test_a_mail_that_is_held_back_says_when_it_is_due(run, dead, database):
    with database.transaction() as session:
        mail = session.get_one(Outbox, dead)
        mail.created_at = mail.due_at = datetime(2099, 1, 2, 3, tzinfo=UTC)

    assert "due 2099-01-02 03:00:00" in run("outbox", "list").stdout


def test_dead_letters_are_tried_again(run, dead, database):
    assert run("outbox", "retry", dead).stdout == "1 to be tried again\n"
    assert run("outbox", "retry", dead).exit_code == 2
    assert run("outbox", "retry", "--all-dead").stdout == "0 to be tried again\n"
    with database.reading() as session:
        assert session.scalars(select(Outbox.state)).all() == ["waiting"]


def test_it_asks_which(run, dead):
    assert run("outbox", "retry").exit_code == 2


def test_an_id_that_no_row_can_have_is_refused(run, dead):
    answer = run("outbox", "retry", "9" * 23)

    assert answer.exit_code == 2
    assert "Traceback" not in answer.stderr
