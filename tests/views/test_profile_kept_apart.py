"""A page of what is known changes what it showed, and of nobody else: T17, GDPR 16."""

import os
from functools import partial

import pytest

from server.models import Attribute
from tests.people import contact_of
from tests.profiles import ADA, asked_by_right, correct, form_of
from tests.visits import EMAIL, at_once


@pytest.fixture
def reader(told):
    return told()


# --- only what was shown, and only one's own ---------------------------------------


@pytest.mark.parametrize("act", ["profile", "remove"])
def test_a_form_of_before_changes_nothing_that_it_did_not_show(
    pages, house, reader, act
):
    stale = form_of(pages.get(f"{reader}/profile"), "postcode", act)
    correct(pages, reader, "postcode", postcode="4321zz")
    before = house.dump()

    done = pages.submit(stale, status=303, postcode="9999 ZZ")

    assert house.dump() == before
    page = pages.follow(done)
    assert (
        "no longer as your page showed it" in page.root.one("div", role="status").text
    )
    assert page.root.by_id("kept-postcode").one("dd").text == "4321 ZZ"


@pytest.mark.parametrize("act", ["profile", "remove"])
def test_after_its_yes_ended_a_form_brings_nothing_back(
    pages, client, house, reader, act
):
    stale = form_of(pages.get(f"{reader}/profile"), "postcode", act)
    client.post(f"{reader}/stop", data={"purpose": "newsletter"})
    before = house.dump()

    pages.submit(stale, status=303, postcode="9999 ZZ")

    assert house.dump() == before
    assert "postcode" not in house.attributes()


def test_a_form_says_nothing_about_somebody_else(pages, client, house, told):
    """T17: with another's link, their key and their mark."""
    mine, hers = told(), told(ADA, postcode="9999 ZZ")
    assert "9999" not in pages.get(f"{mine}/profile").text
    form = form_of(pages.get(f"{hers}/profile"), "postcode")
    before = house.dump()

    for act in ("profile", "profile/remove"):
        answer = client.post(
            f"{mine}/{act}", data=form.values | {"postcode": "4321 ZZ"}
        )
        assert "done=stale" in answer.location

    assert house.dump() == before


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"key": "postcode"},
        {"key": "postcode", "shown": ""},
        {"key": "email", "shown": "0" * 64},
        {"key": "remark", "shown": "0" * 64, "remark": "x"},
    ],
)
def test_a_made_up_form_changes_nothing(client, house, reader, sent):
    before = house.dump()

    for act in ("profile", "profile/remove"):
        assert client.post(f"{reader}/{act}", data=sent).status_code == 303

    assert house.dump() == before


@pytest.mark.parametrize("link", ["receipt", "unsubscribe", "confirm"])
def test_no_other_link_opens_it(client, house, reader, link):
    """Each is under a salt of its own."""
    token = house.link(link).rpartition("/")[2] if link != "receipt" else "x"

    for path in ("profile", "profile/remove"):
        answer = client.post(f"/preferences/{token}/{path}")
        assert answer.status_code == 404
    assert client.get(f"/preferences/{token}/profile").status_code == 404


def test_twenty_presses_at_once_are_one(app, pages, house, reader):
    form = form_of(pages.get(f"{reader}/profile"), "postcode")
    data = form.values | {"postcode": "4321 ZZ"}

    at_once(
        [
            partial(app.test_client().post, f"{reader}/profile", data=data)
            for _ in range(20)
        ],
        threads=20,
    )

    assert asked_by_right(house) == [("rectify", "corrected")]
    assert house.acts().count(("*", "corrected")) == 1
    assert house.attributes()["postcode"][1] == "4321 ZZ"
    house.verify_ledger()


def test_pressing_to_and_fro_writes_no_ledger_without_end(pages, client, house, reader):
    """Each press is a fact for ever; a fault is none, and is not counted."""
    for _ in range(15):
        correct(pages, reader, "postcode", status=422, postcode="x")

    statuses = []
    for number in range(12):
        form = form_of(pages.get(f"{reader}/profile"), "postcode")
        data = form.values | {"postcode": f"{4321 + number} ZZ"}
        statuses.append(client.post(f"{reader}/profile", data=data).status_code)

    # The press that confirmed was one of the ten.
    assert statuses == 9 * [303] + 3 * [429]
    assert house.acts().count(("*", "corrected")) == 9
    assert client.post(f"{reader}/all-off").status_code == 303


# --- on hold, moved, lost, erased --------------------------------------------------


def test_data_on_hold_can_be_corrected_and_stays_on_hold(pages, client, house, reader):
    """GDPR 18(1)(a): that it is not right is why it may be on hold."""
    client.post(f"{reader}/hold")

    correct(pages, reader, "postcode", postcode="4321zz")

    assert house.attributes()["postcode"][1] == "4321 ZZ"
    assert "on hold" in pages.get(reader).text


def test_a_link_of_a_mailbox_that_was_given_up_opens_nothing(client, house, reader):
    client.post(f"{reader}/address", data={"email": "iris@new.example"})
    house.press(client, house.link("rectify", to="iris@new.example"))

    assert client.get(f"{reader}/profile").status_code == 404
    assert client.post(f"{reader}/profile").status_code == 404
    assert client.post(f"{reader}/profile/remove").status_code == 404


def test_after_an_erasure_nothing_opens_and_nothing_is_left(
    pages, client, house, reader
):
    correct(pages, reader, "postcode", postcode="4321zz")
    house.press(client, f"{reader}/erase")

    assert client.get(f"{reader}/profile").status_code == 404
    assert client.post(f"{reader}/profile").status_code == 404
    assert house.rows(Attribute) == []
    house.verify_ledger()


def test_whose_key_was_lost_is_told_nothing(client, house, reader):
    with house.database.transaction() as session:
        contact_of(session, EMAIL, house.vault).sealed_key = os.urandom(80)

    assert client.get(f"{reader}/profile").status_code == 404
    assert client.post(f"{reader}/profile/remove").status_code == 404
