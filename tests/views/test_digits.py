"""Six digits from the mail, typed on the page that asked for them (DO-13)."""

import re
from datetime import timedelta

import pytest

from server.domain import optin as rules
from server.worker import Worker
from tests.factories import campaign_file
from tests.visits import EMAIL, at_once, take_card


@pytest.fixture
def asked(publish, client, house):
    """Somebody who said yes in a form that takes digits, with their page still open."""
    publish(campaign_file("welcome-scratch", confirm_by_digits=True))

    def asked(mailbox=EMAIL):
        card = take_card(client)
        page = card.enter(client, mailbox, consents=["newsletter"])
        return card, page.get_data(as_text=True)

    return asked


@pytest.fixture
def type_in(client):
    """Send digits from a page."""

    def type_in(page, digits, **options):
        form = page[page.index('id="digits"') :]
        action = re.search(r'action="([^"]+)"', form)[1]
        ticket = re.search(r'name="ticket" value="([^"]+)"', form)[1]
        return client.post(action, data={"ticket": ticket, "digits": digits}, **options)

    return type_in


def mailed(house, mailbox=EMAIL):
    (letter,) = house.letters("confirm", to=mailbox)
    return letter.params["digits"]


def test_the_digits_of_the_mail_confirm(asked, type_in, house, client):
    _card, page = asked()

    done = type_in(page, mailed(house), environ_overrides={"REMOTE_ADDR": "192.0.2.9"})

    assert done.status_code == 200
    assert "it is confirmed" in done.get_data(as_text=True)
    given = house.facts()[-1]
    assert (given.act, given.method) == ("given", "mailbox-digits")
    assert house.evidence(given)["ip"] == "192.0.2.9"
    assert house.standing() == {"newsletter": "given"}


@pytest.mark.parametrize("grouped", ["{} {}", " {}-{} "])
def test_they_may_be_typed_as_they_are_read(asked, type_in, house, grouped):
    _card, page = asked()
    digits = mailed(house)

    done = type_in(page, grouped.format(digits[:3], digits[3:]))

    assert done.status_code == 200


def test_the_mail_shows_them_in_two_groups(asked, house, app, smtp):
    asked()
    digits = mailed(house)
    worker = Worker(app)
    worker.deliver()
    worker.close()

    (mail,) = [d for d in smtp.to(EMAIL) if "confirm" in d.message["Subject"]]

    for kind in ("plain", "html"):
        assert f"{digits[:3]} {digits[3:]}" in mail.text(kind)


def test_a_second_time_changes_nothing(asked, type_in, house):
    _card, page = asked()
    type_in(page, mailed(house))
    before = house.dump()

    assert type_in(page, mailed(house)).status_code == 200
    assert house.dump() == before


def test_at_once_they_confirm_once(asked, type_in, house):
    """DO-06: a race on both databases."""
    _card, page = asked()
    digits = mailed(house)

    at_once([lambda: type_in(page, digits)] * 4, threads=4)

    assert [fact.act for fact in house.facts()].count("given") == 1


def test_five_tries_are_all(asked, type_in, house):
    """Brute force: one page has five of a million chances."""
    _card, page = asked()
    wrong = f"{(int(mailed(house)) + 1) % 10**rules.DIGITS:06d}"

    tries = [type_in(page, wrong).status_code for _ in range(rules.DIGITS_TRIES)]
    right = type_in(page, mailed(house))

    assert tries == [422] * rules.DIGITS_TRIES
    assert right.status_code == 429
    assert house.standing() == {}


def test_after_ten_minutes_the_link_is_left(asked, type_in, house, clock):
    _card, page = asked()
    clock.advance(rules.DIGITS_LIFE + timedelta(seconds=1))

    assert type_in(page, mailed(house)).status_code == 422
    assert house.standing() == {}


def test_for_a_request_that_is_over_they_confirm_nothing(asked, type_in, house, clock):
    """Who asks the same again gets a new mail about the request of before."""
    asked()
    clock.advance(rules.LIFE - timedelta(minutes=4))
    _card, page = asked()
    digits = house.letters("confirm", to=EMAIL)[-1].params["digits"]
    clock.advance(timedelta(minutes=6))

    answer = type_in(page, digits)

    assert answer.status_code == 422
    assert "it is confirmed" not in answer.get_data(as_text=True)
    assert house.standing() == {}


def test_they_are_worth_nothing_on_another_page(asked, type_in, house, clock):
    """Bound to the request and the page: who reads them over a shoulder has nothing."""
    asked()
    _card, other = asked("bob@example.com")

    assert type_in(other, mailed(house)).status_code == 422
    assert house.standing() == {}


@pytest.mark.parametrize("digits", ["12345", "abcdef", "１２３４５６", "1" * 5_000])
def test_what_is_no_code_is_said_to_be_none(asked, type_in, digits):
    _card, page = asked()

    answer = type_in(page, digits)

    assert answer.status_code == 422
    assert "Those are not the digits" in answer.get_data(as_text=True)


@pytest.mark.parametrize("digits", ["", "  "])
def test_who_types_nothing_is_told_to_type_and_has_used_no_try(
    asked, type_in, house, digits
):
    """AB-03: the limit counts tries, and this is none."""
    _card, page = asked()

    for _time in range(20):
        answer = type_in(page, digits).get_data(as_text=True)
        assert "Type the digits first" in answer
        assert "Those are not the digits" not in answer

    assert type_in(page, mailed(house)).status_code == 200


def test_who_is_known_sees_the_same_page(asked, type_in, house, client, clock):
    """AB-03: no page tells whether an address was asked."""
    _card, page = asked()
    type_in(page, mailed(house))
    clock.advance(timedelta(days=1))

    _card, known = asked()
    _card, unknown = asked("new@example.com")

    def bare(html):
        html = re.sub(r'(value|nonce)="[^"]+"', "", html)
        return re.sub(r"[a-z]\*+@example.com|[0-9A-F]{6,}", "", html)

    assert [letter.kind for letter in house.letters("manage")] == ["manage"]
    answers = [type_in(each, "123456") for each in (known, unknown)]
    assert len({answer.status_code for answer in answers}) == 1
    assert len({bare(answer.get_data(as_text=True)) for answer in answers}) == 1


def test_without_the_option_there_is_no_such_form(publish, client, house):
    publish(campaign_file("welcome-scratch"))

    page = take_card(client).enter(client, consents=["newsletter"])

    assert 'id="digits"' not in page.get_data(as_text=True)
    assert mailed(house) == ""


def test_a_form_without_a_game_takes_them_too(publish, client, house, type_in):
    publish(campaign_file("footer-newsletter", confirm_by_digits=True))
    card = take_card(client, "footer-newsletter-inline")
    page = card.send(client, {"email": EMAIL}, consents=["newsletter"])

    done = type_in(page.get_data(as_text=True), mailed(house))

    assert done.status_code == 200
    assert house.standing() == {"newsletter": "given"}
