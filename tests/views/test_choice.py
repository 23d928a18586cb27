"""A winner picks one of several prizes: drawn first, picked after, once (PZ-04)."""

from functools import partial

import pytest

from server.domain import lint
from server.domain.transcript import verify
from server.models import Entry, Voucher
from tests.factories import campaign_file, prize_table
from tests.visits import AGREED, NOTICED, at_once, take_card, without_chance

BAG = prize_table("bag", stock=None, weight=0)
PICK = prize_table("pick", kind="choice", stock=None, options=["mug", "tea", "bag"])
ENGLISH = {"Accept-Language": "en"}


def campaign(name="welcome-scratch", **changes):
    prizes = [
        PICK,
        prize_table("mug", weight=0, value_cents=900),
        prize_table("tea", kind="service", weight=0, stock=5),
        BAG,
    ]
    options = {"prizes": prizes, "fallback": "bag", "flow": "play-first", "days": 2}
    return campaign_file(name, **options | changes)


def win(client):
    card = take_card(client)
    return card, card.play(client)


def test_the_winner_picks_while_claiming(publish, client, pages, house):
    """By keyboard and without script: a group of radio buttons in the form."""
    publish(campaign())
    page = pages.get("/w/welcome-inline?lang=en")
    played = pages.submit(page.form(), **AGREED)
    group = played.root.one("fieldset", class_="question")
    labels = [label.text for label in group.all("label")]

    done = pages.submit(played.form(), email="iris@example.com", choice="tea")

    assert labels == ["Mug", "Tea", "Bag"]
    assert group.attrs["role"] == "radiogroup"
    (entry,) = house.rows(Entry)
    (voucher,) = house.rows(Voucher, state="awarded")
    assert (entry.drawn, entry.awarded, entry.unit) == ("pick", "pick", None)
    assert voucher.code in done.text
    assert house.letters("prize")[0].params["prize"] == "tea"
    prize_page = client.get(house.link("prize"), headers=ENGLISH).text
    assert ">Tea<" in prize_page


def test_the_draw_knows_nothing_of_what_is_picked(publish, client, house):
    """PZ-08: the public record says that the choice was drawn, and both agree."""
    publish(campaign())
    for number, choice in enumerate(("mug", "tea", "bag", "tea")):
        card, _ = win(client)
        card.claim(client, f"p{number}@example.com", more={"choice": choice})
    house.clock.advance(3 * (NOTICED * 43_200))

    record = client.get("/verify/welcome-scratch/draws.jsonl").get_data()

    assert verify(record.splitlines(keepends=True)).awarded == {"pick": 4}


@pytest.mark.parametrize("choice", [{}, {"choice": "pick"}, {"choice": "nowhere"}])
def test_nothing_else_can_be_picked(publish, client, house, choice):
    publish(campaign())
    card, _ = win(client)

    asked = card.claim(client, more=choice)

    assert asked.status_code == 422
    assert 'href="#field-choice">Choose your prize.' in asked.text
    assert not house.rows(Voucher, state="awarded")
    assert card.claim(client, more={"choice": "bag"}).status_code == 200


def test_a_choice_and_an_address_that_are_at_fault_are_told_at_once(
    publish, client, house
):
    """A form is mended in one round, and the play waits for it."""
    publish(campaign())
    card, _ = win(client)

    asked = card.claim(client, "iris@", headers=ENGLISH)

    assert asked.status_code == 422
    choice, address = (
        asked.text.find(f'href="#field-{f}"') for f in ("choice", "email")
    )
    assert 0 < choice < address
    assert not house.rows(Voucher, state="awarded")
    done = card.claim(client, "iris@example.com", more={"choice": "tea"})
    assert done.status_code == 200


def test_who_plays_and_claims_at_once_has_played(publish, client, house):
    """PZ-05: no ticket is tried out: what it gave stays, and the claim asks on."""
    publish(campaign())
    card = take_card(client)

    asked = card.enter(client)

    assert asked.status_code == 200
    assert 'name="choice"' in asked.text
    (entry,) = house.rows(Entry)
    assert (entry.state, entry.awarded) == ("played", "pick")
    assert card.claim(client, more={"choice": "tea"}).status_code == 200


def test_what_has_run_out_says_so_and_cannot_be_picked(publish, client, pages, house):
    """PZ-06: before the pick, and to who had it on the screen already."""
    publish(campaign())
    late, _ = win(client)
    card, _ = win(client)
    card.claim(client, "a@example.com", more={"choice": "mug"})

    refused = late.claim(client, "b@example.com", more={"choice": "mug"})
    house.clock.advance(NOTICED)
    page = pages.get("/w/welcome-inline?lang=en")
    played = pages.submit(page.form(), **AGREED)

    assert refused.status_code == 422
    assert "This has just run out. Please choose something else." in refused.text
    group = played.root.one("fieldset", class_="question")
    assert [label.text for label in group.all("label")] == [
        *("Mug (Sold out)", "Tea", "Bag"),
    ]
    first, *others = group.all("input")
    assert "disabled" in first.attrs
    assert not any("disabled" in other.attrs for other in others)
    assert (
        late.claim(client, "b@example.com", more={"choice": "tea"}).status_code == 200
    )


def test_two_tabs_pick_once(publish, app, house):
    """I3: the claim decides; the other tab is told that it was made."""
    publish(campaign())
    card, _ = win(app.test_client())

    answers = at_once(
        [
            partial(card.claim, app.test_client(), more={"choice": choice})
            for choice in ("tea", "bag") * 3
        ],
        threads=6,
    )

    assert {answer.status_code for answer in answers} <= {200, 409}
    assert 200 in {answer.status_code for answer in answers}
    assert len(house.rows(Voucher, state="awarded")) == 1
    assert len(house.letters("prize")) == 1


def test_the_last_one_is_picked_once(publish, app, house):
    """G1: ten winners want the one mug at the same moment."""
    publish(campaign())
    cards = [win(app.test_client())[0] for _ in range(10)]

    answers = at_once(
        [
            partial(card.claim, app.test_client(), f"{n}@example.com", more=MUG)
            for n, card in enumerate(cards)
        ],
        threads=10,
    )

    assert sorted(a.status_code for a in answers) == [200] + [422] * 9
    assert [unit.state for unit in house.rows(Voucher)].count("awarded") == 1


MUG = {"choice": "mug"}


def test_the_same_pick_again_is_answered_alike(publish, client, house):
    publish(campaign("welcome-wheel", wheel={"area": "equal"}))
    card = take_card(client, "welcome-wheel-inline")
    card.play(client)
    first = card.claim(client, more=MUG)

    again = card.claim(client, more=MUG)

    assert first.status_code == 200
    assert without_chance(again) == without_chance(first)


def test_the_terms_name_what_a_choice_is_between(publish, client):
    """PZ-01."""
    publish(campaign())

    assert "Pick (Mug, Tea, Bag)" in client.get("/terms/welcome-inline?lang=en").text


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"options": ["mug", "tea"]}, "prizes[1].options"),
        ({"options": ["bag"]}, "prizes[1].options"),
        ({"options": ["bag", "bag"]}, "prizes[1].options"),
        ({"options": ["bag", "pick"]}, "prizes[1].options[2]"),
        ({"options": ["bag", "nowhere"]}, "prizes[1].options[2]"),
        ({"stock": 3}, "prizes[1].kind"),
        ({"value_cents": 3}, "prizes[1].kind"),
        ({"kind": "voucher"}, "prizes[1].options"),
    ],
)
def test_a_choice_that_could_go_wrong_is_refused_by_its_place(change, place):
    prizes = [
        PICK | change,
        prize_table("mug", weight=0),
        prize_table("tea", weight=0),
        BAG,
    ]

    faults = lint.judge(campaign(prizes=prizes))

    assert [fault.place for fault in faults if fault.refuses] == [place]


def test_what_is_picked_is_not_drawn_as_well():
    (drawn,) = lint.judge(campaign(prizes__1__weight=1))
    (first,) = lint.judge(campaign(flow="form-first"))

    assert drawn.place == "prizes[1].options[1]"
    assert first.place == "prizes[1].kind"
