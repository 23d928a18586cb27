"""The worker tells recipients over a real socket, and nothing gets lost (F13)."""

import time
from datetime import timedelta

import pytest

from server.domain import retry
from server.domain.consent import Act
from server.models import Delivery, Webhook
from server.services import deliveries, delivery_lists, webhooks
from server.telling import SLOW_S
from tests.receivers import Mode, Receiver, listening
from tests.tellings import pass_days, states
from tests.waiting import until


class TestAcknowledged:
    def test_it_is_signed_as_the_standard_says(
        self, desk, say, telling, receiver, in_time
    ):
        _, secret = desk.add(receiver.url)
        say(Act.GIVEN)

        assert telling.tell_all() == 1

        (heard,) = receiver.heard
        told = heard.checked(secret)
        assert told["type"] == "consent.given"
        assert told["data"]["email"] == "person1@example.com"
        assert heard.id == desk.rows()[0].message_id

    def test_what_it_said_is_forgotten(self, desk, say, telling, receiver, house):
        desk.add(receiver.url)
        say(Act.GIVEN)
        telling.tell_all()

        (row,) = desk.rows()
        assert (row.state, row.sealed, row.answer) == ("acknowledged", None, "200")
        assert row.settled_at == house.clock.now()

    def test_it_is_not_told_again(self, desk, say, telling, receiver, house):
        desk.add(receiver.url)
        say(Act.GIVEN)
        for _ in range(3):
            telling.tell_all()
            house.clock.advance(timedelta(days=1))

        assert len(receiver.heard) == 1

    def test_for_a_day_the_old_secret_signs_as_well(
        self, desk, say, telling, receiver, house, tools, in_time
    ):
        key, old = desk.add(receiver.url)
        with house.database.transaction() as session:
            row = session.get_one(Webhook, key)
            new = webhooks.rotate(session, row, tools=tools, now=house.clock.now())
        say(Act.GIVEN)
        telling.tell_all()
        for secret in (old, new):
            assert receiver.heard[0].checked(secret)

        house.clock.advance(timedelta(hours=24))
        say(Act.WITHDRAWN)
        telling.tell_all()

        assert receiver.heard[1].checked(new)
        with pytest.raises(Exception, match="No matching signature"):
            receiver.heard[1].checked(old)

    def test_a_try_of_the_line_is_about_nobody(self, desk, telling, receiver, house):
        key, _ = desk.add(receiver.url)
        with house.database.transaction() as session:
            row = session.get_one(Webhook, key)
            tools, now = house.app.extensions["tools"], house.clock.now()
            webhooks.put_test(session, row, tools=tools, now=now)
        telling.tell_all()

        assert b'"type":"webhook.test"' in receiver.heard[0].body


class TestFaults:
    def test_a_receiver_that_says_gone_is_turned_off_and_the_shop_told(
        self, desk, say, telling, receiver, house
    ):
        """F13: 410. What waits is not lost, and goes out once there is a place."""
        key, _ = desk.add(receiver.url)
        receiver.mode = Mode.GONE
        say(Act.GIVEN, 1)
        say(Act.GIVEN, 2)
        telling.tell_all()
        house.clock.advance(timedelta(hours=1))
        telling.tell_all()

        assert desk.recipient(key).state == "gone"
        assert len(receiver.heard) == 1
        (letter,) = house.letters("untold")
        assert letter.params == {"recipient": "CRM", "why": "gone"}

        receiver.mode = Mode.OK
        with house.database.transaction() as session:
            assert webhooks.turn_on(session, session.get_one(Webhook, key))
        telling.tell_all()
        assert states(desk) == {"acknowledged": 2}

    def test_a_wish_to_be_left_alone_is_kept(self, desk, say, telling, receiver, house):
        """F13: 429 with Retry-After 120, and nothing else meanwhile either."""
        desk.add(receiver.url)
        receiver.mode = Mode.BUSY
        say(Act.GIVEN, 1)
        say(Act.GIVEN, 2)
        telling.tell_all()
        receiver.mode = Mode.OK
        house.clock.advance(timedelta(seconds=119))
        assert telling.tell_all() == 0

        house.clock.advance(timedelta(seconds=1))
        telling.tell_all()

        assert states(desk) == {"acknowledged": 2}

    def test_a_dead_receiver_costs_one_try_a_pause_and_not_one_an_event(
        self, desk, say, telling, receiver, house
    ):
        desk.add(receiver.url)
        receiver.stop()
        for number in range(20):
            say(Act.GIVEN, number)

        assert telling.tell_all() == 1
        assert telling.tell_all() == 0

    def test_what_cannot_be_told_is_a_dead_letter_and_the_shop_knows(
        self, desk, say, telling, receiver, house
    ):
        """DS-06: a person has to do by hand what the worker could not."""
        desk.add(receiver.url)
        say(Act.GIVEN)
        telling.tell_all()
        receiver.mode = Mode.ERROR
        say(Act.WITHDRAWN)
        pass_days(telling, house, desk)

        (row,) = desk.rows(event="consent.withdrawn")
        assert (row.state, row.attempts, row.answer) == ("dead", 10, "500")
        (letter,) = house.letters("untold")
        assert letter.params == {"recipient": "CRM", "why": "given up"}
        assert "example.com" not in str(letter.params)

    def test_a_yes_that_cannot_be_told_is_nobodys_duty(
        self, desk, say, telling, receiver, house
    ):
        desk.add(receiver.url)
        receiver.mode = Mode.ERROR
        say(Act.GIVEN)
        pass_days(telling, house, desk)

        assert states(desk) == {"dead": 1}
        assert house.letters("untold") == []

    def test_a_dead_letter_can_be_tried_again_and_closed_by_hand(
        self, desk, say, telling, receiver, house
    ):
        desk.add(receiver.url)
        receiver.mode = Mode.ERROR
        say(Act.GIVEN)
        pass_days(telling, house, desk)
        receiver.mode = Mode.OK
        (row,) = desk.rows()
        with house.database.transaction() as session:
            now = house.clock.now()
            assert delivery_lists.revive(session, row.message_id, shop_id=None, now=now)
            assert not delivery_lists.told_by_hand(
                session, row.message_id, shop_id=None, now=now
            )
        telling.tell_all()

        assert {heard.id for heard in receiver.heard} == {row.message_id}
        assert states(desk) == {"acknowledged": 1}

    def test_what_waits_for_one_who_is_off_is_given_up_as_well(
        self, desk, say, telling, receiver, house
    ):
        """GDPR 19: so that nobody believes it was told."""
        key, _ = desk.add(receiver.url)
        say(Act.GIVEN)
        telling.tell_all()
        with house.database.transaction() as session:
            webhooks.turn_off(session, session.get_one(Webhook, key), why="test")
        say(Act.WITHDRAWN)
        house.clock.advance(retry.WEBHOOK_GIVE_UP_AFTER + timedelta(seconds=1))

        assert telling.give_up(now=house.clock.now())

        assert desk.events()[1] == ("consent.withdrawn", "dead")
        assert len(house.letters("untold")) == 1

    def test_what_a_killed_worker_had_taken_for_one_who_is_off_is_given_up_too(
        self, desk, say, telling, house, tools
    ):
        """T30: an address stays nowhere for good."""
        key, _ = desk.add()
        say(Act.WITHDRAWN)
        say(Act.GIVEN, 1)
        say(Act.GIVEN, 2)
        with house.database.transaction() as session:
            for _ in range(2):
                deliveries.claim_next(session, key, tools=tools, now=house.clock.now())
            webhooks.turn_off(session, session.get_one(Webhook, key), why="test")
        say(Act.WITHDRAWN, 1)
        house.clock.advance(retry.WEBHOOK_GIVE_UP_AFTER + timedelta(seconds=1))

        telling.give_up(now=house.clock.now())

        assert desk.events() == [
            ("consent.given", "dropped"),
            ("consent.given", "dead"),
            ("consent.withdrawn", "dead"),
        ]
        assert desk.rows()[0].sealed is None

    def test_what_piles_up_is_logged(self, desk, say, telling, receiver, house, capfd):
        desk.add(receiver.url)
        receiver.stop()
        say(Act.GIVEN)
        telling.tell_all()
        house.clock.advance(timedelta(hours=2))
        for _ in range(2):
            telling.give_up(now=house.clock.now())

        logged = "".join(capfd.readouterr())
        assert logged.count("a recipient has not been told") == 1
        assert "example.com" not in logged

    def test_what_nobody_thought_of_is_logged(self, desk, say, telling, house, capfd):
        key, _ = desk.add()
        say(Act.GIVEN)
        with house.database.transaction() as session:
            session.query(Delivery).one().event = "of a later version"
        with pytest.raises(ValueError, match="of a later version"):
            telling.tell_all()
        telling.close()

        assert "recipient not told" in "".join(capfd.readouterr())


class TestNobodyWaitsForAnother:
    def test_a_slow_receiver_delays_neither_neighbours_nor_mails(
        self, desk, say, house, receiver
    ):
        """F13, G7: five seconds at most."""
        telling = desk.telling(seconds=15)
        try:
            with listening() as slow:
                slow.mode = Mode.SLOW
                desk.add(slow.url, name="Slow")
                desk.add(receiver.url, name="Quick")
                for number in range(10):
                    say(Act.GIVEN, number)
                telling.start()
                began = time.monotonic()
                until(lambda: len(receiver.heard) == 10)

                assert time.monotonic() - began < 5
                assert len(slow.heard) == 1
                telling.stop()
        finally:
            telling.close()

    def test_more_slow_ones_than_threads_leave_room_for_who_answers(
        self, desk, say, house, receiver
    ):
        """Once it is known who is slow, they never have all of the threads."""
        telling = desk.telling(seconds=30)
        slow = [Receiver() for _ in range(30)]
        try:
            for each in slow:
                each.pause_s = SLOW_S + 0.1
                each.start()
                desk.add(each.url)
            say(Act.GIVEN, 1)
            telling.tell_all()
            for each in slow:
                each.mode = Mode.SLOW
            say(Act.WITHDRAWN, 1)
            telling._begin(house.clock.now)
            desk.add(receiver.url)
            say(Act.GIVEN, 2)
            telling._begin(house.clock.now)

            until(lambda: receiver.heard)
        finally:
            for each in slow:
                each.stop()
            telling.close()

    def test_a_no_does_not_queue_behind_many_yeses(
        self, desk, say, telling, receiver, house
    ):
        """WD-03: a withdrawal is told before an import of a hundred thousand."""
        desk.add(receiver.url)
        say(Act.GIVEN, 0)
        telling.tell_all()
        for number in range(1, 9):
            say(Act.GIVEN, number)
        say(Act.WITHDRAWN, 0)

        telling.tell_all()

        assert b"consent.withdrawn" in receiver.heard[1].body


class TestOrder:
    def test_no_yes_follows_its_no(self, desk, say, telling, receiver, house):
        """A yes whose tries failed is told no more once it was taken back."""
        desk.add(receiver.url)
        receiver.mode = Mode.ERROR
        say(Act.GIVEN)
        telling.tell_all()
        receiver.mode = Mode.OK
        say(Act.WITHDRAWN)
        pass_days(telling, house, desk)

        assert [b"withdrawn" in heard.body for heard in receiver.heard] == [False, True]
        assert desk.events()[0] == ("consent.given", "dropped")

    def test_a_yes_that_is_on_its_way_is_not_overtaken(
        self, desk, say, tools, house, telling, receiver
    ):
        """Another worker waits for it or for its lease, and does not repeat it."""
        key, _ = desk.add(receiver.url)
        say(Act.GIVEN)
        now = house.clock.now()
        with house.database.transaction() as session:
            assert deliveries.claim_next(session, key, tools=tools, now=now)
        say(Act.WITHDRAWN)
        assert telling.tell_all() == 0

        house.clock.advance(deliveries.LEASE)
        telling.tell_all()

        assert [b"withdrawn" in heard.body for heard in receiver.heard] == [True]

    def test_erased_between_claim_and_send_nothing_but_that_is_told(
        self, desk, say, erase, tools, house, telling, receiver
    ):
        """T30: of a worker that died with it, nobody takes it over."""
        key, _ = desk.add(receiver.url)
        who = say(Act.GIVEN)
        with house.database.transaction() as session:
            deliveries.claim_next(session, key, tools=tools, now=house.clock.now())
        erase(who)
        house.clock.advance(deliveries.LEASE)
        telling.tell_all()

        assert [b"contact.erased" in heard.body for heard in receiver.heard] == [True]
        assert all(row.sealed is None for row in desk.rows())

    def test_what_failed_while_somebody_was_erased_keeps_no_address(
        self, desk, say, erase, tools, house
    ):
        """T30: not even until its next try."""
        key, _ = desk.add()
        who = say(Act.GIVEN)
        now = house.clock.now()
        with house.database.transaction() as session:
            told = deliveries.claim_next(session, key, tools=tools, now=now)
        erase(who)
        with house.database.transaction() as session:
            deliveries.failed(session, told, answer="500", tools=tools, now=now)

        (row,) = desk.rows(event="consent.given")
        assert (row.state, row.sealed) == ("dropped", None)

    def test_what_is_on_its_way_when_somebody_is_erased_is_emptied_where_it_is(
        self, desk, say, erase, tools, house
    ):
        """T30: and still nothing overtakes it, for as long as its lease holds."""
        key, _ = desk.add()
        who = say(Act.GIVEN)
        now = house.clock.now()
        with house.database.transaction() as session:
            told = deliveries.claim_next(session, key, tools=tools, now=now)
        erase(who)

        (row,) = desk.rows(event="consent.given")
        assert (row.state, row.sealed) == ("leased", None)
        with house.database.transaction() as session:
            assert deliveries.claim_next(session, key, tools=tools, now=now) is None
            deliveries.acknowledged(session, told, answer="200", now=now)
            after = deliveries.claim_next(session, key, tools=tools, now=now)
        assert after.event == "contact.erased"

    @pytest.mark.parametrize("is_erased", [True, False])
    def test_what_a_killed_worker_had_taken_is_let_go_like_what_waits(
        self, desk, say, erase, tools, house, is_erased
    ):
        """T30: also for a recipient that is off, for which nobody takes it over."""
        key, _ = desk.add()
        who = say(Act.GIVEN)
        with house.database.transaction() as session:
            deliveries.claim_next(session, key, tools=tools, now=house.clock.now())
            webhooks.turn_off(session, session.get_one(Webhook, key), why="test")
        house.clock.advance(deliveries.LEASE)
        erase(who) if is_erased else say(Act.WITHDRAWN)

        (row,) = desk.rows(event="consent.given")
        assert (row.state, row.sealed, row.claim) == ("dropped", None, None)

    @pytest.mark.parametrize("mark", ["gone", "release"])
    def test_what_goes_back_keeps_no_address_of_who_took_it_back_meanwhile(
        self, desk, say, tools, house, mark
    ):
        """T30: the next turn may be long in coming."""
        key, _ = desk.add()
        say(Act.GIVEN)
        now = house.clock.now()
        with house.database.transaction() as session:
            told = deliveries.claim_next(session, key, tools=tools, now=now)
        say(Act.WITHDRAWN)
        with house.database.transaction() as session:
            if mark == "gone":
                deliveries.gone(session, told, tools=tools, now=now)
            else:
                deliveries.release(session, told, now=now)

        (row,) = desk.rows(event="consent.given")
        assert (row.state, row.sealed) == ("dropped", None)


class TestLeases:
    def test_a_lease_that_ran_out_marks_nothing(
        self, desk, say, tools, house, telling, receiver
    ):
        """F22: and the repetition has the same id."""
        key, _ = desk.add(receiver.url)
        say(Act.GIVEN)
        with house.database.transaction() as session:
            slept = deliveries.claim_next(
                session, key, tools=tools, now=house.clock.now()
            )
        house.clock.advance(deliveries.LEASE)
        telling.tell_all()

        with house.database.transaction() as session:
            now = house.clock.now()
            assert not deliveries.acknowledged(session, slept, answer="200", now=now)
            assert not deliveries.failed(
                session, slept, answer="500", tools=tools, now=now
            )
        assert receiver.heard[0].id == slept.message_id

    def test_whoever_slept_marks_nothing_that_another_has_in_hand(
        self, desk, say, tools, house
    ):
        """F22: not even while that one is at it."""
        key, _ = desk.add()
        say(Act.GIVEN)
        claims = []
        for _ in range(2):
            with house.database.transaction() as session:
                now = house.clock.now()
                claims.append(deliveries.claim_next(session, key, tools=tools, now=now))
            house.clock.advance(deliveries.LEASE)

        with house.database.transaction() as session:
            now = house.clock.now()
            marks = [
                deliveries.acknowledged(session, claim, answer="200", now=now)
                for claim in claims
            ]
        assert marks == [False, True]

    def test_two_workers_tell_each_thing_once(self, desk, say, receiver, house):
        """I6: on both databases."""
        from concurrent.futures import ThreadPoolExecutor

        desk.add(receiver.url)
        for number in range(40):
            say(Act.GIVEN, number)
        workers = [desk.telling() for _ in range(4)]
        try:
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda each: each.tell_all(), workers))
            workers[0].tell_all()
        finally:
            for each in workers:
                each.close()

        ids = [heard.id for heard in receiver.heard]
        assert len(ids) == len(set(ids)) == 40
        assert states(desk) == {"acknowledged": 40}

    def test_what_was_heard_though_the_line_broke_comes_again_under_its_id(
        self, desk, say, telling, receiver, house
    ):
        desk.add(receiver.url)
        receiver.mode = Mode.CUT
        say(Act.GIVEN)
        telling.tell_all()
        receiver.mode = Mode.OK
        pass_days(telling, house, desk)

        first, second = receiver.heard
        assert (first.id, first.body) == (second.id, second.body)
