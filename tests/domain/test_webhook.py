"""What recipients are told, and that anybody can check who said it (DS-06)."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from server.domain import webhook
from server.domain.webhook import ALLOWING, BASES, OWED, Event, Message

AT = datetime(2026, 3, 2, 10, 30, 0, 250_000, tzinfo=UTC)


def told(event=Event.GIVEN, **changes):
    return Message(
        **{
            "event": event,
            "contact": "c0ffee",
            "email": "iris@example.com",
            "earlier": (),
            "purpose": "newsletter" if event in BASES else None,
            "channel": "email",
            "because": None,
            "at": AT,
            "sequence": AT,
        }
        | changes
    )


def test_a_signature_is_the_one_that_the_scheme_publishes():
    """The vector of standardwebhooks.com."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.fromtimestamp(1614265330, UTC)

    made = webhook.headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', [secret], now=at
    )

    assert made == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_each_of_two_secrets_signs_as_hmac_says():
    body, secrets = (
        told().body(),
        [webhook.secret(b"n" * 32), webhook.secret(b"o" * 32)],
    )

    made = webhook.headers("msg_1", body, secrets, now=AT)

    signed = b".".join((b"msg_1", made["webhook-timestamp"].encode(), body))
    by_hand = [
        "v1," + base64.b64encode(hmac.digest(key * 32, signed, hashlib.sha256)).decode()
        for key in (b"n", b"o")
    ]
    assert made["webhook-signature"].split(" ") == by_hand


def test_a_yes_says_who_for_what_and_on_what_ground():
    assert json.loads(told().body()) == {
        "type": "consent.given",
        "timestamp": "2026-03-02T10:30:00.250Z",
        "data": {
            "contact": "c0ffee",
            "email": "iris@example.com",
            "purpose": "newsletter",
            "channel": "email",
            "basis": "consent",
            "at": "2026-03-02T10:30:00.250Z",
            "sequence": "2026-03-02T10:30:00.250Z",
        },
    }


def test_a_soft_opt_in_is_never_called_a_consent():
    for event in (Event.SOFT_STARTED, Event.SOFT_ENDED):
        said = json.loads(told(event).body())
        assert said["data"]["basis"] == "soft_opt_in"
        assert "consent" not in said["type"]


def test_a_new_address_comes_with_the_one_before():
    said = json.loads(told(Event.RECTIFIED, earlier=("old@example.com",)).body())

    assert said["data"]["earlier_emails"] == ["old@example.com"]
    assert "purpose" not in said["data"]


def test_every_end_and_every_right_goes_before_what_allows_more():
    assert {webhook.rank(event) for event in OWED} == {0}
    assert {webhook.rank(event) for event in ALLOWING} == {1}
    assert set(Event) == ALLOWING | OWED


def test_only_what_is_about_the_same_takes_the_place():
    assert webhook.topic(Event.GIVEN, "a") == webhook.topic(Event.WITHDRAWN, "a")
    assert webhook.topic(Event.GIVEN, "a") != webhook.topic(Event.GIVEN, "b")
    assert webhook.topic(Event.RESTRICTED, None) == webhook.topic(
        Event.UNRESTRICTED, None
    )
    assert webhook.purpose_of(webhook.topic(Event.GIVEN, "a")) == "a"
    assert webhook.purpose_of(webhook.topic(Event.ERASED, None)) == ""


@pytest.mark.parametrize(("faults", "seconds"), [(1, 5), (2, 15), (6, 300), (99, 300)])
def test_who_stays_away_is_asked_ever_more_seldom(faults, seconds):
    assert webhook.pause(faults, share=0) == timedelta(seconds=seconds)
    assert webhook.pause(faults, share=1) == timedelta(seconds=seconds * 1.1)
