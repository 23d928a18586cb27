"""The tablet at the till: who may use it, and what its entries say (CR-13, PR-02)."""

import os
from datetime import timedelta

import pytest

from server.models import ConsentEvent, Entry
from server.services import devices
from tests.factories import campaign_file, shop_file
from tests.visits import AGREED, Card, ticket_in

CODE = "box-scratch-till"


@pytest.fixture
def code(publish, database, vault, now):
    """A code for a tablet of the demo's shop, whose game is published."""
    publish(campaign_file("box-scratch"))
    return new_code(database, vault, now)


def new_code(database, vault, now, shop="demo"):
    with database.transaction() as session:
        return devices.add(
            session,
            shop_code=shop,
            name="Till 1",
            vault=vault,
            now=now,
            random=os.urandom,
        )


@pytest.fixture
def tablet(client, code):
    """A browser that was registered as a tablet."""
    assert client.post("/till/", data={"code": code}).status_code == 303
    return client


def take(tablet):
    answer = tablet.get(f"/till/{CODE}/game?lang=en")
    assert answer.status_code == 200
    return Card(f"/w/{CODE}/entries", ticket_in(answer))


def test_a_stranger_is_asked_for_a_code(client, code):
    assert "Koppel deze tablet" in client.get("/till/").get_data(as_text=True)
    for path in (f"/till/{CODE}", f"/till/{CODE}/game"):
        assert client.get(path).headers["Location"] == "/till/"


def test_the_code_opens_the_tablet_and_is_used_up(app, client, code):
    answer = client.post("/till/", data={"code": code})

    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert client.get("/till/").headers["Location"] == f"/till/{CODE}"
    other = app.test_client()
    assert other.post("/till/", data={"code": code}).status_code == 422


def test_a_wrong_code_says_what_to_do_and_keeps_what_was_typed(pages, code):
    page = pages.post("/till/", data={"code": "1234"}, status=422)

    assert "vraag om een nieuwe" in page.text
    assert page.form("/till/").values["code"] == "1234"


def test_guessing_codes_is_slowed_down(client, code):
    answers = [
        client.post("/till/", data={"code": f"guess {number}"}).status_code
        for number in range(12)
    ]

    assert answers[0] == 422
    assert answers[-1] == 429
    assert client.post("/till/", data={"code": code}).status_code == 429


def test_another_sites_form_registers_nothing(client, code):
    """T11."""
    answer = client.post(
        "/till/", data={"code": code}, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert answer.status_code == 403
    assert client.post("/till/", data={"code": code}).status_code == 303


def test_the_tablet_shows_its_shops_games_alone(
    app, tablet, publish, database, vault, now
):
    """G10: another shop's game is not there."""
    campaign = campaign_file(
        "box-scratch",
        code="other",
        shop="other",
        placements=[{"code": "other-till", "channel": "till", "shape": "page"}],
    )
    publish(campaign, shop=shop_file(code="other"))

    assert tablet.get("/till/other-till").status_code == 404
    assert tablet.get("/till/other-till/game").status_code == 404
    assert tablet.get("/till/box-scratch-page").status_code == 404
    assert tablet.get(f"/till/{CODE}").status_code == 200


def test_the_game_opens_on_a_registered_tablet_alone(client, code):
    """Nobody plays the till's game at home, with or without a ticket of another."""
    answer = client.get(f"/w/{CODE}?lang=en")

    assert answer.status_code == 403
    assert "played in the shop" in answer.get_data(as_text=True)
    page = ticket_in(client.get("/w/box-scratch-page"))
    sent = Card(f"/w/{CODE}/entries", page).play(client)
    assert sent.status_code == 403


def test_a_revoked_tablet_stops(tablet, database, now):
    with database.transaction() as session:
        (listed,) = devices.listed(session, "demo", now=now)
        devices.revoke(session, listed.public_id, now=now)

    assert tablet.get(f"/till/{CODE}/game").status_code == 303


def test_an_entry_says_which_tablet_it_came_from(tablet, house, database):
    """PR-02: device and place are in the ledger's context."""
    card = take(tablet)
    won = card.play(tablet)
    card.claim(tablet, consents=["newsletter"])

    with database.reading() as session:
        (listed,) = devices.listed(session, "demo", now=house.clock.now())
        entry = session.query(Entry).one()
        event = session.query(ConsentEvent).first()
    assert won.status_code == 200
    assert entry.device == listed.public_id
    assert event.context["device"] == listed.public_id
    assert event.context["place"] == "till"


def test_what_is_sent_needs_no_cookie(app, tablet):
    """The ticket is bound to the tablet, so the game itself reads no cookie (T11)."""
    card = take(tablet)

    assert card.send(app.test_client(), AGREED).status_code == 200


def test_a_tablet_has_a_limit_of_its_own(environ, tablet, app):
    """Section 15: 60 an hour, instead of the few that one client may cause."""
    limiter = app.extensions["limiter"]

    def ask(device, number):
        return limiter.may_ask(
            ticket=number.to_bytes(16, "big"),
            network="192.0.2.0/24",
            device=device,
            shop_id=1,
        )

    allowed = [ask("tablet", number) for number in range(61)]

    assert allowed == [True] * 60 + [False]
    assert ask("another", 100)


def test_only_our_own_page_frames_the_tablets_game(tablet):
    """T10."""
    page = tablet.get(f"/till/{CODE}").headers["Content-Security-Policy"]
    game = tablet.get(f"/till/{CODE}/game").headers["Content-Security-Policy"]

    assert "frame-src 'self'" in page
    assert "frame-ancestors 'none'" in page
    assert "frame-ancestors 'self'" in game
    assert "frame-src" not in game


def test_nothing_of_it_may_be_kept_or_filled_in(tablet):
    """CR-13."""
    answer = tablet.get(f"/till/{CODE}/game")

    assert answer.headers["Cache-Control"] == "no-store"
    card = take(tablet)
    form = card.play(tablet).get_data(as_text=True)
    assert 'autocomplete="off"' in form
    assert 'autocomplete="email"' not in form
    assert "data-copy" not in form


def test_a_ticket_that_is_over_starts_again_at_the_tablet(tablet, clock):
    card = take(tablet)
    clock.advance(timedelta(hours=13))

    answer = card.play(tablet)

    assert answer.status_code == 403
    assert "Druk daar op" in answer.get_data(as_text=True)
