"""Nothing on a visitor's way reads a whole table, however many rows it has by then."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from server.worker import Worker
from tests.boxes import PLACEMENT, fill_boxes, take_box
from tests.visits import few_mugs, sure_win, take_card

PURPOSES = ("newsletter", "personal_offers")
# An INSERT looks for its own keys alone. SQLite's plan of one also names the tables
# that refer to it, which it reads only where a constraint is deferred; ours are not.
READING = ("SELECT", "UPDATE", "DELETE", "WITH")
GROWING = {
    *("box_code", "consent_event", "contact", "contact_attribute", "entry"),
    *("evidence", "link", "mailbox", "optin", "outbox", "purchase", "standing"),
    *("suppression", "turn", "voucher", "voucher_step"),
}


@contextmanager
def overheard(database):
    """Yield the statements that are said meanwhile, each with what it was given."""
    said = {}

    def note(_connection, _cursor, statement, parameters, _context, _many):
        if statement.startswith(READING):
            said[statement] = (
                parameters[0] if isinstance(parameters, list) else parameters
            )

    with database.reading() as session:
        engines = [database.engine, session.get_bind()]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield said
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def whole_reads(database, said):
    """Return which growing tables are read whole, each with the statement.

    PostgreSQL would read these small tables whole in any case, so it is told that this
    is dear: it still does where there is no other way.
    """
    found = []
    with database.engine.connect() as connection:
        if not database.is_sqlite:
            connection.execute(text("SET enable_seqscan = off"))
        word = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
        for statement, parameters in said.items():
            plan = connection.exec_driver_sql(f"{word} {statement}", parameters)
            for line in (str(row[-1]).strip() for row in plan):
                found += [
                    (table, statement)
                    for table in GROWING
                    if line.startswith(f"SCAN {table}")
                    or f"Seq Scan on {table} " in f"{line} "
                ]
    return found


@pytest.fixture
def walk(publish, client, house, database, vault, clock, now):
    """Let people play in every way there is."""
    place = {"code": PLACEMENT, "channel": "box", "shape": "page"}
    publish(few_mugs(5, entries_per_address=3))
    publish(few_mugs(2, "lucky-scratch", placements=[place]))
    publish(sure_win(code="sure", placements=[{"code": "sure", "shape": "inline"}]))
    (label,) = fill_boxes(database, vault, now=now, size=1).labels

    def walk():
        card = take_card(client)
        for _ in range(2):
            assert card.enter(client, consents=PURPOSES).status_code == 200
        assert take_card(client).enter(client).status_code == 200
        assert take_card(client, "sure").enter(client).status_code == 200
        box = take_box(client, label)
        assert box.play(client).status_code == 200
        assert take_box(client, label)
        assert box.claim(client, "bob@example.com").status_code == 200

    return walk


def test_a_visitors_way(walk, client, house, database):
    with overheard(database) as played:
        walk()
    # Until the letter of the third prize goes.
    house.clock.advance(timedelta(minutes=20))
    confirm, prize, stop = map(house.link, ("confirm", "prize", "unsubscribe"))
    with overheard(database) as pressed:
        assert house.press(client, confirm).status_code == 303
        assert client.get(prize).status_code == 200
        assert client.post(stop).status_code == 303

    assert whole_reads(database, played | pressed) == []


def test_the_workers_rounds(walk, app, database, clock, smtp):
    walk()
    worker = Worker(app)

    with overheard(database) as said:
        worker.deliver()
        for chore in (worker.keep_house, worker.invite, worker.count, worker.watch):
            chore(now=clock.now())
    worker.close()

    assert whole_reads(database, said) == []
