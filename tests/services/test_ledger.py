"""Sealing, closing days and auditing, on both databases (PR-05, G4)."""

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError

from server.domain.ledger import NO_ENTRY, Notary, is_signed
from server.domain.ledger_file import BrokenError, read_kept
from server.models import (
    Checkpoint,
    ConsentEvent,
    ConsentQuestion,
    Contact,
    Ledger,
    Outbox,
)
from server.sealing import Sealing
from server.services import contacts, ledger, ledger_audit, privacy
from tests.factories import campaign_file, make
from tests.visits import at_once, take_card

NOTARY = Notary([b"k" * 32])
GUARDED = ("consent_event", "consent_question", "checkpoint", "text", "contact")
# What keeps SQLite's from being changed.
TRIGGERS = (
    *("consent_event_no_update", "consent_event_no_delete"),
    *("consent_event_sealed_once", "checkpoint_no_update", "checkpoint_no_delete"),
    *("text_no_update", "text_no_delete", "consent_question_no_replace"),
    *("contact_subject_stays", "contact_no_replace", "consent_question_no_clash"),
    *("consent_question_no_update", "consent_question_no_delete"),
    *("consent_event_no_replace", "checkpoint_no_replace", "text_no_replace"),
)


@pytest.fixture
def sealing(app, database) -> Sealing:
    return Sealing(database, replace(app.extensions["tools"], notary=NOTARY))


@pytest.fixture
def say_yes(publish, client, house):
    """Let people say yes in the form, and press the button in their mail."""
    publish(campaign_file("welcome-scratch"))

    def said(*names: str) -> None:
        for name in names:
            mailbox = f"{name}@example.com"
            take_card(client).enter(client, mailbox, consents=["newsletter"])
            link = house.link("confirm", to=mailbox)
            client.post(link, data={"shown": house.shown(client, link)})

    return said


@pytest.fixture
def sealed(say_yes, sealing, clock) -> Sealing:
    """A ledger of three people, whose first day is signed."""
    say_yes("ann", "ben")
    clock.advance(timedelta(days=1))
    sealing.go_round(now=clock.now())
    sealing.go_round(now=clock.now())
    say_yes("cas")
    sealing.go_round(now=clock.now())
    return sealing


# While the second day of the ledgers here is still going on.
NOW = datetime(2026, 3, 3, 20, tzinfo=UTC)


@pytest.fixture
def unguarded(database):
    """Change the database as somebody with all rights could: `unguarded(sql)`."""

    def change(statement: str, **values: object) -> None:
        dialect = database.engine.dialect.name
        with database.transaction() as session:
            if dialect == "postgresql":
                session.execute(text("SET LOCAL statement_timeout = 0"))
            saved = []
            if dialect == "sqlite":
                for name in TRIGGERS:
                    saved += session.scalars(
                        text("SELECT sql FROM sqlite_master WHERE name = :name"),
                        {"name": name},
                    )
                    session.execute(text(f"DROP TRIGGER {name}"))
            else:
                for name in GUARDED:
                    session.execute(text(f"ALTER TABLE {name} DISABLE TRIGGER USER"))
            session.execute(text(statement), values)
            if dialect == "postgresql":
                for name in GUARDED:
                    session.execute(text(f"ALTER TABLE {name} ENABLE TRIGGER USER"))
            for made in saved:
                session.execute(text(made))

    return change


def audit(database, *, keys=None, kept=(), now=NOW):
    with database.standing_still() as session:
        tip = next(t for t in ledger.tips(session) if t.shop == "demo")
        steps = []
        whole = ledger_audit.verify(
            session,
            tip,
            keys=keys or NOTARY.publics,
            step=steps.append,
            now=now,
            kept=kept,
        )
        assert sum(steps) == ledger_audit.size(session, tip) + whole.entries
    return whole


def test_who_decides_while_it_is_audited_breaks_nothing(sealed, house, client):
    """The standings of people and their facts are read one after the other."""
    pressed = []

    def decide(_: object, __: object, statement: str, *___: object) -> None:
        is_first = not pressed and "JOIN evidence" in statement
        if is_first:
            pressed.append(statement)
            client.post(house.link("unsubscribe", to="ann@example.com"))

    event.listen(Engine, "before_cursor_execute", decide)
    try:
        audit(sealed.database)
    finally:
        event.remove(Engine, "before_cursor_execute", decide)

    assert house.standing("ann@example.com") == {"newsletter": "withdrawn"}
    audit(sealed.database)


def test_every_fact_gets_a_number_without_gaps_and_a_hash(sealed, house):
    facts = house.rows(ConsentEvent)

    assert [fact.seq for fact in facts] == list(range(1, len(facts) + 1))
    head = NO_ENTRY
    with sealed.database.reading() as session:
        (tip,) = ledger.tips(session)
        for entry in ledger.entries(session, tip):
            assert entry.hash == entry.fact.hash(entry.seq, head)
            head = entry.hash
    assert (tip.size, tip.head) == (len(facts), head)


def test_what_follows_a_request_is_sealed_on_its_own(
    say_yes, sealing, client, house, now
):
    """A fact that copies what it has in common takes no number and no hash along."""
    say_yes("ann")
    take_card(client).enter(client, consents=["newsletter"])
    assert sealing.go_round(now=now) == 3
    link = house.link("confirm")

    client.post(link, data={"shown": house.shown(client, link)})

    given = house.rows(ConsentEvent)[-1]
    assert (given.act, given.seq, given.entry_hash) == ("given", None, None)


def test_a_shop_is_sealed_in_batches(say_yes, sealing, house, now, monkeypatch):
    say_yes("ann", "ben")
    monkeypatch.setattr(ledger, "BATCH", 2)
    monkeypatch.setattr(ledger, "_UNSEALED", ledger._UNSEALED.limit(3))

    rounds = [sealing.go_round(now=now) for _ in range(4)]

    assert rounds == [3, 1, 0, 0]
    assert [fact.seq for fact in house.rows(ConsentEvent)] == [1, 2, 3, 4]
    assert audit(sealing.database).waiting == 0


def test_a_batch_does_not_go_on_from_what_another_worker_sealed(
    say_yes, database, house, monkeypatch
):
    """As many entries, but others: a fact that came late had been read by that one."""
    monkeypatch.setattr(ledger, "BATCH", 2)
    say_yes("ann", "ben")
    with database.reading() as session:
        first, second = ledger.gather(session)
    others = [each | {"digest": b"o" * 32} for each in first.sealed]

    sealed = []
    for batch in (replace(first, sealed=others), first, second):
        with database.transaction() as session:
            sealed.append(ledger.seal(session, batch))

    assert sealed == [2, 0, 0]
    assert [fact.seq for fact in house.rows(ConsentEvent)] == [1, 2, None, None]


def test_workers_who_seal_at_once_agree(say_yes, database, house, now):
    """A race on both databases: each number once, and one chain."""
    say_yes("ann", "ben", "cas")
    with database.reading() as session:
        (batch,) = ledger.gather(session)
    together = threading.Barrier(6)

    def seal() -> int:
        together.wait()
        with database.transaction() as session:
            return ledger.seal(session, batch)

    sealed = at_once([seal] * 6, threads=6)

    assert sorted(sealed) == [0] * 5 + [len(batch.sealed)]
    assert [f.seq for f in house.rows(ConsentEvent)] == list(
        range(1, len(batch.sealed) + 1)
    )
    assert audit(database).waiting == 0


def test_a_day_is_signed_once_when_it_is_over(say_yes, sealing, house, clock):
    say_yes("ann")
    for _ in range(3):
        sealing.go_round(now=clock.now())
    assert house.rows(Checkpoint) == []
    clock.advance(timedelta(days=1))

    for _ in range(3):
        sealing.go_round(now=clock.now())

    (row,) = house.rows(Checkpoint)
    with sealing.database.reading() as session:
        ((signed,),) = (ledger.checkpoints(session, row.shop_id),)
    assert (row.day, row.size) == (date(2026, 3, 2), len(house.rows(ConsentEvent)))
    assert is_signed(
        signed.checkpoint, signed.signature, NOTARY.publics[signed.signature.key_id]
    )


@pytest.mark.parametrize(("minute", "signed"), [(4, 0), (5, 1)])
def test_midnight_is_given_five_minutes(say_yes, sealing, house, clock, minute, signed):
    say_yes("ann")
    sealing.go_round(now=clock.now())

    sealing.go_round(now=datetime(2026, 3, 3, 0, minute, tzinfo=UTC))

    assert len(house.rows(Checkpoint)) == signed


def test_a_checkpoint_leaves_today_out_and_the_next_goes_on(sealed, house, clock):
    day_one = [fact.seq for fact in house.rows(ConsentEvent) if fact.at.day == 2]
    clock.advance(timedelta(days=2))
    sealed.go_round(now=clock.now())

    first, second = house.rows(Checkpoint)

    assert (first.size, second.size) == (len(day_one), len(house.rows(ConsentEvent)))
    assert second.day == date(2026, 3, 4)
    assert audit(sealed.database).covered == len(house.rows(ConsentEvent))


def test_a_day_without_facts_signs_nothing(sealed, house, clock):
    clock.advance(timedelta(days=1))
    sealed.go_round(now=clock.now())
    (_, second) = house.rows(Checkpoint)

    clock.advance(timedelta(days=1))
    sealed.go_round(now=clock.now())

    assert [row.day for row in house.rows(Checkpoint)][1:] == [second.day]


def test_a_day_waits_for_what_is_not_sealed(say_yes, sealing, house, clock):
    say_yes("ann")
    tomorrow = clock.now() + timedelta(days=1)

    sealing._close_day(tomorrow)

    assert house.rows(Checkpoint) == []


def test_a_whole_ledger_is_told_as_whole(sealed, house):
    whole = audit(sealed.database)

    assert whole.entries == len(house.rows(ConsentEvent))
    assert 0 < whole.covered < whole.entries
    assert whole.last == date(2026, 3, 2)


def test_facts_that_wait_are_counted(sealed, say_yes):
    say_yes("dre")

    assert audit(sealed.database).waiting == 2


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ("UPDATE consent_event SET act = 'withdrawn' WHERE seq = 2", "entry 2 was ch"),
        ("UPDATE consent_event SET method = 'x' WHERE seq = 3", "entry 3 was changed"),
        ("UPDATE consent_question SET purpose = 'x'", "entry 1 was changed"),
        ("UPDATE consent_question SET context = '{}'", "entry 1 was changed"),
        ("UPDATE consent_question SET sha256 = text_hash", "entry 1: what it is about"),
        ("UPDATE consent_event SET at = at + 1 WHERE seq = 4", "entry 4 was changed"),
        ("UPDATE consent_event SET seq = 99 WHERE seq = 6", "entry 6 is missing"),
        ("UPDATE ledger SET size = 5", "entry 6 is missing or extra"),
        ("UPDATE ledger SET size = 7", "entry 7 is missing or extra"),
        (
            "DELETE FROM evidence WHERE name = (SELECT substr(evidence_hash, 1, 8) "
            "FROM consent_event WHERE seq = 1)",
            "entry 1: its evidence is missing",
        ),
        (
            "UPDATE evidence SET contact_id = (SELECT max(id) FROM contact) "
            "WHERE contact_id = (SELECT min(id) FROM contact)",
            "entry .: its evidence is missing",
        ),
        ("UPDATE text SET body = body || '!'", "what was shown is missing or was cha"),
        ("DELETE FROM text WHERE kind = 'notice'", "what was shown is missing"),
        ("UPDATE standing SET act = 'withdrawn'", "what its person wants today"),
        (
            "UPDATE standing SET text_hash = notice_hash FROM consent_event e "
            "JOIN consent_question q ON q.id = e.question_id WHERE e.id = event_id",
            "entry 2: what its person wants today",
        ),
        ("DELETE FROM standing", "entry 2: what its person wants today"),
        ("DELETE FROM evidence", "entry 1: its evidence is missing"),
        (
            "UPDATE consent_event SET contact_id = (SELECT max(id) FROM contact) "
            "WHERE seq = 1",
            "entry 1 was changed",
        ),
        ("UPDATE contact SET subject_ref = email_hash", "entry 1 was changed"),
        ("UPDATE contact SET sealed_key = ''", "entry .: its person's key is gone"),
        ("UPDATE contact SET erased_at = 1", "entry .: its person's key is gone"),
    ],
)
def test_what_was_changed_is_named(sealed, unguarded, change, error):
    unguarded(change)

    with pytest.raises(BrokenError, match=error):
        audit(sealed.database)


def test_a_question_of_tomorrow_is_held_against_its_name(sealed, database, now):
    """Whoever may add rows puts it there before anybody is asked."""
    with database.transaction() as session:
        make(session, ConsentQuestion, now=now, sha256=b"x" * 32, id=1)

    with pytest.raises(BrokenError, match="a question that no entry is about yet"):
        audit(database)


def test_nobody_replaces_whom_the_ledger_knows(sealed, database):
    """PR-05: SQLite's `REPLACE` changes a row without an update."""
    if not database.is_sqlite:
        return
    columns = ", ".join(Contact.__table__.columns.keys())
    other = columns.replace("subject_ref", "email_hash")

    with (
        pytest.raises(DBAPIError, match="stays as it is"),
        database.transaction() as session,
    ):
        session.execute(
            text(f"REPLACE INTO contact ({columns}) SELECT {other} FROM contact")  # noqa: S608  # names of our own columns
        )


def test_who_was_erased_and_is_still_there_is_named(sealed, erase, unguarded, clock):
    erase("ann@example.com")
    while sealed.go_round(now=clock.now()):
        pass
    assert audit(sealed.database).waiting == 0

    unguarded("UPDATE contact SET sealed_key = 'k' WHERE erased_at IS NOT NULL")

    with pytest.raises(BrokenError, match="was erased, and is still there"):
        audit(sealed.database)


def test_a_day_that_nobody_signed_is_named(sealed, unguarded):
    """PR-05: without its checkpoint a past can be written anew."""
    unguarded("DELETE FROM checkpoint")

    assert audit(sealed.database).covered == 0
    with pytest.raises(BrokenError, match="entry 1 is of 2026-03-02 and no checkpoint"):
        audit(sealed.database, now=NOW + timedelta(days=1))


def test_a_clock_that_ran_ahead_keeps_nothing_from_being_signed(
    sealed, say_yes, house, clock
):
    """A fact of a day to come stands among those that are covered."""
    today = clock.now()
    clock.advance(timedelta(days=3))
    say_yes("dre")
    sealed.go_round(now=today)
    clock.advance(timedelta(days=-3))
    say_yes("eva")
    sealed.go_round(now=today)

    sealed.go_round(now=today + timedelta(days=1))

    whole = audit(sealed.database, now=today + timedelta(days=5))
    assert whole.covered == whole.entries == len(house.rows(ConsentEvent))


@pytest.fixture
def write_anew(unguarded, database):
    """Change the first fact, and make every hash right again."""
    unguarded("UPDATE consent_event SET method = 'x' WHERE seq = 1")
    with database.reading() as session:
        (tip,) = ledger.tips(session)
        head, anew = NO_ENTRY, []
        for entry in ledger.entries(session, tip):
            head = entry.fact.hash(entry.seq, head)
            anew.append((entry.seq, head))
    for seq, digest in anew:
        unguarded(
            "UPDATE consent_event SET entry_hash = :digest WHERE seq = :seq",
            digest=digest,
            seq=seq,
        )
    unguarded("UPDATE ledger SET head = :head", head=head)


@pytest.fixture
def mailed(sealed, house):
    """The checkpoints that the shop was mailed before anything was changed."""
    lines = [letter.params["line"].encode() for letter in house.letters("checkpoint")]
    return [checkpoint for checkpoint, _signature in read_kept(lines)]


def test_a_chain_that_was_written_anew_breaks_a_checkpoint(
    sealed, write_anew, database
):
    """Who has the database and not the key makes every hash right, and is found."""
    with pytest.raises(BrokenError, match="the checkpoint of 2026-03-02 is of others"):
        audit(database)


def test_who_has_the_key_as_well_is_found_by_what_the_shop_kept(
    sealed, mailed, write_anew, unguarded, database
):
    """A past that was written and signed anew agrees with itself, and not with it."""
    unguarded("DELETE FROM checkpoint")
    sealed._close_day(datetime(2026, 3, 3, 12, tzinfo=UTC))
    assert audit(database).covered == mailed[0].size

    with pytest.raises(BrokenError, match="of 2026-03-02 that was kept is of others"):
        audit(database, kept=mailed)


def test_what_was_cut_off_is_missed_by_what_the_shop_kept(sealed, mailed):
    more = replace(mailed[0], size=99)

    with pytest.raises(BrokenError, match="entries up to 99 are missing"):
        audit(sealed.database, kept=[*mailed, more])


def test_a_whole_ledger_agrees_with_what_the_shop_kept(sealed, mailed):
    assert len(mailed) == 1

    assert audit(sealed.database, kept=mailed).covered == mailed[0].size


def test_the_shop_gets_a_checkpoint_by_mail(sealed, app, smtp, house):
    """PR-05: to the address that answers for its data, without a link to stop it."""
    from server.worker import Worker

    worker = Worker(app)
    worker.deliver()
    worker.close()

    (mail,) = smtp.to("privacy@noordenzon.example")
    (row,) = house.rows(Checkpoint)
    assert row.signature.hex() in mail.text().replace("\n", "")
    assert row.root.hex() in mail.text("html")
    assert "List-Unsubscribe" not in mail.message
    assert mail.message["Subject"] == (
        "Bewaar dit: controlepunt van Noord & Zon, 2026-03-02"
    )
    assert house.rows(Outbox, letter="checkpoint")[0].state == "delivered"


def test_a_checkpoint_of_a_key_that_is_not_ours_is_named(sealed):
    strange = Notary([b"z" * 32]).publics

    with pytest.raises(BrokenError, match="is not among JAWOORD_LEDGER_KEYS"):
        audit(sealed.database, keys=strange)


def test_a_yes_that_nobody_asked_for_is_named(sealed, unguarded):
    """G4: no yes without its request and its proof."""
    unguarded(
        "UPDATE consent_event SET optin_id = (SELECT max(id) FROM optin) WHERE seq = 2"
    )

    with pytest.raises(BrokenError, match="entry 2: a yes that was never asked for"):
        audit(sealed.database)


def test_a_yes_without_a_request_needs_a_way_that_has_none(sealed, unguarded):
    """G4: who makes a yes out of nothing cannot say by which way it came."""
    unguarded("UPDATE consent_event SET optin_id = NULL WHERE seq = 2")

    with pytest.raises(BrokenError, match="entry 2: a yes that was never asked for"):
        audit(sealed.database)


def test_evidence_is_missed_unless_its_person_was_erased(sealed, database, app, now):
    """DS-03: the chain, the proofs of others and the standings stay whole."""
    with database.transaction() as session:
        contact = session.query(Contact).order_by(Contact.id).first()
        who = contacts.person(session, contact.id, vault=app.extensions["tools"].vault)
        privacy.erase(
            session,
            who,
            use=privacy.Use("nl", "test", {}),
            tools=app.extensions["tools"],
            now=now,
        )

    assert audit(database).waiting == 2


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE consent_event SET act = 'withdrawn'",
        "UPDATE consent_event SET seq = seq + 100",
        "UPDATE consent_event SET entry_hash = x'00'",
        "UPDATE consent_event SET seq = NULL, entry_hash = NULL",
        "DELETE FROM consent_event",
        "UPDATE consent_question SET text_hash = notice_hash",
        "DELETE FROM consent_question",
        "UPDATE contact SET subject_ref = email_hash",
        "UPDATE checkpoint SET size = 1",
        "DELETE FROM checkpoint",
    ],
)
def test_the_database_refuses_to_change_what_was_sealed(sealed, house, change):
    before = house.dump()
    if sealed.database.engine.dialect.name == "postgresql":
        change = change.replace("x'00'", "'\\x00'")

    with (
        pytest.raises(DBAPIError, match="append-only|stays as it is"),
        sealed.database.transaction() as session,
    ):
        session.execute(text(change))

    assert house.dump() == before


def test_a_number_comes_only_with_its_hash(say_yes, database):
    say_yes("ann")

    with (
        pytest.raises(DBAPIError, match="append-only"),
        database.transaction() as session,
    ):
        session.execute(text("UPDATE consent_event SET seq = 1"))


def test_a_shop_without_facts_has_an_empty_ledger(publish, database):
    publish(campaign_file("welcome-scratch"))

    assert (audit(database).entries, audit(database).last) == (0, None)


def test_the_worker_seals_within_seconds(say_yes, app, house):
    from server.worker import Worker

    say_yes("ann")
    worker = Worker(app)

    assert worker.seal(now=house.clock.now())

    assert worker.tally.sealed == 2
    (row,) = house.rows(Ledger)
    assert row.size == len(house.rows(ConsentEvent))
