"""A raffle from its promise to the last prize, on both databases (PZ-04, PZ-08)."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from server.domain import raffle as rules
from server.domain.parts import FileError
from server.domain.raffle_record import verify
from server.models import (
    Entry,
    Raffle,
    RaffleList,
    RafflePlace,
    RaffleStep,
)
from server.services import (
    campaigns,
    raffle_places,
    raffle_records,
    raffles,
    unclaimed,
)
from tests.factories import campaign_file
from tests.raffles import (
    CODE,
    FIVE,
    UNTIL_DRAW,
    raffle_file,
    raffle_table,
    record,
    take_part,
    winners,
)
from tests.visits import at_once, few_mugs, take_card

OVER = timedelta(days=8)


def claim(house, number: int) -> bool:
    with house.database.transaction() as session:
        place = session.scalars(select(RafflePlace).filter_by(number=number)).one()
        return raffle_places.claim(session, place.id, now=house.clock.now())


def test_what_is_promised_is_there_before_the_first_entry(publish, house, vault):
    publish(raffle_file(1, 2, reserves=3))

    found, lines = record(house)

    (row,) = house.rows(Raffle)
    secret = vault.open(row.sealed_secret, about=b"raffle|summer-raffle|main")
    assert rules.commitment(secret) == row.commitment == found.promise.commitment
    assert secret not in b"".join(lines)
    assert secret.hex().encode() not in b"".join(lines)
    assert verify(lines).promise == found.promise
    assert found.promise.prizes == (("prize1", 1), ("prize2", 2))
    assert row.draws_at == house.clock.now() + UNTIL_DRAW
    assert found.balance == rules.Balance(3, 0, 3, 0)


def test_nobody_is_told_to_take_part_after_the_list_was_made(
    publish, client, house, desk
):
    """PZ-08: a claim has its hour, also where no worker ended it before the draw."""
    raffle = raffle_table(1, draws_after_hours=rules.LEAST_HOURS)
    publish(few_mugs(3, "lucky-scratch", days=30, raffles=[raffle]))
    house.clock.advance(timedelta(days=30) - timedelta(minutes=5))
    cards = [take_card(client, "lucky-inline") for _ in range(3)]
    for card in cards:
        assert card.play(client).status_code == 200
    house.clock.advance(unclaimed.RESERVED_FOR - timedelta(seconds=1))
    in_time = cards[0].claim(client, "ann@example.com")
    house.clock.advance(timedelta(hours=1, minutes=6))
    before_the_list = cards[1].claim(client, "ben@example.com")

    desk.go_round()
    after_it = cards[2].claim(client, "cas@example.com")

    assert in_time.status_code == 200
    assert before_the_list.status_code == after_it.status_code == 410
    assert "The time to claim is over" in after_it.text
    assert "for one hour after the play" in after_it.text
    assert "play again" not in after_it.text
    (row,) = house.rows(Raffle)
    assert (row.state, row.labels) == ("listed", 1)


def test_no_list_is_made_while_a_play_can_still_be_claimed():
    """A play of the last moment has its hour, and any raffle waits for longer."""
    assert timedelta(hours=rules.LEAST_HOURS) > unclaimed.RESERVED_FOR


def test_it_closes_and_draws_when_its_time_has_come(publish, client, house, desk):
    publish(raffle_file(1, 1, reserves=2))
    take_part(client, *FIVE)

    early = desk.go_round(UNTIL_DRAW - timedelta(seconds=1))
    closing = desk.go_round(timedelta(seconds=1))
    closed, list_only = record(house)
    drawing = desk.go_round()
    rest = desk.go_round()
    found, lines = record(house)

    assert (early, closing, drawing, rest) == (0, 1, 1, 0)
    assert closed.listed.labels == 5
    assert verify(list_only).drawn is None
    assert lines[: len(list_only)] == list_only
    report = verify(lines)
    tickets = {entry.id: entry.ticket for entry in house.rows(Entry)}
    places = house.rows(RafflePlace)
    assert report.drawn.places == tuple(
        rules.label(tickets[place.entry_id]) for place in places
    )
    assert desk.places() == ["offered", "offered", "reserve", "reserve"]
    assert [place.unit for place in places] == [1, 2, None, None]
    assert [letter.to.partition("@")[0] for letter in house.letters("won")] == winners(
        house
    )[:2]
    assert found.balance == rules.Balance(2, 0, 2, 0)


def test_what_is_not_claimed_goes_to_the_next_reserve(publish, client, house, desk):
    """PZ-04, PZ-13: reserves come in turn, the balance is nought, each step is kept."""
    publish(raffle_file(1, 1, reserves=1))
    take_part(client, *FIVE)
    desk.finish()

    assert claim(house, 1)
    desk.finish(OVER)
    passed_on, _ = record(house)
    desk.finish(OVER)
    end, _ = record(house)

    assert desk.places() == ["claimed", "lapsed", "lapsed"]
    assert [place.unit for place in house.rows(RafflePlace)] == [1, 2, 2]
    assert passed_on.balance == rules.Balance(2, 1, 1, 0)
    assert end.balance == rules.Balance(2, 1, 0, 1)
    assert end.balance.is_settled
    told = [(step.place_id, step.step, step.note) for step in house.rows(RaffleStep)]
    first, second, third = (place.id for place in house.rows(RafflePlace))
    assert told == [
        (first, "offered", None),
        (second, "offered", None),
        (first, "claimed", None),
        (third, "offered", None),
        (second, "lapsed", None),
        (third, "lapsed", "no reserve is left"),
    ]
    assert len(house.letters("won")) == 3


def test_a_prize_is_claimed_once_and_in_time(publish, client, house, desk):
    publish(raffle_file(1, reserves=0))
    take_part(client, *FIVE)
    desk.finish()
    (place,) = house.rows(RafflePlace)
    # Seven whole days, and the rest of the one on which it was drawn.
    assert place.claim_by - house.clock.now() > timedelta(days=7)

    house.clock.moment = place.claim_by - timedelta(seconds=1)
    first, second = claim(house, 1), claim(house, 1)

    assert (first, second) == (True, False)


def test_a_late_claim_finds_it_gone_though_no_worker_came_by(
    publish, client, house, desk
):
    publish(raffle_file(1, reserves=0))
    take_part(client, *FIVE)
    desk.finish()
    house.clock.moment = house.rows(RafflePlace)[0].claim_by

    assert not claim(house, 1)
    with house.database.reading() as session:
        entry = house.rows(RafflePlace)[0].entry_id
        file = campaigns.load(session, CODE)
        (win,) = raffle_places.wins(session, entry, file, now=house.clock.now())
    assert win.state == "lapsed"


def test_many_workers_draw_once(publish, client, house, desk):
    publish(raffle_file(1, 1, reserves=2))
    take_part(client, *FIVE)
    now = house.clock.advance(UNTIL_DRAW)
    rounds = [partial(desk.raffling.go_round, now=now) for _ in range(12)]

    steps = at_once(rounds, threads=6)

    desk.finish(timedelta())
    assert sum(steps) <= 2
    assert desk.places() == ["offered", "offered", "reserve", "reserve"]
    assert len(house.letters("won")) == 2
    assert len(house.rows(RaffleList)) == 1


def test_many_workers_pass_each_prize_on_once(publish, client, house, desk):
    publish(raffle_file(2, reserves=3))
    take_part(client, *FIVE)
    desk.finish()
    now = house.clock.advance(OVER)
    rounds = [partial(desk.raffling.go_round, now=now) for _ in range(6)]

    steps = at_once(rounds, threads=6)

    assert sum(steps) == 2
    assert desk.places() == ["lapsed", "lapsed", "offered", "offered", "reserve"]
    assert [place.unit for place in house.rows(RafflePlace)] == [1, 2, 1, 2, None]


def test_a_worker_that_dies_while_it_draws_leaves_nothing(
    publish, client, house, desk, monkeypatch
):
    publish(raffle_file(1, 1))
    take_part(client, *FIVE)
    desk.go_round(UNTIL_DRAW)
    offer = raffle_places.offer_next

    def dies_at_the_second(session, raffle_id, unit, **rest):
        if unit == 2:
            raise KeyboardInterrupt
        return offer(session, raffle_id, unit, **rest)

    monkeypatch.setattr(raffle_places, "offer_next", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        desk.go_round()
    torn = (desk.places(), house.letters("won"), house.rows(Raffle)[0].state)
    monkeypatch.undo()
    monkeypatch.setattr("server.clock.now", house.clock.now)

    desk.finish(timedelta())

    assert torn == ([], [], "listed")
    assert desk.places() == ["offered", "offered", "reserve"]


def test_the_same_list_gives_the_same_draw_whoever_does_it(
    publish, client, house, desk
):
    publish(raffle_file(3))
    take_part(client, *FIVE)
    desk.go_round(UNTIL_DRAW)
    parts = house.app.extensions
    with house.database.reading() as session:
        (due,) = raffles.due(session, now=house.clock.now())
        both = [
            raffles.reckon(
                session, due, directory=parts["directory"], vault=house.vault
            )
            for _ in range(2)
        ]

    assert both[0] == both[1]


class TestFewOrNone:
    def test_fewer_people_than_prizes(self, publish, client, house, desk):
        publish(raffle_file(2, 2))
        take_part(client, "ann", "ben", "cas")

        desk.finish()

        found, lines = record(house)
        assert verify(lines).drawn.places == found.drawn.places
        assert found.balance == rules.Balance(4, 0, 3, 1)
        assert desk.places() == ["offered", "offered", "offered"]

    def test_nobody(self, publish, house, desk):
        publish(raffle_file(2))

        desk.finish()

        found, lines = record(house)
        assert verify(lines).drawn.places == ()
        assert found.balance == rules.Balance(2, 0, 0, 2)


class TestPublicRandomness:
    NAMED = {"nl": "De trekking van 1 mei", "en": "The draw of 1 May"}

    def tell(self, house, value: bytes = b"\x07\x2a"):
        with house.database.transaction() as session:
            raffles.tell_randomness(session, raffles.find(session, CODE), value)

    def test_the_draw_waits_for_it_and_the_list_does_not(
        self, publish, client, house, desk
    ):
        publish(raffle_file(1, randomness=self.NAMED))
        take_part(client, *FIVE)
        desk.finish()
        waits, early = record(house)

        self.tell(house)
        desk.finish(timedelta(days=1))

        found, lines = record(house)
        assert waits.drawn is None
        assert waits.listed.labels == 5
        assert lines[: len(early)] == early
        assert verify(lines).drawn.randomness == b"\x07\x2a"
        assert verify(lines).promise.randomness == "The draw of 1 May"
        assert len(found.drawn.places) == 2

    def test_it_comes_after_the_list_and_only_once(self, publish, client, house, desk):
        publish(raffle_file(1, randomness=self.NAMED))
        take_part(client, "ann")
        with pytest.raises(raffles.NotAwaitedError):
            self.tell(house)
        desk.finish()

        self.tell(house)

        with pytest.raises(raffles.NotAwaitedError):
            self.tell(house, b"another")
        desk.finish(timedelta())
        assert record(house)[0].drawn.randomness == b"\x07\x2a"

    def test_a_raffle_that_named_none_takes_none(self, publish, client, house, desk):
        publish(raffle_file(1))
        desk.go_round(UNTIL_DRAW)

        with pytest.raises(raffles.NotAwaitedError):
            self.tell(house)


class TestWhatWasPromised:
    def test_it_stays_as_it_was_published(self, publish, house):
        """PZ-09."""
        publish(raffle_file(1))
        for change in (
            {"reserves": 2},
            {"claim_days": 8},
            {"draws_after_hours": 48},
            {"once_per_person": False},
            {"randomness": TestPublicRandomness.NAMED},
            {"key": "other"},
            {"prizes": raffle_table(2)["prizes"]},
        ):
            with pytest.raises(FileError, match="raffles: is fixed once published"):
                publish(raffle_file(1, **change))

        assert [row.key for row in house.rows(Raffle)] == ["main"]

    def test_words_about_a_prize_may_get_better(self, publish, house):
        publish(raffle_file(1))
        tables = raffle_table(1)
        tables["prizes"][0]["texts"]["en"] = {"label": "A bicycle", "claim": "Yours."}

        publish(campaign_file(CODE, raffles=[tables]))

        assert record(house)[0].file.prizes[0].texts["en"].label == "A bicycle"

    def test_a_draft_has_the_rows_of_its_newest_file(self, session, vault, now):
        from tests.factories import shop_file, with_pictures

        campaigns.save_shop(
            session, with_pictures(session, shop_file(), now=now), now=now
        )

        def draft(*tables):
            campaigns.save(
                session,
                campaign_file(CODE, raffles=list(tables)),
                vault=vault,
                now=now,
                random=lambda count: b"r" * count,
                publish=False,
            )
            rows = session.scalars(select(Raffle).order_by(Raffle.key)).all()
            return [(row.key, row.needs_randomness, row.draws_at) for row in rows]

        later = raffle_table(1, key="late", draws_after_hours=48)
        day = timedelta(days=1)

        assert draft(raffle_table(1), later) == [
            ("late", False, now + 32 * day),
            ("main", False, now + 31 * day),
        ]
        assert draft(
            raffle_table(1, draws_after_hours=72, randomness=TestPublicRandomness.NAMED)
        ) == [("main", True, now + 33 * day)]
        assert raffle_records.of_campaign(session, CODE) == []
