"""What each kind of prize says of itself, to its winner and to staff (PZ-01, PZ-07)."""

import os
from functools import partial

import pytest

from server.domain import lint
from server.models import Device, Purchase, Voucher
from server.services import devices
from tests.factories import campaign_file, prize_table
from tests.visits import AGREED, NOTHING, at_once, take_card, without_chance

ENGLISH = {"Accept-Language": "en"}
KINDS = {
    # kind: what it says of itself, and what staff is told to do
    "voucher": ("Your code", "Hand it over."),
    "benefit": ("Number of your prize", "Grant it."),
    "service": ("Your code", "Do it now or set a day."),
    "credit": ("Worth €15.00.", "Take €15.00 off."),
    "refund": ("We pay back €15.00 of your order.", "Pay back €15.00."),
}
ORDER = {"order": "A-1001", "order_amount": "49,95"}


def campaign(kind, **changes):
    prize = prize_table(kind=kind, stock=9, value_cents=1_500)
    hidden = [
        {"key": "order_id", "from": "order:reference"},
        {"key": "total", "from": "order:amount"},
    ]
    options = {"prizes": [prize, NOTHING], "fallback": "nothing", "hidden": hidden}
    return campaign_file(
        "welcome-scratch", **options | {"flow": "play-first"} | changes
    )


def win(client, email="iris@example.com", **order):
    card = take_card(client)
    assert card.play(client).status_code == 200
    return card, card.claim(client, email, more=order)


@pytest.fixture
def till(client, database, vault, now):
    """Redeem with a till's own key."""

    def till(code, **more):
        with database.transaction() as session:
            devices.add(
                session,
                shop_code="demo",
                name="Till 1",
                vault=vault,
                now=now,
                random=os.urandom,
            )
            row = session.query(Device).order_by(Device.id.desc()).first()
            key = devices.give_key(session, row.public_id, random=os.urandom)
        return client.post(
            "/api/v1/vouchers/redeem",
            json={"code": code} | more,
            headers={"Authorization": f"Bearer {key}"} | ENGLISH,
        )

    return till


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_says_what_it_is_and_what_the_till_does(
    publish, client, house, till, kind
):
    """On the page, on the page of the prize, in the mail, and at the till."""
    publish(campaign(kind))
    said, to_do = KINDS[kind]

    _, done = win(client, **ORDER)

    assert said in done.text
    cents = 1_500 if kind in {"credit", "refund"} else None
    assert house.letters("prize")[0].params["cents"] == cents
    page = client.get(house.link("prize"), headers=ENGLISH).text
    assert ("€15.00" in page) is (cents is not None)
    answer = till(house.rows(Voucher, state="awarded")[0].code, order="a 1001")
    assert answer.status_code == 200, answer.json
    assert to_do in answer.json["message"]
    assert (answer.json["kind"], answer.json["cents"]) == (kind, cents)


# --- an order won back -------------------------------------------------------------


def test_an_order_is_paid_back_up_to_the_cap(publish, client, house):
    publish(campaign("refund"))

    win(client, "a@example.com", order="A-1", order_amount="7.05")
    win(client, "b@example.com", order="A-2", order_amount="€ 15")
    win(client, "c@example.com", order="A-3", order_amount="800,00")

    paid = [row.amount_cents for row in house.rows(Purchase)]
    assert paid == [705, 1_500, 1_500]


def test_only_who_won_is_asked_for_an_order(publish, client):
    """PZ-02: taking part needs no purchase."""
    publish(campaign("refund", prizes__0__weight=0, prizes__1__weight=1))

    card = take_card(client)
    lost = card.play(client)

    assert 'name="order"' not in lost.text
    assert "We mail you only what you say yes to." in lost.text
    assert "We mail your prize to it." not in lost.text
    assert card.claim(client).status_code == 200


def test_an_order_and_an_address_that_are_at_fault_are_told_at_once(publish, client):
    publish(campaign("refund"))

    _, asked = win(client, "iris@", order="", order_amount="a lot")

    assert asked.status_code == 422
    places = [
        asked.text.find(f'href="#field-{field}"')
        for field in ("order", "order_amount", "email")
    ]
    assert 0 < places[0] < places[1] < places[2]


@pytest.mark.parametrize(
    ("language", "intro", "button"),
    [
        ("en", "which order you want back, and where we may mail", "Get my money back"),
        ("nl", "welke bestelling je terugwilt, en waar we", "Vraag mijn geld terug"),
    ],
)
def test_an_order_won_back_is_not_sent_like_a_parcel(
    publish, client, pages, language, intro, button
):
    publish(campaign("refund"))
    page = pages.get(f"/w/welcome-inline?lang={language}")

    played = pages.submit(page.form(), **AGREED)

    form = played.root.one("form", id="claim").text
    assert intro in form and button in form
    for other in (
        "Mail my prize",
        "Stuur mijn prijs",
        "mail your prize",
        "waar je prijs",
    ):
        assert other not in form


def test_what_the_page_told_of_an_order_is_filled_in_and_kept_nowhere(
    publish, client, house
):
    """By the `order` call of the page: amounts are in cents there."""
    publish(campaign("refund"))
    card = take_card(client)
    told = {"h.order_id": "Zebra-4711-qx<b>", "h.total": "4590"}

    answer = card.play(client, more=told)
    card.claim(client, more={"order": "Zebra-4711-qx<b>", "order_amount": "45.90"})

    assert 'value="Zebra-4711-qx&lt;b&gt;"' in answer.text
    assert 'value="45.90"' in answer.text
    assert house.source() == {}
    everything = repr(house.dump()).lower()
    assert "zebra" not in everything


def test_a_missing_order_is_asked_for_and_the_prize_waits(publish, client, pages):
    publish(campaign("refund"))
    card = take_card(client)
    card.play(client)

    asked = card.claim(client, more={"order": " - ", "order_amount": "free"})

    assert asked.status_code == 422
    assert "Fill in the number of the order you want back." in asked.text
    assert "Write what the order cost, like 49,95." in asked.text
    assert 'name="order"' in asked.text
    assert card.claim(client, more=ORDER).status_code == 200


def test_an_order_is_won_back_once_in_its_shop(publish, client, house):
    publish(campaign("refund"))
    win(client, "a@example.com", **ORDER)
    before = house.dump()

    card, again = win(client, "b@example.com", **ORDER | {"order": "#a1001"})

    assert again.status_code == 422
    assert "This order was won back before" in again.text
    assert len(house.rows(Purchase)) == 1
    assert house.dump()["contact"] == before["contact"]
    other = card.claim(client, "b@example.com", more=ORDER | {"order": "A-1002"})
    assert other.status_code == 200


def test_one_order_wins_once_also_when_many_claim_at_once(publish, app, house):
    publish(campaign("refund"))
    cards = [take_card(app.test_client()) for _ in range(6)]
    for card in cards:
        card.play(app.test_client())

    statuses = at_once(
        [
            partial(card.claim, app.test_client(), f"{n}@example.com", more=ORDER)
            for n, card in enumerate(cards)
        ],
        threads=6,
    )

    assert sorted(a.status_code for a in statuses) == [200] + [422] * 5
    assert len(house.rows(Purchase)) == 1
    assert len(house.rows(Voucher, state="awarded")) == 1


def test_the_same_claim_again_is_answered_alike(publish, client, house):
    publish(campaign("refund"))
    card, first = win(client, **ORDER)

    again = card.claim(client, more=ORDER)
    other = card.claim(client, more=ORDER | {"order": "A-2"})

    assert without_chance(again) == without_chance(first)
    assert other.status_code == 409


def test_a_till_names_the_order_that_it_pays_back(publish, client, house, till):
    publish(campaign("refund"))
    win(client, **ORDER)
    code = house.rows(Voucher, state="awarded")[0].code

    without, wrong = till(code), till(code, order="A-1002")
    right = till(code, order="A-1001")

    assert [a.status_code for a in (without, wrong, right)] == [409, 409, 200]
    assert wrong.json["result"] == "other_order"
    assert "Ask for its number" in wrong.json["message"]


@pytest.mark.parametrize(
    ("prize", "place"),
    [
        ({"kind": "credit"}, "prizes[1].value_cents"),
        ({"kind": "refund"}, "prizes[1].value_cents"),
        (
            {"kind": "credit", "value_cents": 5, "code": "ALL", "stock": None},
            "prizes[1].code",
        ),
        ({"kind": "refund", "value_cents": 5}, "prizes[1].kind"),
    ],
)
def test_money_without_a_sum_or_for_everybody_is_refused(prize, place):
    flow = "form-first" if place == "prizes[1].kind" else "play-first"
    table = prize_table(**prize)
    if table["stock"] is None:
        del table["stock"]

    faults = lint.judge(campaign("benefit", prizes=[table, NOTHING], flow=flow))

    assert [fault.place for fault in faults if fault.refuses] == [place]
