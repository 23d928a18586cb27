"""What many facts have in common is kept once, by whoever comes first."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from server.db import Database
from server.domain.consent import Question
from server.models import ConsentEvent, ConsentQuestion
from server.services.questions import MisnamedError, Questions
from tests.factories import campaign_file, make
from tests.visits import take_card
from tests.waiting import LIMIT_S, until_blocked

ASKED = Question("newsletter", "email", b"t" * 32, b"n" * 32, b"f" * 32, "nl", {"v": 1})
OTHERWISE = (
    replace(ASKED, purpose="offers"),
    replace(ASKED, channel="post"),
    replace(ASKED, text_hash=b"u" * 32),
    replace(ASKED, notice_hash=b"u" * 32),
    replace(ASKED, form_hash=b"u" * 32),
    replace(ASKED, locale="en"),
    replace(ASKED, context={"v": 2}),
)


def stored(database: Database) -> list[ConsentQuestion]:
    with database.reading() as session:
        return list(session.scalars(select(ConsentQuestion)))


def test_whoever_is_asked_alike_leaves_one_question(publish, client, house):
    """Two purposes of one form, whoever agrees."""
    publish(campaign_file("welcome-scratch"))
    for name in ("ann", "bob"):
        take_card(client).enter(
            client, f"{name}@example.com", consents=["newsletter", "personal_offers"]
        )

    facts = house.rows(ConsentEvent, act="requested")
    assert len(facts) == 4
    assert len({fact.question_id for fact in facts}) == 2
    assert len(house.rows(ConsentQuestion)) == 2


def test_what_is_asked_otherwise_in_anything_is_another_question(database: Database):
    with database.transaction() as session:
        keys = Questions().keys(session, [ASKED, *OTHERWISE, ASKED])

    assert keys[0] == keys[-1]
    assert len(set(keys)) == len(OTHERWISE) + 1


def test_a_question_is_kept_as_it_was_asked(database: Database):
    with database.transaction() as session:
        Questions().keys(session, [ASKED])

    (row,) = stored(database)
    names = ("purpose", "channel", "text_hash", "notice_hash", "form_hash", "locale")
    assert [getattr(row, name) for name in (*names, "context")] == [
        *(getattr(ASKED, name) for name in names),
        ASKED.context,
    ]
    assert (row.sha256, row.id) == (ASKED.sha256, ASKED.key)


@pytest.mark.parametrize("is_savepoint", [False, True])
def test_what_was_taken_back_is_stored_again(database: Database, is_savepoint: bool):
    """AB-03: the work for a mail that does not go is done, and taken back."""
    questions = Questions()
    with database.transaction() as session:
        inner = session.connection().begin_nested() if is_savepoint else None
        questions.keys(session, [ASKED])
        # Found again by the session that has made it, it may still be taken back.
        questions.keys(session, [ASKED])
        (inner or session).rollback()
    assert stored(database) == []

    with database.transaction() as session:
        (key,) = questions.keys(session, [ASKED])

    assert [row.id for row in stored(database)] == [key]


def test_no_question_takes_the_key_of_another(database: Database, now: datetime):
    """PR-05: facts would say something else than what was asked."""
    with database.transaction() as session:
        make(session, ConsentQuestion, now=now, id=ASKED.key, sha256=b"x" * 32)

    with (
        pytest.raises((IntegrityError, MisnamedError)),
        database.transaction() as session,
    ):
        Questions().keys(session, [ASKED])

    assert len(stored(database)) == 1


def test_what_is_known_is_not_looked_up_again(database: Database):
    questions = Questions()
    for _ in range(2):
        with database.transaction() as session:
            (key,) = questions.keys(session, [ASKED])

    with database.reading() as session:
        session.close()

        assert questions.keys(session, [ASKED]) == [key]

        assert not session.in_transaction()


def test_who_is_a_moment_later_waits_and_finds_it(database: Database):
    """Two processes that ask a new question in the same moment (both databases)."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        with database.transaction() as session:
            first = Questions().keys(session, [ASKED, *OTHERWISE])
            later = pool.submit(ask, database, [*OTHERWISE, ASKED])
            until_blocked(database, later.done)
        second = later.result()

    assert sorted(first) == sorted(second)
    assert len(stored(database)) == len(OTHERWISE) + 1


def ask(database: Database, asked: list[Question]) -> list[int]:
    with database.transaction() as session:
        return Questions().keys(session, asked)


def test_those_who_come_at_once_share_one(database: Database):
    """Neither fails, also where both find nothing in their way before they write."""
    rounds, people = 30, 4
    barrier = threading.Barrier(people)

    def come(_: int) -> list[list[int]]:
        keys = []
        for number in range(rounds):
            asked = replace(ASKED, context={"round": number})
            barrier.wait(timeout=LIMIT_S)
            keys.append(ask(database, [asked]))
        return keys

    with ThreadPoolExecutor(max_workers=people) as pool:
        keys = list(pool.map(come, range(people)))

    assert all(each == keys[0] for each in keys)
    assert len(stored(database)) == rounds


def test_nothing_is_about_a_question_under_the_name_of_another(
    database: Database, now: datetime
):
    """PR-05: whoever may add rows could put one there before it is asked."""
    with database.transaction() as session:
        make(
            session,
            ConsentQuestion,
            now=now,
            id=ASKED.key,
            sha256=ASKED.sha256,
            purpose="offers",
        )

    with pytest.raises(MisnamedError), database.transaction() as session:
        Questions().keys(session, [ASKED])
