"""The wheel over HTTP: what is on it before the play, and what it shows after it."""

import re
from datetime import timedelta

import pytest

from tests.factories import campaign_file, prize_table
from tests.html import Element
from tests.visits import NOTICED, Card, take_card, ticket_in, without_chance

PATH = "/w/welcome-wheel-inline?lang=en"
CODE = "welcome-wheel-inline"


def last_one(**changes):
    """Return a wheel on which the last mug is drawn by everybody."""
    prizes = [prize_table("mug", weight=9, stock=1)]
    prizes.append(prize_table("bag", weight=1, stock=None, code="BAG10"))
    wheel = {"area": "equal", "segments": ["mug", "bag"] * 2}
    return campaign_file(
        "welcome-wheel", prizes=prizes, fallback="bag", wheel=wheel, **changes
    )


def legend(page) -> list[str]:
    return [row.text for row in page.root.by_id("legend").all("li")]


def segments(page) -> list[Element]:
    return [e for e in page.root.by_id("disc").all("g") if "data-prize" in e.attrs]


def marked(page, name: str) -> set[str]:
    return {
        each.attrs["data-prize"]
        for each in segments(page)
        if name in each.attrs["class"].split()
    }


def landed_on(page) -> str:
    """Return the prize at the top of a wheel that was turned by the server."""
    turned = page.root.by_id("disc").all("g")[0].attrs["transform"]
    found = re.fullmatch(r"rotate\((-?[\d.]+)\)", turned)
    assert found
    top = -float(found[1])
    (prize,) = {
        each.attrs["data-prize"]
        for each in segments(page)
        for turn in (-360, 0, 360)
        if float(each.attrs["data-start"]) < top + turn < float(each.attrs["data-end"])
    }
    return prize


# --- before the play ---------------------------------------------------------------


def test_every_prize_is_named_in_full_with_its_chance(publish, pages):
    """PZ-06: the odds are printed beside the wheel."""
    publish(campaign_file("welcome-wheel"))

    page = pages.get(PATH)

    assert legend(page) == [
        "1 € 50 to spend 1%",
        "2 Surf mug 4%",
        "3 Linen tote bag 10%",
        "4 € 5 to spend 15%",
        "5 Free shipping 30%",
        "6 10% off 40%",
    ]
    assert len(segments(page)) == 8
    assert page.root.by_id("disc").attrs["aria-hidden"] == "true"


def test_before_the_play_two_pages_are_the_same(publish, client):
    """PZ-05: nothing in it depends on what will be drawn."""
    publish(campaign_file("welcome-wheel"))

    shown = {without_chance(client.get(PATH)) for _ in range(5)}

    assert len(shown) == 1
    assert "RAD10" not in shown.pop()


def test_what_is_sold_out_is_marked_before_the_next_play(publish, client, pages, house):
    """PZ-06: in words, on its segments, and with what there is instead."""
    publish(last_one())
    before = pages.get(PATH)
    while not take_card(client, CODE).play(client).text.count(">Mug</p>"):
        pass
    house.clock.advance(NOTICED)

    after = pages.get(PATH)

    assert legend(before) == ["1 Mug 90%", "2 Bag 10%"]
    assert marked(before, "gone") == set()
    assert legend(after) == ["1 Mug Sold out", "2 Bag 10%"]
    assert marked(after, "gone") == {"mug"}
    assert "Whoever hits what is sold out gets Bag." in after.text


def test_what_comes_back_on_a_later_day_says_when(publish, client, pages, house):
    """PZ-06: it has not run out, and nobody can win it today."""
    file = last_one(days=3)
    mug = file.prizes[0].model_copy(update={"stock": 2, "release": (1, 1, 2)})
    publish(file.model_copy(update={"prizes": (mug, file.prizes[1])}))
    while not take_card(client, CODE).play(client).text.count(">Mug</p>"):
        pass
    house.clock.advance(NOTICED)

    page = pages.get(PATH)
    house.clock.advance(timedelta(days=2))
    later = pages.get(PATH)

    assert legend(page) == ["1 Mug Back on Wed 4 Mar, 11:30", "2 Bag 10%"]
    assert marked(page, "gone") == {"mug"}
    assert "Whoever hits what comes back later gets Bag." in page.text
    assert legend(later) == ["1 Mug 90%", "2 Bag 10%"]


# --- after it ----------------------------------------------------------------------


@pytest.mark.parametrize("flow", ["play-first", "form-first"])
def test_without_script_the_wheel_has_stopped_at_the_prize(publish, pages, flow):
    """PZ-05, AX-01: a plain POST, and the words say what the wheel shows."""
    publish(campaign_file("welcome-wheel", flow=flow))
    prizes = set()

    # So many that two different ones are among them, whatever seed the day has.
    for turn in range(100):
        form = pages.get(PATH).form()
        more = {"email": f"a{turn}@example.com"} if flow == "form-first" else {}
        page = pages.submit(form, adult="yes", terms="yes", **more)

        prize = page.root.by_id("wheel").attrs["data-prize"]
        (label,) = page.root.all(class_="result-label")
        number = next(
            each.all("text")[0].text
            for each in segments(page)
            if each.attrs["data-prize"] == prize
        )
        assert landed_on(page) == prize
        assert marked(page, "won") == {prize}
        assert page.h1 == f"Lucky you! Your prize: {label.text}"
        assert any(row.startswith(f"{number} {label.text}") for row in legend(page))
        prizes.add(prize)
        if len(prizes) > 1:
            break
    assert len(prizes) > 1


def test_a_drawn_prize_that_has_run_out_stops_at_its_replacement(
    publish, client, pages
):
    """PZ-05, PZ-06: where the wheel stops is what the visitor gets."""
    publish(last_one())
    prizes = []

    for _ in range(12):
        form = pages.get(PATH).form()
        page = pages.submit(form, adult="yes", terms="yes")
        assert landed_on(page) == page.root.by_id("wheel").attrs["data-prize"]
        prizes.append(landed_on(page))

    assert prizes.count("mug") == 1 and prizes.count("bag") == 11


def test_the_wheel_stays_as_it_is_through_the_claim(publish, client, pages):
    """PZ-05: also where the address has a fault, and at the end."""
    publish(campaign_file("welcome-wheel"))
    played = pages.submit(pages.get(PATH).form(), adult="yes", terms="yes")

    faulty = pages.submit(played.form(), status=422, email="nobody")
    done = pages.submit(faulty.form(), email="iris@example.com")

    assert landed_on(played) == landed_on(faulty) == landed_on(done)


def test_sent_again_the_wheel_stops_at_the_same_prize(publish, client):
    """PZ-05: a retry is never a second turn."""
    publish(campaign_file("welcome-wheel"))
    card = take_card(client, CODE)

    answers = {without_chance(card.play(client)) for _ in range(4)}

    assert len(answers) == 1


def test_what_the_form_wishes_changes_nothing(publish, client, house):
    """PZ-05, T13."""
    publish(campaign_file("welcome-wheel"))
    card = take_card(client, CODE)
    first = without_chance(card.play(client))

    wishes = dict.fromkeys(("prize", "slot", "awarded", "angle", "segment"), "mug")
    again = Card(card.action, card.ticket).play(client, more=wishes)

    assert without_chance(again) == first
    assert ticket_in(again)
