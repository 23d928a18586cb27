"""A raffle from its promise to the last prize, on both databases (PZ-04, PZ-08)."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from server.domain import raffle as rules
from server.domain.parts import FileError
from server.domain.raffle_record import verify
from server.models import (
    Contact,
    Entry,
    Raffle,
    RaffleExclusion,
    RaffleList,
    RafflePlace,
    RaffleStep,
)
from server.services import campaigns, raffle_places, raffle_records, raffles, vouchers
from server.services.vouchers import By
from tests.factories import campaign_file, prize_table
from tests.raffles import (
    CODE,
    PAGE,
    UNTIL_DRAW,
    Desk,
    free_raffle,
    raffle_file,
    raffle_table,
    take_part,
)
from tests.visits import NOTHING, at_once, take_card

FIVE = ("ann", "ben", "cas", "dee", "eva")
OVER = timedelta(days=8)


@pytest.fixture
def desk(house) -> Desk:
    return Desk(house)


def record(house, key="main", code=CODE):
    with house.database.reading() as session:
        found = raffle_records.find(session, code, key)
        return found, list(raffle_records.lines(session, found))


def winners(house) -> list[str]:
    """Return the names of who was drawn, in order."""
    with house.database.reading() as session:
        emails = session.scalars(
            select(Contact.email)
            .join(Entry, Entry.contact_id == Contact.id)
            .join(RafflePlace, RafflePlace.entry_id == Entry.id)
            .order_by(RafflePlace.number)
        )
        return [email.partition("@")[0] for email in emails]


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
    """PZ-04: the balance is nought in the end, and each step is kept."""
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


class TestWhoTakesPart:
    def exclude(self, house, label, why="an employee"):
        with house.database.transaction() as session:
            known = raffles.find(session, CODE)
            return raffles.exclude(
                session,
                known,
                label,
                why=why,
                by="operator",
                directory=house.app.extensions["directory"],
                now=house.clock.now(),
            )

    def label(self, house, name: str) -> str:
        with house.database.reading() as session:
            ticket = session.scalars(
                select(Entry.ticket)
                .join(Contact, Contact.id == Entry.contact_id)
                .where(Contact.email == f"{name}@example.com")
            ).first()
            return rules.label(ticket)

    @pytest.mark.parametrize(("person", "taken"), [("address", 6), ("mailbox", 3)])
    def test_a_person_counts_once_by_the_rule_of_the_campaign(
        self, publish, client, house, desk, person, taken
    ):
        """PZ-10: the one that limits go by; dots may tell people apart (023)."""
        publish(free_raffle(person=person))
        take_part(client, "jan", "Jan", "j.an", "jan+more")
        for email in ("eva@gmail.com", "e.va@gmail.com", "eva+x@googlemail.com"):
            take_card(client, PAGE).enter(client, email)

        desk.finish()

        found, lines = record(house)
        assert found.listed.labels == taken
        assert found.listed.excluded == {"duplicate": 7 - taken}
        assert self.label(house, "jan").encode() in b"".join(lines)
        assert self.label(house, "j.an").encode() in b"".join(lines)

    def test_every_entry_counts_where_the_file_says_so(
        self, publish, client, house, desk
    ):
        publish(free_raffle(raffles=[raffle_table(1, once_per_person=False)]))
        take_part(client, "ann", "ann", "ben")

        desk.finish()

        assert record(house)[0].listed.labels == 3

    def test_who_was_left_out_is_not_drawn_and_the_reason_is_kept(
        self, publish, client, house, desk
    ):
        publish(raffle_file(6))
        take_part(client, *FIVE)
        label = self.label(house, "ann")

        done = [self.exclude(house, label), self.exclude(house, label.upper())]
        desk.finish()

        found, lines = record(house)
        assert done == [True, False]
        assert "ann" not in winners(house)
        assert found.listed.excluded == {"excluded": 1}
        (kept,) = house.rows(RaffleExclusion)
        assert (kept.note, kept.by) == ("an employee", "operator")
        assert b"employee" not in b"".join(lines)

    def test_nobody_is_left_out_once_the_list_is_closed(
        self, publish, client, house, desk
    ):
        publish(raffle_file(1))
        take_part(client, *FIVE)
        desk.go_round(UNTIL_DRAW)

        with pytest.raises(raffles.ClosedError):
            self.exclude(house, self.label(house, "ann"))

        assert house.rows(RaffleExclusion) == []

    @pytest.mark.parametrize("label", ["", "e_none", "e_" + 26 * "a"])
    def test_a_label_of_nobody_is_told(self, publish, client, house, label):
        publish(raffle_file(1))
        take_part(client, "ann")

        with pytest.raises(raffles.UnknownLabelError):
            self.exclude(house, label)

    def test_a_list_is_not_closed_on_an_older_look(self, publish, client, house):
        publish(raffle_file(1))
        take_part(client, *FIVE)
        parts = house.app.extensions
        now = house.clock.advance(UNTIL_DRAW)
        with house.database.reading() as session:
            (due,) = raffles.due(session, now=now)
            gathered = raffles.gather(session, due, directory=parts["directory"])
        self.exclude(house, self.label(house, "ann"))

        with house.database.transaction() as session:
            is_closed = raffles.close(session, gathered, now=now)

        assert not is_closed
        assert house.rows(Raffle)[0].state == "waiting"

    def test_who_says_it_was_not_them_is_left_out(self, publish, client, house, desk):
        publish(raffle_file(1))
        take_part(client, "ann")
        card = take_card(client, "summer-raffle-page")
        card.enter(client, "ben@example.com", consents=["newsletter"])
        link = house.link("confirm", to="ben@example.com")
        assert client.post(f"{link}/not-me").status_code == 303

        desk.finish()

        assert record(house)[0].listed.excluded == {"not_me": 1}
        assert winners(house) == ["ann"]

    def test_who_says_no_to_mail_still_takes_part(self, publish, client, house, desk):
        """CR-02: a consent, or its end, changes nothing."""
        publish(raffle_file(1))
        take_part(client, "ann")
        link = house.link("unsubscribe", to="ann@example.com")
        client.post(link)

        desk.finish()

        assert winners(house) == ["ann"]

    def test_whose_prize_was_taken_back_is_left_out(self, publish, client, house, desk):
        publish(
            campaign_file(
                CODE,
                award="same-gift",
                prizes=[prize_table(stock=None)],
                texts__nl__won="Raak",
                texts__en__won="You win",
                raffles=[raffle_table(1)],
            )
        )
        take_part(client, "ann", "ben")
        code = house.letters("prize", to="ann@example.com")[0].params["code"]
        with house.database.transaction() as session:
            shop_id = vouchers.shop_id(session, "demo")
            vouchers.revoke(
                session,
                shop_id,
                code,
                by=By("operator"),
                why="fraud",
                directory=house.app.extensions["directory"],
                now=house.clock.now(),
            )

        desk.finish()

        assert record(house)[0].listed.excluded == {"revoked": 1}
        assert winners(house) == ["ben"]

    def test_a_ticket_is_the_way_in_where_a_prize_is_one(
        self, publish, client, house, desk
    ):
        ticket = prize_table(
            "ticket", kind="ticket", raffle="main", stock=None, weight=1
        )
        del ticket["stock"]
        publish(
            campaign_file(
                "welcome-scratch",
                prizes=[ticket, NOTHING | {"weight": 1}],
                fallback="nothing",
                days=30,
                raffles=[raffle_table(3)],
            )
        )
        take_part(client, "ann", "ben", "cas", code="welcome-inline")
        # As chance might have had it.
        with house.database.transaction() as session:
            for entry, awarded in zip(
                session.scalars(select(Entry).order_by(Entry.id)),
                ("ticket", "nothing", "ticket"),
                strict=True,
            ):
                entry.awarded = awarded
        drawn = {rules.label(e.ticket) for e in house.rows(Entry, awarded="ticket")}

        desk.finish()

        found, lines = record(house, code="welcome-scratch")
        listed = {line for line in b"".join(lines).decode().split('"') if "e_" in line}
        assert found.listed.labels == 2
        assert drawn == listed
        assert house.rows(Raffle)[0].state == "drawn"

    def test_who_never_said_who_they_are_takes_part_in_nothing(
        self, publish, client, house, desk
    ):
        publish(campaign_file("lucky-scratch", days=30, raffles=[raffle_table(1)]))
        card = take_card(client, "lucky-inline")
        card.play(client)
        card = take_card(client, "lucky-inline")
        card.play(client)
        card.claim(client, "ann@example.com")

        desk.finish()

        assert record(house, code="lucky-scratch")[0].listed.labels == 1

    def test_a_long_list_is_read_in_ranges(
        self, publish, client, house, desk, monkeypatch
    ):
        monkeypatch.setattr(raffles, "AT_ONCE", 2)
        monkeypatch.setattr(raffles, "IN_ONE_QUESTION", 2)
        publish(free_raffle(raffles=[raffle_table(4, reserves=1)]))
        take_part(client, *FIVE, *FIVE[:3])

        desk.finish()

        assert record(house)[0].listed.labels == 5
        assert len(house.rows(RafflePlace)) == 5
        assert len(house.rows(RaffleExclusion)) == 3


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
