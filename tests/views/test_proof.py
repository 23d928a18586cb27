"""Who looks like a robot proves to be a browser: AB-02, T15."""

import base64
import html
import json
import re
from datetime import timedelta
from functools import cache

import altcha
import pytest
from structlog.testing import capture_logs

from server.models import Entry
from server.views import proof
from tests.factories import campaign_file
from tests.visits import AGREED, few_mugs, sure_win, take_card

CHALLENGE = re.compile(r'data-challenge="([^"]+)"')
FILLED = {"remarks": "cheap pills"}
ASKED = ["newsletter"]
PERSON = {"email": "iris@example.com"}


@pytest.fixture(autouse=True)
def _light(monkeypatch):
    """What is tested is who has to do a sum, not how heavy it is."""
    monkeypatch.setattr(proof, "ROUNDS", 20)


def challenge_in(answer) -> str:
    """Return the challenge that an answer sets, as JSON."""
    found = CHALLENGE.search(answer.get_data(as_text=True))
    assert found, "the answer sets no challenge"
    return html.unescape(found[1])


@cache
def solved(challenge: str) -> str:
    """Do the sum as a browser does it, with the reference implementation."""
    asked = altcha.Challenge.from_dict(json.loads(challenge))
    solution = altcha.solve_challenge(asked)
    assert solution
    return altcha.Payload(asked, solution).to_base64()


def test_the_field_that_nobody_sees_catches_who_fills_it_in(publish, client, house):
    publish(sure_win())
    card = take_card(client)

    answer = card.enter(client, consents=["newsletter"], more=FILLED)

    assert answer.status_code == 422
    assert "check that you are a person" in answer.text
    assert 'value="iris@example.com"' in answer.text
    assert house.rows(Entry) == []
    assert house.letters() == []


def test_who_does_the_sum_takes_part_as_everybody(publish, client, house):
    """AB-02: a person whose browser filled in too much loses nothing."""
    publish(sure_win())
    card = take_card(client)
    asked = card.enter(client, consents=["newsletter"], more=FILLED)

    proof = {"proof": solved(challenge_in(asked))}
    answer = card.enter(client, consents=["newsletter"], more=FILLED | proof)

    assert answer.status_code == 200
    assert "MUG10" in answer.text
    assert len(house.letters("confirm")) == 1


def test_a_repeated_proof_gives_the_same_answer_and_nothing_more(
    publish, client, house
):
    """I4: a line that broke is no second entry."""
    publish(sure_win())
    card = take_card(client)
    proof = {"proof": solved(challenge_in(card.enter(client, more=FILLED)))}

    first = card.enter(client, more=FILLED | proof)
    again = card.enter(client, more=FILLED | proof)

    assert first.text.count("MUG10") == again.text.count("MUG10") > 0
    assert len(house.rows(Entry)) == 1


def test_a_proof_is_good_for_its_own_ticket_only(publish, client, house):
    """T15: solved once and replayed, as ALTCHA's own check would let it be."""
    publish(sure_win())
    card, other = take_card(client), take_card(client)
    proof = {"proof": solved(challenge_in(card.enter(client, more=FILLED)))}
    assert card.enter(client, more=FILLED | proof).status_code == 200

    answer = other.enter(client, "zoe@example.com", more=FILLED | proof)

    assert answer.status_code == 422
    assert challenge_in(answer)
    assert len(house.rows(Entry)) == 1


def forged(change) -> str:
    """Return a challenge that somebody solved after changing it."""
    asked = altcha.create_challenge("PBKDF2/SHA-256", 1, counter=1, hmac_secret="mine")
    change(asked)
    return altcha.Payload(asked, altcha.solve_challenge(asked)).to_base64()


@pytest.mark.parametrize(
    "proof",
    [
        "x",
        base64.b64encode(b"[]").decode(),
        base64.b64encode(b'{"challenge": {}, "solution": {}}').decode(),
        forged(lambda asked: None),
        forged(lambda asked: setattr(asked, "signature", None)),
        "A" * 60_000,
        "\ufffd\u2028",
    ],
)
def test_what_is_no_proof_of_ours_proves_nothing(publish, client, house, proof):
    """T15, CVE-2025-68113: nothing that was not signed by us counts."""
    publish(sure_win())

    answer = take_card(client).enter(client, more=FILLED | {"proof": proof})

    assert answer.status_code == 422
    assert house.rows(Entry) == []


def test_an_easier_sum_is_refused(publish, client, house):
    """Fewer rounds than we asked for break the signature."""
    publish(sure_win())
    card = take_card(client)
    asked = json.loads(challenge_in(card.enter(client, more=FILLED)))
    asked["parameters"] |= {"cost": 1, "keyPrefix": "00"}

    answer = card.enter(client, more=FILLED | {"proof": solved(json.dumps(asked))})

    assert answer.status_code == 422
    assert house.rows(Entry) == []


def test_a_proof_is_over_after_a_while(publish, client, house):
    publish(sure_win())
    card = take_card(client)
    asked = card.enter(client, more=FILLED)
    house.clock.advance(timedelta(minutes=21))

    proof = {"proof": solved(challenge_in(asked))}
    answer = card.enter(client, more=FILLED | proof)

    assert answer.status_code == 422


def test_who_is_faster_than_a_person_does_the_sum(publish, house_with):
    """AB-02: the time is signed into the ticket, so nobody can claim another."""
    house = house_with(LEAST_FILL_SECONDS="2")
    publish(few_mugs(0))
    visitor = house.app.test_client()

    hasty = take_card(visitor)
    assert challenge_in(hasty.enter(visitor))
    assert house.rows(Entry) == []
    house.clock.advance(timedelta(seconds=2))
    # The form that came back counts from when it was first shown.
    assert hasty.enter(visitor).status_code == 200


def test_a_form_to_mend_starts_no_clock_anew(publish, house_with):
    """Who only corrects a typing error is quick, and a person all the same."""
    house = house_with(LEAST_FILL_SECONDS="2")
    publish(few_mugs(0))
    visitor = house.app.test_client()
    card = take_card(visitor)
    house.clock.advance(timedelta(seconds=8))
    wrong = card.enter(visitor, "iris@")
    assert wrong.status_code == 422

    ticket = re.search(r'name="ticket" value="([^"]+)"', wrong.text)
    answer = visitor.post(card.action, data=AGREED | PERSON | {"ticket": ticket[1]})

    assert answer.status_code == 200


def test_a_quick_finger_may_play_at_once(publish, house_with):
    """A play names nobody and causes no mail."""
    house = house_with(LEAST_FILL_SECONDS="2")
    publish(sure_win(flow="play-first"))
    visitor = house.app.test_client()

    assert take_card(visitor).play(visitor).status_code == 200


def test_a_throwaway_address_costs_a_sum_and_no_more(publish, client, house):
    """T15: a score, not a block."""
    publish(sure_win())
    card = take_card(client)
    asked = card.enter(client, "iris@mailinator.com", consents=["newsletter"])
    assert asked.status_code == 422

    proof = {"proof": solved(challenge_in(asked))}
    answer = card.enter(
        client, "iris@mailinator.com", consents=["newsletter"], more=proof
    )

    assert answer.status_code == 200
    assert len(house.letters("confirm")) == 1


def test_many_plays_of_one_network_cost_something(publish, house_with):
    """AB-02: a school plays; a script that reserves all prizes pays for each."""
    house = house_with(PLAY_LIMIT="3 per hour")
    publish(sure_win(flow="play-first"))
    visitor = house.app.test_client()
    for _ in range(3):
        assert take_card(visitor).play(visitor).status_code == 200

    card = take_card(visitor)
    asked = card.play(visitor)
    assert asked.status_code == 422
    assert len(house.rows(Entry)) == 3
    proof = {"proof": solved(challenge_in(asked))}
    assert card.play(visitor, more=proof).status_code == 200
    # Who has played may always claim.
    assert card.claim(visitor).status_code == 200


def test_a_won_prize_is_still_there_while_the_browser_does_its_sum(
    publish, client, house
):
    """CR-02: being checked costs nothing that was promised."""
    publish(sure_win(flow="play-first"))
    card = take_card(client)
    card.play(client)

    asked = card.claim(client, more=FILLED)

    assert asked.status_code == 422
    assert "Tell us where we may send your prize." in asked.text
    proof = {"proof": solved(challenge_in(asked))}
    assert "MUG10" in card.claim(client, more=FILLED | proof).text


def test_what_is_checked_depends_on_nothing_that_we_know(publish, client, house):
    """AB-03: a new, a waiting and a confirmed address are asked alike."""
    publish(few_mugs(0))
    take_card(client).enter(client, "known@example.com", consents=["newsletter"])
    house.press(client, house.link("confirm", to="known@example.com"))
    take_card(client).enter(client, "waits@example.com", consents=["newsletter"])

    answers = {
        take_card(client)
        .enter(client, f"{who}@example.com", consents=["newsletter"], more=FILLED)
        .status_code
        for who in ("known", "waits", "fresh")
    }

    assert answers == {422}


def test_an_asked_proof_is_logged_without_anybody_in_it(publish, client):
    publish(sure_win())

    with capture_logs() as logs:
        take_card(client).enter(client, more=FILLED)

    assert logs == [
        {
            "event": "proof asked",
            "log_level": "info",
            "signs": "trap",
            "campaign": "welcome-scratch",
        }
    ]


@pytest.mark.parametrize(
    "name", ["welcome-scratch", "welcome-wheel", "style-quiz", "footer-newsletter"]
)
def test_every_form_has_the_trap_out_of_sight_and_out_of_reach(publish, client, name):
    """AX-01: neither Tab nor a screen reader comes there, and no browser fills it."""
    file = campaign_file(name)
    publish(file)
    page = client.get(f"/w/{file.placements[0].code}").get_data(as_text=True)

    assert page.count('name="remarks"') == 1
    trap = page[page.index('class="trap"') :]
    trap = trap[: trap.index("</div>")]
    assert 'aria-hidden="true"' in trap
    assert 'tabindex="-1"' in trap
    assert 'autocomplete="off"' in trap


@pytest.mark.parametrize("name", ["welcome-scratch", "welcome-wheel"])
def test_who_says_after_the_play_who_they_are_meets_the_trap_too(publish, client, name):
    """AB-02: a claim names an address, and causes its mails."""
    file = campaign_file(name, flow="play-first")
    publish(file)

    played = take_card(client, file.placements[0].code).play(client)

    assert played.status_code == 200
    assert played.text.count('name="remarks"') == 1


@pytest.mark.parametrize("robot", ["fills in too much", "plays too often"])
def test_who_owes_a_proof_uses_up_no_mail_of_anybody(publish, house_with, robot):
    """AB-01, AB-02: not even by sending the same form again and again."""
    house = house_with(PLAY_LIMIT="1 per hour", MAIL_LIMIT="2 per hour")
    publish(sure_win())
    client = house.app.test_client()
    is_first = {"environ_overrides": {"REMOTE_ADDR": "198.18.1.1"}}
    take_card(client).enter(client, "a@example.com", consents=ASKED, **is_first)

    more = FILLED if robot == "fills in too much" else {}
    other = {"REMOTE_ADDR": "198.18.2.1" if more else "198.18.1.2"}
    card = take_card(client)
    for _ in range(3):
        asked = card.enter(
            client,
            "b@example.com",
            consents=ASKED,
            more=more,
            environ_overrides=other,
        )
        assert challenge_in(asked)

    is_third = {"environ_overrides": {"REMOTE_ADDR": "198.18.3.1"}}
    take_card(client).enter(client, "c@example.com", consents=ASKED, **is_third)
    assert len(house.letters("confirm")) == 2


def test_a_network_beyond_its_limit_brings_no_campaign_under_suspicion(
    publish, house_with
):
    """AB-01: with claims of what was never played, which no limit on plays sees."""
    house = house_with(
        CLIENT_MAIL_LIMITS="5 per hour", CAMPAIGN_MAIL_LIMIT="9 per hour"
    )
    publish(few_mugs(3, flow="play-first"))
    robot, visitor = house.app.test_client(), house.app.test_client()
    for number in range(12):
        ticket = {"ticket": take_card(robot).ticket, "consent.newsletter": "yes"}
        robot.post(
            "/w/welcome-inline/entries",
            data={**ticket, "email": f"{number}@example.com"},
            environ_overrides={"REMOTE_ADDR": "198.18.1.1"},
        )

    for number in range(4):
        answer = take_card(visitor).enter(
            visitor,
            f"{number}@example.org",
            consents=ASKED,
            environ_overrides={"REMOTE_ADDR": "198.18.2.1"},
        )
        assert answer.status_code == 200, number


def test_an_entry_is_counted_in_one_visit_to_the_counts(publish, client, app):
    """Each visit waits for other processes, so a request for mails makes only one."""
    publish(sure_win())
    card = take_card(client)
    limiter = app.extensions["limiter"]
    window = limiter._window
    visits = []

    class Seen:
        def count(self, *chains):
            visits.append(len(chains))
            return window.count(*chains)

    limiter._window = Seen()
    card.enter(client, consents=["newsletter"])

    assert visits == [4]
