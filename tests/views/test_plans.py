"""Nothing on a visitor's way reads a whole table, however many rows it has by then."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, select, text, update

from server.models import Outbox
from server.services import leftovers, outbox
from server.services.office import outbox as office_outbox
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
    return [
        (table, statement)
        for statement, line in plans(database, said)
        for table in GROWING
        if line.startswith(f"SCAN {table}") or f"Seq Scan on {table} " in f"{line} "
    ]


def plans(database, said, *, dear=("seqscan",)):
    """Yield each line of each plan, with its statement.

    PostgreSQL is told that some ways are dear, which it would take for few rows.
    """
    with database.engine.connect() as connection:
        if not database.is_sqlite:
            for way in dear:
                connection.execute(text(f"SET enable_{way} = off"))
        word = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
        for statement, parameters in said.items():
            plan = connection.exec_driver_sql(f"{word} {statement}", parameters)
            yield from ((statement, str(row[-1]).strip()) for row in plan)


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


@pytest.mark.parametrize("look", ["dead", "listed", "named", "leftover"])
def test_who_looks_for_the_dead_reads_nothing_that_was_delivered(
    walk, house, database, vault, clock, look
):
    """The outbox keeps every mail that ever went; the few dead have their own index."""
    walk()
    with database.transaction() as session:
        mail = session.scalars(select(Outbox)).first()
        mail.state, name = "dead", mail.message_id.strip("<>")
    shop_id = house.person().shop_id
    [letters] = [kind for kind in leftovers.KINDS if kind.name == "dead_letters"]
    looks = {
        "dead": outbox.dead,
        "listed": lambda session: office_outbox.page(
            session, shop_id, state="dead", after=None, vault=vault
        ),
        "named": lambda session: office_outbox.find_id(session, shop_id, name),
        "leftover": lambda session: leftovers.number(session, letters, now=clock.now()),
    }

    with overheard(database) as said, database.reading() as session:
        assert looks[look](session) is not None

    read = [line for _, line in plans(database, said) if "outbox" in line]
    assert any("ix_outbox_shop_id_id_dead" in line for line in read), read
    assert not any("Seq Scan" in line for line in read)


def test_a_name_is_looked_for_among_the_newest_mails_first(walk, house, database):
    """Who turns pages asks for a delivered mail, and there may be two million."""
    walk()
    with database.transaction() as session:
        session.execute(update(Outbox).values(state="delivered"))
        name = session.scalars(select(Outbox.message_id)).first().strip("<>")
    shop_id = house.person().shop_id

    with overheard(database) as said, database.reading() as session:
        found = office_outbox.find_id(session, shop_id, name)

    assert found is not None
    assert whole_reads(database, said) == []
    assert any("LIMIT" in statement for statement in said)


def test_who_sends_mails_reads_those_that_are_due_in_their_order(
    walk, app, house, database
):
    """However many were delivered, and however many wait for a later day."""
    walk()
    tools = app.extensions["tools"]

    with overheard(database) as said, database.transaction() as session:
        assert outbox.claim_due(session, tools=tools, now=house.clock.now())

    [look] = [each for each in said if each.startswith("SELECT outbox.id \n")]
    dear = ("seqscan", "bitmapscan", "sort")
    read = [line for _, line in plans(database, {look: said[look]}, dear=dear)]
    assert any("ix_outbox_due_at" in line for line in read), read
    assert not any("TEMP B-TREE" in line or "Sort " in line for line in read), read
