"""The migrated schema equals the models, and facts stay as they are, on both."""

from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import BigInteger, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from server import models
from server.db import Database, LostRowsError
from server.migrations import HandedOverError, config, is_current, migrate, steps_on
from server.models import (
    Attempt,
    AudienceMember,
    Checkpoint,
    ConsentEvent,
    Contact,
    Entry,
    Evidence,
    Link,
    Mailbox,
    Membership,
    OptIn,
    Outbox,
    Placement,
    Standing,
    Suppression,
    Text,
    Voucher,
)
from server.models.base import Base, Instant
from tests.conftest import load_database_url
from tests.factories import make

# Each with a column that somebody may want to change.
APPEND_ONLY = {"consent_event": "act", "consent_question": "locale", "text": "locale"}

# What a fact says and its row does not.
BESIDE = (
    "SELECT q.*, c.subject_ref FROM consent_event e "
    "JOIN consent_question q ON q.id = e.question_id "
    "JOIN contact c ON c.id = e.contact_id"
)


@pytest.fixture
def bare(bare_database_url: str):
    """A database without any table."""
    opened = Database(load_database_url(bare_database_url))
    yield opened
    opened.dispose()


def same_type(
    _context: Any, _found: Any, _wanted: Any, found: Any, model: Any
) -> bool | None:
    """Say that a moment is a whole number; None leaves a type to Alembic."""
    if isinstance(model, Instant):
        return not isinstance(found, BigInteger)
    return None


def test_the_migrated_schema_equals_the_models(database: Database):
    with database.transaction() as session:
        context = MigrationContext.configure(
            session.connection(), opts={"compare_type": same_type}
        )
        differences = compare_metadata(context, Base.metadata)

    assert differences == [], "write a migration, or mend the model"


def test_the_constraints_equal_the_models(database: Database):
    """Alembic compares no checks and no names of keys, so they are compared here."""
    with database.reading() as session:
        found = {
            table: named(inspect(session.connection()), table)
            for table in Base.metadata.tables
        }

    assert found == {
        name: {str(c.name) for c in table.constraints}
        for name, table in Base.metadata.tables.items()
    }


def named(looking: Any, table: str) -> set[str]:
    """Return the names of all constraints of a table as the database tells them."""
    return {
        constraint["name"]
        for constraint in (
            looking.get_pk_constraint(table),
            *looking.get_unique_constraints(table),
            *looking.get_check_constraints(table),
            *looking.get_foreign_keys(table),
        )
    }


def test_every_model_is_imported_with_the_package():
    """A table that `server.models` forgets would escape the comparison."""
    names = {
        path.stem
        for path in Path(models.__file__).parent.glob("*.py")
        if path.stem not in {"__init__", "base"}
    }
    loaded = {
        mapper.class_.__module__.rpartition(".")[2] for mapper in Base.registry.mappers
    }

    assert loaded == names


def test_migrating_makes_an_empty_database_current_and_again_changes_nothing(bare):
    assert not is_current(bare)

    migrate(bare)
    migrate(bare)

    assert is_current(bare)


def test_the_steps_are_numbered_in_one_line():
    steps = list(ScriptDirectory.from_config(config()).walk_revisions())

    assert [step.revision for step in reversed(steps)] == [
        f"{number:04d}" for number in range(1, len(steps) + 1)
    ]


def test_every_step_can_be_taken_back(bare):
    """What an update changed, a downgrade restores, down to nothing at all."""
    migrate(bare)

    downgrade(bare, "base")

    with bare.reading() as session:
        left = inspect(session.connection()).get_table_names()
    assert left == ["alembic_version"]
    migrate(bare)
    assert is_current(bare)


def test_what_was_redeemed_is_awarded_after_a_step_back(bare: Database, now: datetime):
    migrate(bare)
    with bare.transaction() as session:
        entry = make(session, Entry, now=now)
        make(
            session,
            Voucher,
            entry_id=entry.id,
            state="redeemed",
            redeemed_at=now,
            now=now,
        )
        make(session, Membership, role="staff", now=now)

    downgrade(bare, "0002")

    with bare.reading() as session:
        assert session.scalar(text("SELECT state FROM voucher")) == "awarded"
        assert session.scalar(text("SELECT role FROM membership")) == "viewer"
    migrate(bare)
    assert is_current(bare)


def test_rows_outlive_a_table_that_is_copied(bare: Database, now: datetime):
    """Step 0008 and back: what refers to a fact, a link or a mail still does."""
    migrate(bare)
    with bare.transaction() as session:
        optin = make(session, OptIn, now=now)
        contact = session.get_one(Contact, optin.contact_id)
        fact = make(session, ConsentEvent, now=now, optin_id=optin.id)
        for reason in ("not_me", "refused", "never"):
            make(
                session,
                Suppression,
                now=now,
                shop_id=contact.shop_id,
                email_hash=b"h" * 32,
                reason=reason,
            )
        make(session, Standing, now=now, event_id=fact.id)
        mail = make(session, Outbox, now=now, contact_id=contact.id)
        make(session, Attempt, now=now, outbox_id=mail.id)
        make(session, Link, now=now, entry_id=optin.entry_id)

    downgrade(bare, "0007")
    # The names are those of our own tables.
    with bare.reading() as session:
        kept = {
            name: session.execute(text(f"SELECT * FROM {name}")).one()  # noqa: S608
            for name in ("consent_event", "suppression", "attempt", "outbox", "link")
        }
    migrate(bare)

    with bare.reading() as session:
        for name, row in kept.items():
            now_there = session.execute(text(f"SELECT * FROM {name}")).mappings().one()  # noqa: S608
            if name == "consent_event":
                # Since step 0015 other tables say a part of it.
                shared = session.execute(text(BESIDE))
                now_there = {**shared.mappings().one(), **now_there}
            assert row._mapping.items() <= now_there.items()
    assert kept["suppression"].reason == "not_me"
    with (
        pytest.raises(DBAPIError, match="append-only"),
        bare.transaction() as session,
    ):
        session.execute(text("UPDATE consent_event SET act = 'x'"))


def test_mailboxes_are_counted_on_after_a_step(bare: Database, now: datetime):
    """Step 0011 and back: a table that is copied gives nobody a mail more (AB-01)."""
    migrate(bare)
    with bare.transaction() as session:
        session.add(Mailbox(key=b"k" * 16, sendings="c1790000000", touched_at=now))

    downgrade(bare, "0010")
    migrate(bare)

    with bare.transaction() as session:
        (kept,) = session.scalars(select(Mailbox)).all()
        assert (kept.key, kept.sendings) == (b"k" * 16, "c1790000000")
        assert kept.touched_at == now


def test_a_version_of_before_can_read_what_was_mailed(bare: Database, now: datetime):
    """Step 0017 back: it knows no shops there, and gives nobody a mail more (AB-01)."""
    migrate(bare)
    with bare.transaction() as session:
        told = "c1790000000/1 p1790000000/23 m1790000000"
        session.add(Mailbox(key=b"k" * 16, sendings=told, touched_at=now))

    downgrade(bare, "0016")

    with bare.reading() as session:
        kept = session.scalar(text("SELECT sendings FROM mailbox"))
    assert kept == "c1790000000 p1790000000 m1790000000"
    migrate(bare)


def test_prints_of_before_a_step_are_known_after_it(bare: Database, now: datetime):
    """Step 0017: who sends an entry again is told what it won, not that it differs."""
    migrate(bare)
    downgrade(bare, "0016")
    long = bytes(range(32))
    with bare.transaction() as session:
        make(session, Entry, now=now, play_print=long, claim_print=long)
        make(session, Entry, now=now, play_print=long, claim_print=None)
        make(session, Entry, now=now, play_print=b"", claim_print=b"")

    migrate(bare)

    short = long[:8]
    with bare.reading() as session:
        prints = select(Entry.play_print, Entry.claim_print).order_by(Entry.id)
        kept = [tuple(row) for row in session.execute(prints)]
    assert kept == [(short, short), (short, None), (b"", b"")]


def test_mails_outlive_an_index_that_goes(bare: Database, now: datetime):
    """Step 0017 and back: what waits is still sent, and what was told of it stays."""
    migrate(bare)
    with bare.transaction() as session:
        mail = make(session, Outbox, now=now)
        make(session, Attempt, now=now, outbox_id=mail.id)
    before = {name: _rows(bare, name) for name in ("outbox", "attempt")}

    downgrade(bare, "0016")
    migrate(bare)

    assert before["attempt"]
    assert {name: _rows(bare, name) for name in before} == before


def test_hashes_of_before_a_step_are_of_addresses(bare: Database, now: datetime):
    """Step 0012 and back: who was named stays known until they are removed (AD-04)."""
    migrate(bare)
    with bare.transaction() as session:
        make(session, AudienceMember, now=now)

    downgrade(bare, "0011")
    migrate(bare)

    with bare.reading() as session:
        (kept,) = session.scalars(select(AudienceMember)).all()
    assert kept.kind == "email"


def test_no_step_back_forgets_whose_number_was_handed_over(
    bare: Database, now: datetime
):
    """AD-04: an earlier version could not name it for removal."""
    migrate(bare)
    with bare.transaction() as session:
        make(session, AudienceMember, kind="phone", now=now)

    with pytest.raises(
        HandedOverError, match="1 phone numbers were handed to a platform"
    ):
        downgrade(bare, "0011")

    assert is_current(bare)
    with bare.reading() as session:
        assert session.scalars(select(AudienceMember)).one().kind == "phone"


def test_evidence_outlives_a_table_without_numbers(bare: Database, now: datetime):
    """Step 0016 and back: each piece is still its person's, under its name (PR-10)."""
    migrate(bare)
    with bare.transaction() as session:
        people = [make(session, Contact, now=now).id for _ in range(2)]
        for place, sealed in enumerate((b"b", b"a", b"c")):
            of, name = people[place % 2], sha256(sealed).digest()[:8]
            make(session, Evidence, now=now, contact_id=of, name=name, sealed=sealed)

    downgrade(bare, "0015")
    with bare.transaction() as session:
        numbers = session.scalars(text("SELECT id FROM evidence ORDER BY id")).all()
        names = session.execute(text("SELECT sha256, sealed FROM evidence")).all()
        session.execute(
            text(
                "INSERT INTO evidence (sha256, contact_id, sealed) "
                "SELECT :name, min(contact_id), :sealed FROM evidence"
            ),
            {"name": sha256(b"d").digest(), "sealed": b"d"},
        )
    migrate(bare)

    assert numbers == [1, 2, 3]
    assert all(sha256(sealed).digest() == name for name, sealed in names)
    with bare.reading() as session:
        kept = session.scalars(select(Evidence).order_by(Evidence.sealed)).all()
    assert [(row.contact_id, row.sealed) for row in kept] == [
        (people[1], b"a"),
        *((people[0], sealed) for sealed in (b"b", b"c", b"d")),
    ]
    assert all(row.name == sha256(row.sealed).digest()[:8] for row in kept)


def test_a_step_that_loses_a_row_is_not_taken(bare: Database, now: datetime):
    migrate(bare)
    with bare.transaction() as session:
        make(session, Attempt, now=now)

    with pytest.raises((LostRowsError, IntegrityError)), bare.reshaping() as connection:
        connection.execute(text("DELETE FROM outbox"))

    with bare.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM outbox")) == 1


def downgrade(database: Database, step: str) -> None:
    with database.reshaping() as connection:
        command.downgrade(steps_on(connection), step)


@pytest.fixture
def facts(database: Database, now: datetime) -> Database:
    """A database with one row in each table that only grows."""
    with database.transaction() as session:
        make(session, ConsentEvent, now=now)
        make(session, Text, now=now)
    return database


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("change", ["UPDATE {} SET {} = 'xx'", "DELETE FROM {}"])
def test_the_database_refuses_to_change_a_fact(facts: Database, table, change):
    """PR-05, PR-07: not even we can change what was agreed to."""
    with (
        pytest.raises(DBAPIError, match=f"{table} is append-only"),
        facts.transaction() as session,
    ):
        session.execute(text(change.format(table, APPEND_ONLY[table])))

    with facts.reading() as session:
        (kept,) = session.execute(select(Base.metadata.tables[table])).mappings()
        assert kept[APPEND_ONLY[table]] != "xx"


@pytest.mark.parametrize("table", [*APPEND_ONLY, "checkpoint"])
def test_nothing_takes_the_place_of_a_fact(facts: Database, now: datetime, table):
    """PR-05: SQLite's `REPLACE` deletes without asking who guards deletions."""
    with facts.transaction() as session:
        make(session, Checkpoint, now=now)
    changed, other = APPEND_ONLY.get(table, "size"), "'xx'"
    if table == "checkpoint":
        other = "-1"
    columns = Base.metadata.tables[table].c.keys()
    names = ", ".join(columns)
    copied = ", ".join(other if name == changed else name for name in columns)
    copy = f"INTO {table} ({names}) SELECT {copied} FROM {table}"  # noqa: S608  # names of our own tables
    (key,) = Base.metadata.tables[table].primary_key.columns.keys()
    before = _rows(facts, table)

    with suppress(DBAPIError), facts.transaction() as session:
        if facts.is_sqlite:
            session.execute(text(f"REPLACE {copy}"))
        else:
            told = f"SET {changed} = excluded.{changed}"
            session.execute(text(f"INSERT {copy} ON CONFLICT ({key}) DO UPDATE {told}"))

    assert _rows(facts, table) == before


def _rows(database: Database, table: str) -> list[Any]:
    with database.reading() as session:
        return list(session.execute(select(Base.metadata.tables[table])).all())


def test_each_part_of_a_fact_stays_as_it_was(facts: Database):
    """PR-05: also one that a later migration adds; sealing alone comes afterwards."""
    table = Base.metadata.tables["consent_event"]
    for name in set(table.c.keys()) - {"seq", "entry_hash"}:
        with (
            pytest.raises(DBAPIError, match="append-only"),
            facts.transaction() as session,
        ):
            session.execute(table.update().values({name: table.c[name]}))


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_postgresql_refuses_to_truncate_facts(facts: Database, table):
    if facts.is_sqlite:
        return
    with (
        pytest.raises(DBAPIError, match=f"{table} is append-only"),
        facts.transaction() as session,
    ):
        session.execute(text(f"TRUNCATE {table} CASCADE"))


def test_a_moment_comes_back_as_it_went_in(facts: Database, now: datetime):
    with facts.reading() as session:
        assert session.execute(select(Text.created_at)).scalar_one() == now


def test_a_reading_session_cannot_write(database: Database):
    with pytest.raises(DBAPIError), database.reading() as session:
        session.execute(text("DELETE FROM shop"))


def test_foreign_keys_are_enforced(database: Database, now: datetime):
    with pytest.raises(IntegrityError), database.transaction() as session:
        make(session, Placement, now=now, campaign_id=999_999)
