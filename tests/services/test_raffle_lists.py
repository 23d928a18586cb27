"""Who is on a raffle's list, and who is left out of it, on both databases (PZ-10)."""

import pytest
from sqlalchemy import select

from server.domain import raffle as rules
from server.models import Entry, Raffle, RaffleExclusion, RafflePlace
from server.services import raffles, shops, vouchers
from server.services.vouchers import By
from tests.factories import campaign_file, prize_table
from tests.raffles import (
    CODE,
    FIVE,
    PAGE,
    UNTIL_DRAW,
    free_raffle,
    raffle_file,
    raffle_table,
    record,
    take_part,
    winners,
)
from tests.visits import NOTHING, take_card


def exclude(house, label, why="an employee"):
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


def label_of(house, name: str) -> str:
    person = house.person(f"{name}@example.com")
    with house.database.reading() as session:
        ticket = session.scalars(
            select(Entry.ticket).where(Entry.contact_id == person.id).order_by(Entry.id)
        ).first()
        return rules.label(ticket)


@pytest.mark.parametrize(("person", "taken"), [("address", 6), ("mailbox", 3)])
def test_a_person_counts_once_by_the_rule_of_the_campaign(
    publish, client, house, desk, person, taken
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
    assert label_of(house, "jan").encode() in b"".join(lines)
    assert label_of(house, "j.an").encode() in b"".join(lines)


def test_every_entry_counts_where_the_file_says_so(publish, client, house, desk):
    publish(free_raffle(raffles=[raffle_table(1, once_per_person=False)]))
    take_part(client, "ann", "ann", "ben")

    desk.finish()

    assert record(house)[0].listed.labels == 3


def test_who_was_left_out_is_not_drawn_and_the_reason_is_kept(
    publish, client, house, desk
):
    publish(raffle_file(6))
    take_part(client, *FIVE)
    label = label_of(house, "ann")

    done = [exclude(house, label), exclude(house, label.upper())]
    desk.finish()

    found, lines = record(house)
    assert done == [True, False]
    assert "ann" not in winners(house)
    assert found.listed.excluded == {"excluded": 1}
    (kept,) = house.rows(RaffleExclusion)
    assert (kept.note, kept.by) == ("an employee", "operator")
    assert b"employee" not in b"".join(lines)


def test_nobody_is_left_out_once_the_list_is_closed(publish, client, house, desk):
    publish(raffle_file(1))
    take_part(client, *FIVE)
    desk.go_round(UNTIL_DRAW)

    with pytest.raises(raffles.ClosedError):
        exclude(house, label_of(house, "ann"))

    assert house.rows(RaffleExclusion) == []


@pytest.mark.parametrize("label", ["", "e_none", "e_" + 26 * "a"])
def test_a_label_of_nobody_is_told(publish, client, house, label):
    publish(raffle_file(1))
    take_part(client, "ann")

    with pytest.raises(raffles.UnknownLabelError):
        exclude(house, label)


def test_a_list_is_not_closed_on_an_older_look(publish, client, house):
    publish(raffle_file(1))
    take_part(client, *FIVE)
    parts = house.app.extensions
    now = house.clock.advance(UNTIL_DRAW)
    with house.database.reading() as session:
        (due,) = raffles.due(session, now=now)
        gathered = raffles.gather(
            session, due, directory=parts["directory"], vault=house.vault
        )
    exclude(house, label_of(house, "ann"))

    with house.database.transaction() as session:
        is_closed = raffles.close(session, gathered, now=now)

    assert not is_closed
    assert house.rows(Raffle)[0].state == "waiting"


def test_who_says_it_was_not_them_is_left_out(publish, client, house, desk):
    publish(raffle_file(1))
    take_part(client, "ann")
    card = take_card(client, "summer-raffle-page")
    card.enter(client, "ben@example.com", consents=["newsletter"])
    link = house.link("confirm", to="ben@example.com")
    assert client.post(f"{link}/not-me").status_code == 303

    desk.finish()

    assert record(house)[0].listed.excluded == {"not_me": 1}
    assert winners(house) == ["ann"]


def test_who_says_no_to_mail_still_takes_part(publish, client, house, desk):
    """CR-02: a consent, or its end, changes nothing."""
    publish(raffle_file(1))
    take_part(client, "ann")
    link = house.link("unsubscribe", to="ann@example.com")
    client.post(link)

    desk.finish()

    assert winners(house) == ["ann"]


def test_whose_prize_was_taken_back_is_left_out(publish, client, house, desk):
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
        shop_id = shops.id_of(session, "demo")
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


def test_a_ticket_is_the_way_in_where_a_prize_is_one(publish, client, house, desk):
    ticket = prize_table("ticket", kind="ticket", raffle="main", stock=None, weight=1)
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
    publish, client, house, desk
):
    publish(campaign_file("lucky-scratch", days=30, raffles=[raffle_table(1)]))
    card = take_card(client, "lucky-inline")
    card.play(client)
    card = take_card(client, "lucky-inline")
    card.play(client)
    card.claim(client, "ann@example.com")

    desk.finish()

    assert record(house, code="lucky-scratch")[0].listed.labels == 1


def test_a_long_list_is_read_in_ranges(publish, client, house, desk, monkeypatch):
    monkeypatch.setattr(raffles, "AT_ONCE", 2)
    monkeypatch.setattr(raffles, "IN_ONE_QUESTION", 2)
    publish(free_raffle(raffles=[raffle_table(4, reserves=1)]))
    take_part(client, *FIVE, *FIVE[:3])

    desk.finish()

    assert record(house)[0].listed.labels == 5
    assert len(house.rows(RafflePlace)) == 5
    assert len(house.rows(RaffleExclusion)) == 3
