"""Whichever statement fails, all of it is stored or nothing (SAFETY.md F5, G5).

The same ticket, link or code then works as soon as the database does.
"""

import os
from datetime import timedelta
from functools import partial

import pytest

from server.models import BoxCode, Device, Entry, Voucher
from server.services import devices, lapses, unclaimed
from server.services.campaigns import Directory
from tests.boxes import PLACEMENT, fill_boxes, take_box
from tests.factories import campaign_file, prize_table
from tests.factories import publish as publish_in
from tests.faults import fail_everywhere
from tests.office import furnish, play, token
from tests.raffles import UNTIL_DRAW, Desk, raffle_file, take_part
from tests.visits import NOTHING, few_mugs, sure_win, take_card
from tests.visits import House as Inside

ADA = "ada@home.example"
PURPOSES = ("newsletter", "personal_offers")


def test_an_entry(publish, client, house):
    """I1, I2: person, draw, stock, consents, mails: all of it or nothing."""
    publish(few_mugs(3))
    card = take_card(client)

    failed, answer = fail_everywhere(
        house, lambda: card.enter(client, consents=PURPOSES)
    )

    assert answer.status_code == 200
    assert failed == {
        *("contact", "mailbox", "entry", "voucher", "evidence", "consent_event"),
        *("optin", "link", "outbox", "text", "month_key", "consent_question"),
        "COMMIT",
    }
    assert {letter.kind for letter in house.letters()} == {"prize", "confirm"}
    assert house.rows(Entry)[0].awarded == "mug"


def test_a_second_entry(publish, client, house):
    """What only a known visitor and an unlimited prize lead to."""
    publish(sure_win())
    take_card(client).enter(client)
    card = take_card(client)

    failed, answer = fail_everywhere(house, lambda: card.enter(client))

    assert answer.status_code == 200
    assert {"contact", "mailbox", "voucher"} <= failed
    assert len(house.rows(Entry)) == 2


def test_a_play_and_its_claim(publish, client, house):
    """The prize is reserved with the play, and is awarded with the claim."""
    publish(few_mugs(3, "lucky-scratch"))
    card = take_card(client, "lucky-inline")

    played, answer = fail_everywhere(house, lambda: card.play(client))
    assert answer.status_code == 200
    assert played == {"entry", "voucher", "COMMIT"}
    claimed, answer = fail_everywhere(
        house, lambda: card.claim(client, consents=PURPOSES)
    )

    assert answer.status_code == 200
    assert {"entry", "voucher", "contact", "consent_event"} <= claimed
    assert [entry.state for entry in house.rows(Entry)] == ["claimed"]
    assert [unit.state for unit in house.rows(Voucher)].count("awarded") == 1


@pytest.mark.parametrize(
    ("changes", "more", "tables"),
    [
        (
            {"kind": "refund", "value_cents": 1_500},
            {"order": "A-1001", "order_amount": "49,95"},
            {"entry", "voucher", "purchase"},
        ),
        (
            {"kind": "choice", "stock": None, "options": ["tea", "bag"]},
            {"choice": "bag"},
            {"entry", "voucher"},
        ),
    ],
    ids=["an order won back", "a choice"],
)
def test_a_claim_that_says_more(publish, client, house, changes, more, tables):
    """PZ-01: what the winner adds while claiming is kept with the claim, or not."""
    others = [prize_table(key, stock=None, weight=0) for key in ("tea", "bag")]
    won = prize_table(**{"stock": 3} | changes)
    publish(
        campaign_file(
            "welcome-scratch", prizes=[won, *others], fallback="bag", flow="play-first"
        )
    )
    card = take_card(client)
    assert card.play(client).status_code == 200

    failed, answer = fail_everywhere(house, lambda: card.claim(client, more=more))

    assert answer.status_code == 200, answer.text
    assert tables <= failed
    assert [unit.state for unit in house.rows(Voucher)].count("awarded") == 1


def test_a_raffle_from_its_closing_to_its_draw(publish, client, house):
    """I7: list, places and letters to the winners come together, or none of them."""
    publish(raffle_file(1, reserves=1))
    take_part(client, "ann", "ben", "cas")
    desk = Desk(house)
    house.clock.advance(UNTIL_DRAW)

    closed, _ = fail_everywhere(house, desk.go_round)
    drawn, _ = fail_everywhere(house, desk.go_round)

    assert {"raffle", "raffle_list", "COMMIT"} <= closed
    assert {"raffle", "raffle_place", "outbox", "COMMIT"} <= drawn
    assert desk.places() == ["offered", "reserve"]
    assert len(house.letters("won")) == 1


def test_a_prize_of_a_raffle_that_passes_on_and_is_claimed(publish, client, house):
    """PZ-04: who was late has lost it and the reserve has it, or neither."""
    publish(raffle_file(1, reserves=1))
    take_part(client, "ann", "ben", "cas")
    desk = Desk(house)
    desk.finish()
    house.clock.advance(timedelta(days=8))

    passed, _ = fail_everywhere(house, desk.go_round)
    link = house.link("claim", to=house.letters("won")[1].to)
    claimed, answer = fail_everywhere(house, lambda: client.post(f"{link}/main"))

    assert {"raffle_place", "raffle_step", "link", "outbox", "COMMIT"} <= passed
    assert claimed == {"raffle_place", "raffle_step", "COMMIT"}
    assert answer.status_code == 303
    assert desk.places() == ["lapsed", "claimed"]


def test_a_play_with_a_box_code(publish, client, house, database, vault, now):
    """PZ-11: the code is used up with the play, or it is not."""
    place = {"code": PLACEMENT, "channel": "box", "shape": "page"}
    publish(few_mugs(2, "lucky-scratch", placements=[place]))
    (label,) = fill_boxes(database, vault, now=now, size=1).labels
    card = take_box(client, label)

    failed, answer = fail_everywhere(house, lambda: card.play(client))

    assert answer.status_code == 200
    assert "box_code" in failed
    assert house.rows(BoxCode)[0].entry_id == house.rows(Entry)[0].id


def test_a_confirmation_and_a_withdrawal(publish, client, house):
    """I2: no consent without its proof, no proof without its consent."""
    publish(sure_win())
    take_card(client).enter(client, consents=PURPOSES)
    link, stop = house.link("confirm"), house.link("unsubscribe")
    form = {"shown": house.shown(client, link)}

    failed, answer = fail_everywhere(house, lambda: client.post(link, data=form))
    assert answer.status_code == 303
    assert {"optin", "consent_event", "standing"} <= failed
    assert set(house.standing().values()) == {"given"}
    failed, answer = fail_everywhere(house, lambda: client.post(stop))

    assert answer.status_code == 303
    assert {"consent_event", "standing"} <= failed
    assert set(house.standing().values()) == {"withdrawn"}


def test_a_redemption_by_key(publish, client, house, database, vault, now):
    publish(few_mugs(1))
    take_card(client).enter(client)
    (unit,) = house.rows(Voucher)
    key = give_key(database, vault, now)

    def redeem():
        return client.post(
            "/api/v1/vouchers/redeem",
            json={"code": unit.code},
            headers={"Authorization": f"Bearer {key}"},
        )

    failed, answer = fail_everywhere(house, redeem)

    assert answer.json["result"] == "redeemed"
    assert failed == {"voucher", "COMMIT"}


def give_key(database, vault, now):
    """Let a till's own program in, and return its key."""
    with database.transaction() as session:
        devices.add(
            session,
            shop_code="demo",
            name="Till 1",
            vault=vault,
            now=now,
            random=os.urandom,
        )
        public_id = session.query(Device).one().public_id
        return devices.give_key(session, public_id, random=os.urandom)


@pytest.mark.parametrize(
    ("act", "tables"),
    [
        ("redeem", {"voucher", "audit", "COMMIT"}),
        ("revoke", {"voucher", "voucher_step", "audit", "COMMIT"}),
    ],
)
def test_what_the_office_does(app, database, vault, clock, now, act, tables):
    """Both leave their line in the audit, or have not happened."""
    house, inside = furnish(app, database, now), Inside(app, database, vault, clock)
    with database.transaction() as session:
        publish_in(session, few_mugs(2, "lucky-scratch"), vault=vault, now=now)
    play(app, database, now, email=ADA, placement="lucky-inline")
    code = inside.letters("prize", to=ADA)[0].params["code"]
    browser = house.client(house.owner)
    form = {"code": code, "why": "a robot", "csrf_token": token(browser)}
    send = partial(browser.post, f"/office/demo/vouchers/{act}", data=form)

    failed, answer = fail_everywhere(inside, send)

    assert answer.status_code == 200
    assert failed == tables
    assert inside.rows(Voucher, code=code)[0].state == f"{act.rstrip('e')}ed"
    assert house.audits() == [f"voucher.{act}"]


def test_mailing_a_prize_again(publish, client, house, clock):
    publish(few_mugs(1))
    take_card(client).enter(client)
    link = house.link("prize")
    clock.advance(timedelta(minutes=11))

    failed, answer = fail_everywhere(house, lambda: client.post(f"{link}/mail"))

    assert answer.status_code == 303
    assert {"mailbox", "link", "outbox", "voucher_step"} <= failed
    assert len(house.letters("prize")) == 2


def test_what_lapses(publish, client, house, vault, clock, database):
    """The unit of an unclaimed play returns, and so does one whose days are over."""
    mug = prize_table(valid_days=1, returns=True)
    publish(campaign_file("lucky-scratch", prizes=[mug, NOTHING], fallback="nothing"))
    take_card(client, "lucky-inline").play(client)
    clock.advance(timedelta(hours=1))

    def given_back():
        with database.transaction() as session:
            return unclaimed.lapse_due(session, now=clock.now())

    def over():
        with database.transaction() as session:
            return lapses.lapse_due(
                session,
                directory=Directory(vault),
                random=os.urandom,
                now=clock.now(),
            )

    failed, count = fail_everywhere(house, given_back)
    assert count == 1
    assert failed == {"entry", "voucher", "voucher_step", "COMMIT"}
    card = take_card(client, "lucky-inline")
    card.play(client)
    card.claim(client)
    clock.advance(timedelta(days=3))
    failed, count = fail_everywhere(house, over)

    assert count == 1
    assert {"voucher", "voucher_step", "COMMIT"} <= failed
    assert {unit.state for unit in house.rows(Voucher)} == {"lapsed", "free"}
