"""A key that was lost destroys nothing of what somebody has to be told (DS-06, T24)."""

import pytest
from sqlalchemy import update

from server.domain.consent import Act
from server.domain.seals import SealError, Vault
from server.models import Delivery, Webhook
from server.services import deliveries, rotations, webhooks
from tests.tellings import states

LOST = b"gone" + b"x" * 60


@pytest.fixture
def lose(house):
    """Put what no key opens in the place of what is sealed."""

    def lose(model, column, **where):
        with house.database.transaction() as session:
            session.execute(update(model).filter_by(**where).values({column: LOST}))

    return lose


class TestSecret:
    @pytest.fixture
    def owed(self, desk, say, erase, telling, receiver, lose):
        """An erasure that is to be told by a secret which is lost."""
        key, _ = desk.add(receiver.url)
        who = say(Act.GIVEN)
        telling.tell_all()
        receiver.heard.clear()
        erase(who)
        lose(Webhook, "sealed_secret")
        return key

    def test_what_is_owed_waits_sealed_and_nothing_is_sent(
        self, owed, desk, telling, receiver
    ):
        telling.tell_all()

        (row,) = desk.rows(event="contact.erased")
        assert (row.state, desk.said(row)["type"]) == ("waiting", "contact.erased")
        assert receiver.heard == []

    def test_the_recipient_is_off_and_its_shop_and_the_log_say_so(
        self, owed, desk, telling, house, capfd
    ):
        telling.tell_all()

        row = desk.recipient(owed)
        assert (row.state, row.why) == ("off", deliveries.LOCKED_OUT)
        (letter,) = house.letters("untold")
        assert letter.params == {"recipient": "CRM", "why": "locked"}
        logged = "".join(capfd.readouterr())
        assert "secret of a recipient cannot be opened" in logged
        assert row.public_id in logged

    def test_with_another_secret_it_hears_what_waited(
        self, owed, desk, telling, receiver, house, tools, in_time
    ):
        telling.tell_all()
        with house.database.transaction() as session:
            row = session.get_one(Webhook, owed)
            made = webhooks.rotate(session, row, tools=tools, now=house.clock.now())
            webhooks.turn_on(session, row)
        telling.tell_all()

        (heard,) = receiver.heard
        assert in_time(heard, made)["type"] == "contact.erased"

    def test_without_the_one_before_the_newest_signs_alone(
        self, desk, say, telling, receiver, house, tools, lose, in_time, capfd
    ):
        key, _ = desk.add(receiver.url)
        with house.database.transaction() as session:
            row = session.get_one(Webhook, key)
            made = webhooks.rotate(session, row, tools=tools, now=house.clock.now())
        lose(Webhook, "sealed_before")
        say(Act.GIVEN)
        telling.tell_all()

        (heard,) = receiver.heard
        assert in_time(heard, made)
        assert heard.headers["webhook-signature"].count("v1,") == 1
        assert "former secret" in "".join(capfd.readouterr())

    def test_the_one_before_opens_in_no_other_column(self, desk, house, tools):
        """T24: whoever writes the database cannot bring an old secret back."""
        key, _ = desk.add()
        with house.database.transaction() as session:
            row = session.get_one(Webhook, key)
            webhooks.rotate(session, row, tools=tools, now=house.clock.now())
            row.sealed_secret = row.sealed_before
            with pytest.raises(SealError):
                webhooks.secrets_of(row, vault=tools.vault, now=house.clock.now())

    def test_a_rotation_of_data_keys_opens_both(self, desk, house, tools):
        """T24: it has to know what each is bound to."""
        key, old = desk.add()
        newer = Vault((*house.app.config["SETTINGS"].data_keys, b"n" * 32))
        with house.database.transaction() as session:
            row = session.get_one(Webhook, key)
            new = webhooks.rotate(session, row, tools=tools, now=house.clock.now())
        for kind in rotations.KINDS:
            with house.database.transaction() as session:
                done = rotations.rewrap(
                    session, kind, after=None, vault=newer, random=tools.random
                )
                assert done is None or done.lost == 0

        row, now = desk.recipient(key), house.clock.now()
        assert webhooks.secrets_of(row, vault=newer, now=now) == (new, old)
        assert row.sealed_before[:4] == newer.key_ids[-1]


class TestEvent:
    @pytest.fixture
    def unopened(self, desk, say, erase, receiver, lose):
        """An erasure that cannot be opened, before the yes of somebody else."""
        desk.add(receiver.url)
        erase(say(Act.GIVEN, 1))
        say(Act.GIVEN, 2)
        lose(Delivery, "sealed", event="contact.erased")

    def test_its_shop_hears_of_it_once(self, unopened, desk, telling, house):
        """GDPR 19: somebody has to do by hand what the worker could not."""
        telling.tell_all()

        (row,) = desk.rows(event="contact.erased")
        assert (row.state, row.answer) == ("dead", deliveries.UNOPENED)
        (letter,) = house.letters("untold")
        assert letter.params == {"recipient": "CRM", "why": "unreadable"}

    def test_it_holds_up_nothing_and_stays_sealed_for_when_the_key_is_found(
        self, unopened, desk, telling, receiver
    ):
        telling.tell_all()

        assert len(receiver.heard) == 1
        assert desk.rows(event="contact.erased")[0].sealed == LOST

    def test_nobody_has_to_hear_of_a_yes_that_cannot_be_opened(
        self, desk, say, telling, receiver, house, lose
    ):
        desk.add(receiver.url)
        say(Act.GIVEN)
        lose(Delivery, "sealed")
        telling.tell_all()

        assert states(desk) == {"dead": 1}
        assert house.letters("untold") == []


def test_one_that_was_turned_off_in_between_is_told_nothing_more(
    desk, say, house, tools
):
    """Also by the worker that had its turn when that happened."""
    key, _ = desk.add()
    say(Act.GIVEN, 1)
    say(Act.GIVEN, 2)
    now = house.clock.now()
    with house.database.transaction() as session:
        told = deliveries.claim_next(session, key, tools=tools, now=now)
    with house.database.transaction() as session:
        webhooks.turn_off(session, session.get_one(Webhook, key), why="test")

    with house.database.transaction() as session:
        assert deliveries.acknowledged(session, told, answer="200", now=now)
        assert deliveries.claim_next(session, key, tools=tools, now=now) is None
    assert states(desk) == {"acknowledged": 1, "waiting": 1}
