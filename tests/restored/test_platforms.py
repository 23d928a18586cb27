"""A platform hears of whom a lost backup did not know (AD-04)."""

from dataclasses import replace

import pytest

from server.domain import audience
from server.models import AudienceMember, ConsentEvent
from server.services import backups, tombstones
from tests.restored.conftest import ADS, CAS, HOUR, HUGO, UPLOAD
from tests.sharing import exported, telling


@pytest.fixture
def audience_of(run, tmp_path):
    return lambda: [row[:2] for row in exported(telling(run), tmp_path)]


def hashed(mailbox):
    return audience.hashed("google", mailbox)


@pytest.fixture
def erase(client, house):
    def erase(mailbox):
        link = house.link("preferences", to=mailbox)
        house.clock.advance(HOUR)
        assert house.press(client, f"{link}/erase").status_code == 303

    return erase


def test_a_platform_is_told_to_remove_who_was_erased_meanwhile(
    say_yes, backup, audience_of, erase, lose, apply
):
    """AD-04: it was given a hash that the backup knows nothing of."""
    say_yes(HUGO, CAS, to=(UPLOAD, ADS))
    backup.make()
    assert audience_of() == [("add", hashed(HUGO)), ("add", hashed(CAS))]
    erase(HUGO)
    file = lose()
    assert hashed(HUGO) not in file.read_text()

    apply(file)

    assert audience_of() == [("remove", hashed(HUGO)), ("add", hashed(CAS))]
    assert audience_of() == [("add", hashed(CAS))]


def test_a_platform_is_told_to_remove_whom_the_backup_never_knew(
    say_yes, backup, audience_of, lose, apply, house
):
    """AD-04: their yes is lost, so nobody can show it any more."""
    say_yes()
    backup.make()
    say_yes(HUGO, to=(UPLOAD, ADS))
    assert audience_of() == [("add", hashed(HUGO))]
    file = lose()

    assert apply(file) == 1
    assert apply(file) == 0

    assert audience_of() == [("remove", hashed(HUGO))]
    assert house.rows(AudienceMember) == []
    assert house.rows(ConsentEvent) == []
    house.verify_ledger()


def test_a_platform_is_told_to_remove_who_was_named_again_since(
    say_yes, backup, audience_of, stop, lose, apply
):
    """AD-04: the backup says that they were removed, which is no longer so."""
    say_yes(HUGO, to=(UPLOAD, ADS))
    audience_of()
    stop(HUGO)
    audience_of()
    backup.make()
    say_yes(HUGO, to=(UPLOAD, ADS))
    assert audience_of() == [("add", hashed(HUGO))]
    file = lose()

    apply(file)

    assert audience_of() == [("remove", hashed(HUGO))]


def test_what_is_known_already_is_passed_over_at_once(
    say_yes, stop, audience_of, database, house
):
    """A file has all noes of years, and a backup lacks those of a day."""
    say_yes(HUGO, to=(UPLOAD, ADS))
    audience_of()
    stop(HUGO)
    with database.standing_still() as session:
        stones = list(tombstones.every(session, now=house.clock.now()))
    later = replace(stones[0], at=stones[0].at + HOUR)

    with database.reading() as session:
        unknown = backups.missing(session, [*stones, later])

    assert [stone.reason for stone in stones] == ["withdrawn", "withdrawn", "named"]
    assert unknown == [later]
