"""What is about nobody, and outlived its use (DS-04). On both databases."""

from datetime import timedelta

from sqlalchemy import delete, update

from server.domain.limits import Kind
from server.models import AddressChange, Entry, Link, Mailbox, Outbox, Turn
from server.services import mailboxes, unclaimed
from tests.people import tell
from tests.visits import few_mugs, sure_win, take_card

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def to(house, moment):
    """Set the clock."""
    house.clock.moment = moment


def test_counters_of_mails_go_after_30_days(play, house, keeper, now):
    """DS-04: hashes against abuse."""
    play(consents=["newsletter"])
    assert len(house.rows(Mailbox)) == 1

    to(house, now + 30 * DAY - SECOND)
    keeper.run()
    assert len(house.rows(Mailbox)) == 1
    to(house, now + 30 * DAY)
    keeper.run()

    assert house.rows(Mailbox) == []


def test_counted_turns_go_30_days_after_the_close(publish, client, house, keeper, now):
    publish(sure_win(days=10, entries_per_address=2))
    take_card(client).enter(client)

    to(house, now + 40 * DAY - SECOND)
    keeper.run()
    assert len(house.rows(Turn)) == 1
    to(house, now + 40 * DAY)
    keeper.run()

    assert house.rows(Turn) == []


def test_what_an_unclaimed_play_told_goes_after_a_day(
    publish, client, house, keeper, database
):
    publish(few_mugs(2, "lucky-scratch"))
    take_card(client, "lucky-inline").play(client)
    house.clock.advance(timedelta(hours=1))
    with database.transaction() as session:
        told = {"answers": {"a": "b"}, "source": {"order": "7"}}
        tell(session, session.query(Entry).one(), house.vault, **told)
        unclaimed.lapse_due(session, now=house.clock.now())

    house.clock.advance(DAY - SECOND)
    keeper.run()
    kept = house.source()
    house.clock.advance(SECOND)
    done = keeper.run()

    (entry,) = house.rows(Entry)
    assert kept == {"order": "7"}
    assert done.leftovers["unclaimed_plays"] == 1
    assert (entry.sealed_answers, entry.sealed_source, entry.play_print) == (
        None,
        None,
        b"",
    )
    assert entry.drawn


def test_a_new_address_nobody_confirmed_goes_a_day_after_its_end(
    say_yes, house, keeper, database, now
):
    say_yes()
    link = house.rows(Link)[0]
    with database.transaction() as session:
        session.add(
            AddressChange(
                contact_id=link.contact_id,
                link_id=link.id,
                sealed=b"sealed",
                asked_at=now,
                expires_at=now + DAY,
            )
        )

    to(house, now + 2 * DAY - SECOND)
    keeper.run()
    assert len(house.rows(AddressChange)) == 1
    to(house, now + 2 * DAY)
    keeper.run()

    assert house.rows(AddressChange) == []


def test_what_a_dead_letter_says_goes_after_30_days(play, house, keeper, database, now):
    play(consents=["newsletter"])
    with database.transaction() as session:
        session.execute(update(Outbox).values(state="dead", settled_at=now))

    to(house, now + 30 * DAY - SECOND)
    keeper.run()
    assert house.rows(Outbox)[0].sealed is not None
    to(house, now + 30 * DAY)
    keeper.run()

    assert house.rows(Outbox)[0].sealed is None


def test_a_counter_that_goes_in_the_moment_of_a_mail_costs_nothing(
    play, house, tools, database, monkeypatch
):
    """A race: it was there for the insert, and is gone for the look."""
    play()
    who = house.person()
    real = mailboxes._count_known

    def gone(session, *args, **options):
        session.execute(delete(Mailbox))
        return real(session, *args, **options)

    with database.transaction() as session:
        mailboxes.allowed_mails(
            session,
            who,
            [Kind.PRIZE],
            vault=tools.vault,
            now=house.clock.now(),
        )
    monkeypatch.setattr(mailboxes, "_count_known", gone)
    with database.transaction() as session:
        allowed = mailboxes.allowed_mails(
            session,
            who,
            [Kind.PRIZE],
            vault=tools.vault,
            now=house.clock.now(),
        )

    assert set(allowed) == {Kind.PRIZE}
