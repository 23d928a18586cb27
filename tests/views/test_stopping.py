"""The link that stops all mails: in every mail, at once and for ever (WD-01, WD-04)."""

from datetime import timedelta
from functools import partial

import pytest

from server.domain.optin import State
from server.models import OptIn
from tests.claims import bring, consent
from tests.visits import EMAIL, sure_win, take_card

BOTH = ["newsletter", "personal_offers"]
DAY = timedelta(days=1)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def state(house) -> str:
    return house.rows(OptIn)[-1].state


def test_stopping_takes_two_presses_and_no_reason(client, pages, house, signed_up):
    """WD-01: open the link, press the button; no sign-in, no question, no cookie."""
    house.press(client, signed_up)

    page = pages.get(house.link("unsubscribe"))
    done = pages.submit(page.form("/unsubscribe/"), status=303)

    assert page.form().values == {}
    assert "The mails have stopped" in pages.follow(done).text
    assert house.standing() == dict.fromkeys(BOTH, "withdrawn")


def test_a_mail_programs_button_stops_at_once(client, house, signed_up):
    """WD-02: RFC 8058: a bare POST, no cookie, no redirect, 200, an empty body."""
    house.press(client, signed_up)
    link = house.link("unsubscribe")

    looked = client.get(link)
    assert "withdrawn" not in house.standing().values(), "a GET leaves it"
    for _ in range(2):
        answer = client.post(link, data=ONE_CLICK)
        assert (answer.status_code, answer.data) == (200, b"")
        assert "Location" not in answer.headers
        assert "Set-Cookie" not in answer.headers
    multipart = client.post(link, data=ONE_CLICK, content_type="multipart/form-data")

    assert looked.status_code == multipart.status_code == 200
    assert house.standing() == dict.fromkeys(BOTH, "withdrawn")
    assert house.acts().count(("newsletter", "withdrawn")) == 1


def test_a_five_year_old_link_still_stops_the_mails(client, house, signed_up):
    """WD-04."""
    house.press(client, signed_up)
    link = house.link("unsubscribe")
    house.clock.advance(5 * 366 * DAY)

    assert client.get(link).status_code == 200
    assert client.post(link, data=ONE_CLICK).status_code == 200
    assert set(house.standing().values()) == {"withdrawn"}


def test_a_stop_link_opens_and_changes_nothing_else(client, house, signed_up):
    """WD-04: its token confirms nothing, renews nothing, and shows no whole address."""
    token = house.link("unsubscribe").rpartition("/")[2]

    for path in ("/confirm/{}", "/confirm/{}/not-me", "/confirm/{}/renew"):
        assert client.post(path.format(token)).status_code == 404
    assert EMAIL not in client.get(house.link("unsubscribe")).text
    assert state(house) == State.REQUESTED


def test_stopping_while_a_request_waits_closes_it(client, house, signed_up):
    """WD-01: who stops before confirming is not asked to confirm any more."""
    form = {"shown": house.shown(client, signed_up)}
    client.post(house.link("unsubscribe"), data=ONE_CLICK)

    assert client.post(signed_up, data=form).status_code == 200
    assert "given" not in house.standing().values()


@pytest.fixture
def winner(publish, client):
    """Somebody who has the mail with their prize, and said yes to nothing."""
    publish(sure_win(days=365))
    take_card(client).enter(client, consents=[])


@pytest.mark.parametrize(
    ("link", "path", "data"),
    [("unsubscribe", "", ONE_CLICK), ("preferences", "/all-off", {})],
)
def test_stopping_all_mails_holds_where_nothing_was_on(
    winner, client, house, link, path, data
):
    """PR-06, PR-08: whoever wanted no mails at all said no to every older list."""
    client.post(house.link(link) + path, data=data)

    assert bring(house, consent()) == ["decided"]
    assert house.acts() == [("*", "refused")]
    assert house.standing() == {}
    house.verify_ledger()


def test_stopping_all_mails_is_one_fact_a_day(winner, client, house):
    """It is held against lists, which tell the day; more would be facts for ever."""
    stop = partial(client.post, house.link("unsubscribe"), data=ONE_CLICK)

    stop()
    stop()
    assert len(house.facts()) == 1
    house.clock.advance(DAY)
    stop()

    assert len(house.facts()) == 2


def test_stopping_takes_no_prize_away(client, house, signed_up):
    """CR-03, WD-06: the coupon stays, the entry stays, the prize mail still goes."""
    house.press(client, signed_up)
    tables = ("entry", "voucher", "prize")
    before = {name: house.dump()[name] for name in tables}

    client.post(house.link("unsubscribe"), data=ONE_CLICK)
    house.clock.advance(DAY)
    again = take_card(client).enter(client)

    after = {name: house.dump()[name] for name in tables}
    assert all(after[name][: len(before[name])] == before[name] for name in tables)
    assert "MUG10" in again.text
    assert len(house.letters("prize")) == 2


def test_who_stopped_may_come_back(client, house, signed_up):
    """DO-10: by a fresh double opt-in, and only by that."""
    house.press(client, signed_up)
    client.post(house.link("unsubscribe"), data=ONE_CLICK)
    house.clock.advance(DAY)

    take_card(client).enter(client, consents=["newsletter"])
    assert house.standing()["newsletter"] == "withdrawn"
    house.press(client, house.link("confirm"))

    assert house.standing() == {"newsletter": "given", "personal_offers": "withdrawn"}
