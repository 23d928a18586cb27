"""A form of several pages, and the dates of a waiting list, over HTTP (CR-15)."""

from datetime import timedelta

import pytest

from server.models import Entry, Text
from tests.forms import LINE, LIST
from tests.html import parse
from tests.visits import EMAIL, Card, take_card

# --- steps and dates ---------------------------------------------------------------


def test_without_script_all_steps_are_one_form(client, waiting_list, house):
    page = parse(client.get(f"/w/{LIST}?lang=en").get_data(as_text=True))
    card = Card(
        f"/w/{LIST}/entries", page.all("input", name="ticket")[0].attrs["value"]
    )

    done = card.send(
        client,
        {
            "email": EMAIL,
            "department": "living",
            "wish": "A lamp",
            "first_name": "Iris",
        },
        consents=["early_access", "personal_offers"],
    )

    assert [
        f.attrs["data-step"] for f in page.all("fieldset") if "data-step" in f.attrs
    ] == [
        "wishes",
        "you",
        "person",
    ]
    assert done.status_code == 200
    assert house.answers() == {
        "department": "living",
        "wish": "A lamp",
        "first_name": "Iris",
    }


def test_the_copy_of_a_long_form_holds_its_steps(client, waiting_list, house):
    """PR-01."""
    take_card(client, LIST).send(client, {"email": EMAIL}, consents=["early_access"])

    (form,) = house.rows(Text, kind="form")
    assert 'name="department"' in form.body and 'name="email"' in form.body


def test_the_dates_it_tells_are_the_real_ones(client, waiting_list, clock):
    """CR-15: 20 days of list, early access after 21; the clock stands on 2 March."""
    page = client.get(f"/w/{LIST}?lang=en").get_data(as_text=True)

    assert "You can join until 22 March, 11:30." in page
    assert "From 23 March, 11:30 on we mail everybody who has confirmed." in page


@pytest.mark.parametrize(
    ("days", "status", "said"),
    [
        (-1, 403, "Dit formulier is nog niet open Het opent op 2 maart 2026, 11:30."),
        (
            20,
            410,
            "Dit formulier is gesloten Het sloot op 22 maart 2026, 11:30. Wie zich"
            " heeft aangemeld en bevestigd, krijgt onze mail op 23 maart 2026, 11:30.",
        ),
        (
            22,
            410,
            "Dit formulier is gesloten Het sloot op 22 maart 2026, 11:30. Waar je ja"
            " tegen zei, blijft zoals het is.",
        ),
    ],
)
def test_a_closed_form_says_when(client, waiting_list, clock, now, days, status, said):
    """CR-15."""
    clock.moment = now + timedelta(days=days, seconds=-days < 0)

    answer = client.get(f"/w/{LIST}?lang=nl")

    assert answer.status_code == status
    words = parse(answer.get_data(as_text=True)).all("main")[0].text
    assert said in " ".join(words.split())


def test_a_form_that_closes_while_it_is_filled_in_takes_nothing(
    client, waiting_list, house, clock
):
    card = take_card(client, LIST)
    clock.advance(timedelta(days=20))

    answer = card.send(client, {"email": EMAIL}, consents=["early_access"])

    assert answer.status_code == 410
    assert house.rows(Entry) == []


def test_the_same_ticket_tells_its_end_again(client, newsletter, house):
    """SAFETY 3: a second press changes nothing."""
    card = take_card(client, LINE)
    sent = {"email": EMAIL}

    first = card.send(client, sent, consents=["newsletter"])
    second = card.send(client, sent, consents=["newsletter"])
    other = card.send(client, sent, consents=["personal_offers"])

    assert (first.status_code, second.status_code) == (200, 200)
    assert other.status_code == 409
    assert len(house.rows(Entry)) == 1
