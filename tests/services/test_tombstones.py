"""What a restored backup is told of who had moved since (T30, DS-02)."""

from datetime import timedelta

import pytest

from server.models import ConsentEvent, Contact, Suppression
from server.services import contacts, privacy, restores
from server.services.contacts import Reason
from server.services.tombstones import Tombstone

# An address that the backup does not know.
NEW = b"n" * 32


@pytest.fixture
def told(say_yes, house, tools):
    """Tell twice of a yes-sayer who moved since; return what each time was missing."""
    say_yes()
    who = house.person()

    def told(reason):
        stone = Tombstone("demo", NEW, reason, who.subject_ref, house.clock.now())
        done = []
        for _ in range(2):
            with house.database.transaction() as session:
                done.append(
                    restores.apply(session, stone, tools=tools, now=house.clock.now())
                )
        return who, done

    return told


def test_an_objection_reaches_who_had_another_address(told, house):
    """GDPR 21(3): under the address of the backup and under the one of the stone."""
    who, done = told(Reason.NEVER)

    assert done == [True, False]
    never = {row.email_hash for row in house.rows(Suppression, reason="never")}
    assert never == {who.email_hash, NEW}
    assert house.standing() == {"newsletter": "withdrawn"}
    assert len(house.rows(ConsentEvent, act="objected")) == 1


def test_an_erasure_reaches_who_had_another_address(told, house):
    who, done = told(Reason.ERASED)

    assert done == [True, False]
    erased = {row.email_hash for row in house.rows(Suppression, reason="erased")}
    assert erased == {who.email_hash, NEW}
    assert house.rows(Contact)[0].erased_at is not None


def test_an_objection_is_noted_once_for_two_addresses(told, house, tools):
    """Each of them has a stone of its own."""
    who, _ = told(Reason.NEVER)
    old = Tombstone(
        "demo", who.email_hash, Reason.NEVER, who.subject_ref, house.clock.now()
    )

    with house.database.transaction() as session:
        assert not restores.apply(session, old, tools=tools, now=house.clock.now())

    assert len(house.rows(ConsentEvent, act="objected")) == 1


def test_an_objection_holds_under_each_address(say_yes, client, house, tools):
    """DS-02: a backup or a list from before a move may know the other one."""
    say_yes()
    before = house.person()
    client.post(f"{house.link('preferences')}/address", data={"email": "n@example.com"})
    house.press(client, house.link("rectify", to="n@example.com"))
    after = house.person("n@example.com")

    with house.database.transaction() as session:
        privacy.object_to_marketing(
            session,
            after,
            use=privacy.Use("nl", "test", {}),
            tools=tools,
            now=house.clock.now(),
        )

    never = {row.email_hash for row in house.rows(Suppression, reason="never")}
    assert never == {before.email_hash, after.email_hash}


def test_a_mark_has_the_moment_of_the_newest_no(say_yes, house):
    """T30: a later yes is held against it."""
    say_yes()
    who = house.person()
    first = house.clock.now()
    newest = first + timedelta(days=1)

    for at in (first, newest):
        with house.database.transaction() as session:
            contacts.suppress(session, who, reason=Reason.MOVED, until=None, now=at)

    assert [row.created_at for row in house.rows(Suppression)] == [newest]
