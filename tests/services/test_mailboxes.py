"""How many mails a mailbox gets from the shops of one house (section 15, AB-01)."""

from datetime import timedelta

import pytest

from server.domain.limits import Kind
from server.models import Mailbox
from server.services import mailboxes

EMAIL = "ina@home.example"
DAY = timedelta(days=1)


@pytest.fixture
def ask(database, vault, now):
    """Ask for mails from a shop, and return which may go."""

    def ask(shop_id, *kinds, after=timedelta(0), email=EMAIL):
        with database.transaction() as session:
            return set(
                mailboxes.allowed_to(
                    session, shop_id, email, kinds, vault=vault, now=now + after
                )
            )

    return ask


@pytest.fixture
def rows(database):
    def rows():
        with database.reading() as session:
            return [row.sendings for row in session.query(Mailbox)]

    return rows


def test_a_mailbox_has_one_row_for_all_shops(ask, rows, now):
    for shop_id in (1, 2):
        assert ask(shop_id, Kind.CONFIRM) == {Kind.CONFIRM}

    at = int(now.timestamp())
    assert rows() == [f"c{at}/1 c{at}/2"]


def test_what_one_shop_sent_is_not_held_against_another(ask):
    assert ask(1, Kind.CONFIRM) == {Kind.CONFIRM}

    assert ask(1, Kind.CONFIRM) == set()
    assert ask(2, Kind.CONFIRM) == {Kind.CONFIRM}


def test_all_shops_together_send_five_mails_a_day(ask):
    for shop_id in (1, 2):
        assert len(ask(shop_id, Kind.CONFIRM, Kind.PRIZE)) == 2

    assert len(ask(3, Kind.CONFIRM, Kind.PRIZE)) == 1
    assert ask(4, Kind.CONFIRM) == set()
    assert ask(4, Kind.CONFIRM, after=DAY) == {Kind.CONFIRM}


def test_other_spellings_of_a_mailbox_are_the_same_one(ask, rows):
    ask(1, Kind.CONFIRM)

    assert ask(1, Kind.CONFIRM, email="Ina+again@home.example") == set()
    assert len(rows()) == 1


def test_what_was_mailed_before_shops_were_noted_counts_for_each(ask, database, now):
    """Strict, until it is forgotten after a month."""
    ask(1, Kind.CONFIRM)
    with database.transaction() as session:
        session.query(Mailbox).one().sendings = f"c{int(now.timestamp())}"

    assert ask(2, Kind.CONFIRM) == set()
    assert ask(2, Kind.PRIZE) == {Kind.PRIZE}
