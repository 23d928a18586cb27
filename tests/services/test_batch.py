"""Rows that are written together are the rows that would be written one by one."""

from collections import Counter
from contextlib import contextmanager

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import IntegrityError

from server.models import Evidence, Link, MonthKey, OptIn, Outbox, Shop, Text
from server.models.base import table
from server.services.batch import Batch, next_ids


@contextmanager
def counting(engine):
    """Yield a counter of what is sent to the database."""
    sent = Counter()

    def note(_connection, _cursor, statement, *_more):
        sent[statement.split()[0]] += 1

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def shop(now, code: str, said: str):
    return {
        "code": code,
        "name": said,
        "definition": {"said": said, "none": None, "list": [1, 2.5, True]},
        "version": 1,
        "created_at": now,
    }


def copy(now, sha256: bytes, body: str):
    return {
        "sha256": sha256,
        "kind": "form",
        "locale": "nl",
        "body": body,
        "created_at": now,
    }


SAID = [
    "plain",
    "d\u2019r is \u20ac 5",
    "\\x00",
    '"quoted"',
    "\U0001f381",
    "a\n\tb",
    "",
]


def test_every_kind_of_value_arrives_as_it_would_alone(database, now):
    alone = [shop(now, f"alone-{at}", said) for at, said in enumerate(SAID)]
    along = [shop(now, f"along-{at}", said) for at, said in enumerate(SAID)]
    copies = [copy(now, bytes([at]) * 32, said) for at, said in enumerate(SAID)]
    with database.transaction() as session:
        connection = session.connection()
        connection.execute(table(Shop).insert(), alone)
        batch = Batch(connection)
        batch.execute(table(Shop).insert(), along)
        batch.execute(table(Text).insert(), copies)
        batch.execute(
            table(MonthKey).insert(), {"month": "2026-03", "sealed": b"\0\xff"}
        )
        batch.send()

    with database.reading() as session:
        rows = session.scalars(select(Shop).order_by(Shop.id)).all()
        half = len(SAID)
        told = [(row.name, row.definition, row.version, row.created_at) for row in rows]
        assert told[:half] == told[half:]
        assert [row.code for row in rows[half:]] == [each["code"] for each in along]
        kept = session.scalars(select(Text).order_by(Text.sha256)).all()
        assert [(each.sha256, each.body) for each in kept] == [
            (each["sha256"], each["body"]) for each in copies
        ]
        assert session.scalars(select(MonthKey.sealed)).all() == [b"\0\xff"]


def test_nothing_is_written_before_it_is_sent_and_nothing_twice(database, now):
    with database.transaction() as session:
        batch = Batch(session.connection())
        batch.execute(table(Text).insert(), copy(now, b"1" * 32, "one"))
        batch.execute(table(Text).insert(), [])
        assert session.scalars(select(Text)).all() == []

        batch.send()
        batch.send()

        assert len(session.scalars(select(Text)).all()) == 1


def test_a_batch_is_one_round_trip_on_postgresql(database, database_kind, now):
    with database.transaction() as session, counting(database.engine) as sent:
        batch = Batch(session.connection())
        batch.execute(table(Text).insert(), copy(now, b"1" * 32, "one"))
        batch.execute(table(Shop).insert(), [shop(now, f"s{n}", "x") for n in range(3)])
        batch.send()

    if database_kind == "postgresql":
        assert sent == {"WITH": 1}
    else:
        assert sent == {"BEGIN": 1, "INSERT": 2}


def test_what_fails_leaves_nothing(database, now):
    with pytest.raises(IntegrityError), database.transaction() as session:
        batch = Batch(session.connection())
        batch.execute(table(Shop).insert(), shop(now, "one", "x"))
        nobody = {"contact_id": 10**9, "name": b"2" * 8, "sealed": b""}
        batch.execute(table(Evidence).insert(), nobody)
        batch.send()

    with database.reading() as session:
        assert session.scalars(select(Shop)).all() == []


def test_a_key_taken_beforehand_is_nobody_elses(database, now):
    def mailed(number: int):
        return {
            "shop_id": owner,
            "contact_id": None,
            "optin_id": None,
            "letter": "notice",
            "message_id": f"<{number}@test>",
            "sealed": b"",
            "state": "waiting",
            "due_at": now,
            "attempts": 0,
            "created_at": now,
        }

    with database.transaction() as session:
        connection = session.connection()
        put = table(Outbox).insert().returning(Outbox.id)
        owner = connection.scalar(
            table(Shop).insert().returning(Shop.id), shop(now, "a", "")
        )
        before = connection.scalar(put, mailed(1))
        ahead = next_ids(connection.dialect.name, Outbox)
        taken = connection.execute(select(*ahead)).one().outbox_id
        connection.execute(table(Outbox).insert(), {"id": taken, **mailed(2)})
        after = connection.scalar(put, mailed(3))

    assert before < taken < after


def test_keys_are_named_after_their_tables(database):
    with database.transaction() as session:
        connection = session.connection()
        row = connection.execute(
            select(*next_ids(connection.dialect.name, Link, OptIn))
        )
        assert list(row.one()._mapping) == ["link_id", "optin_id"]
