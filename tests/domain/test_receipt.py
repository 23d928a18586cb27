"""The receipt's form: two standards in one signed document (PR-09)."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from server.domain import receipt as rules
from server.domain.consent import Act
from server.domain.receipt import Consent, Event, Record
from tests import receipts
from tests.factories import shop_file
from tests.ledgers import NOTARY

GIVEN = datetime(2026, 3, 2, 10, 16, 41, 7_000, tzinfo=UTC)
TEXT = "Newsletter\nYes, mail me."
NOTICE = "https://play.example.com/notice/" + 64 * "a"


def consent(purpose: str = "newsletter", **changes) -> Consent:
    return Consent(
        **{
            "purpose": purpose,
            "title": purpose.title(),
            "body": TEXT,
            "text": 64 * "b",
            "notice": 64 * "a",
            "notice_url": NOTICE,
            "locale": "en",
            "collected": "web:lucky, double opt-in by e-mail",
            "recipient": "",
            "stands": Act.GIVEN,
            "since": GIVEN,
            "given_at": GIVEN,
        }
        | changes
    )


def event(act: Act, purpose: str = "newsletter", at: datetime = GIVEN) -> Event:
    return Event(at, purpose, act, "mailbox-confirmed-post", None)


def record(*consents: Consent, events: tuple[Event, ...] = ()) -> Record:
    legal = shop_file().legal
    consents = consents or (consent(),)
    asked = GIVEN - timedelta(minutes=3)
    events = events or (event(Act.REQUESTED, at=asked), event(Act.GIVEN))
    return Record(
        "demo", legal, 32 * "7", consents, events, proof_months=60, lapse_months=36
    )


def build(made: Record) -> dict:
    return rules.build(made, issued=GIVEN + timedelta(days=1), notary=NOTARY)


def test_it_has_all_that_both_standards_ask_for():
    content = build(record())

    receipts.check(content)
    assert content["kantara"]["consentTimestamp"] == int(GIVEN.timestamp())
    assert content["events"][1]["event_time"] == "2026-03-02T10:16:41.007Z"
    assert content["events"][0]["validity_duration"] == "P7D"
    assert content["events"][1]["validity_duration"] == (
        "until withdrawn, or P36M without a sign of life"
    )
    assert content["processing"][0]["consent_text"]["text"] == TEXT
    assert content["processing"][0]["storage_locations"] == ["EU"]
    assert content["processing"][0]["authority_party"] == "Autoriteit Persoonsgegevens"


MANDATORY = [
    *("schema_version", "receipt_id", "record_id", "pii_principal_id"),
    *("language", "jurisdiction", "privacy_notice", "pii_controllers"),
    *("processing", "parties", "events"),
    *(f"processing.0.{name}" for name in ("purpose", "pii_information")),
    *(f"processing.0.{name}" for name in ("storage_locations", "retention_period")),
    *(f"processing.0.{name}" for name in ("recipient_third_parties",)),
    *(f"processing.0.{name}" for name in ("withdrawal_method", "jurisdiction")),
    "processing.0.pii_information.0.pii_type",
    *(f"parties.0.party_{name}" for name in ("id", "address", "name", "contact")),
    "parties.0.party_type",
    *(f"events.0.{name}" for name in ("event_time", "validity_duration")),
    *(f"events.0.{name}" for name in ("entity_id", "event_type", "event_state")),
    *(f"kantara.{name}" for name in ("version", "jurisdiction", "consentTimestamp")),
    *(f"kantara.{name}" for name in ("collectionMethod", "consentReceiptID")),
    *(f"kantara.{name}" for name in ("piiPrincipalId", "piiControllers")),
    *(f"kantara.{name}" for name in ("policyUrl", "services", "sensitive", "spiCat")),
    "kantara.services.0.purposes.0.consentType",
    "kantara.services.0.purposes.0.termination",
]


@pytest.mark.parametrize("place", MANDATORY)
def test_the_check_misses_what_is_mandatory(place: str):
    """So that the test above is worth something."""
    content = json.loads(json.dumps(build(record())))
    *steps, last = place.split(".")
    inside = content
    for step in steps:
        inside = inside[int(step)] if step.isdigit() else inside[step]
    del inside[last]

    with pytest.raises(ValidationError):
        receipts.check(content)


def test_a_signature_covers_every_byte():
    content = build(record())

    receipts.verify(content, NOTARY.newest)
    for place in ("issued", "language", "receipt_id"):
        with pytest.raises(InvalidSignature):
            receipts.verify(content | {place: "else"}, NOTARY.newest)
    key = content["kantara"]["publicKey"]
    assert key == f"ed25519:{NOTARY.newest.hex()}"


def test_what_was_taken_back_is_an_event_and_ends_there():
    later = GIVEN + timedelta(days=3)
    taken = consent(stands=Act.WITHDRAWN, since=later)
    events = (event(Act.GIVEN), event(Act.WITHDRAWN, at=later))

    content = build(record(taken, events=events))

    receipts.check(content)
    assert content["processing"][0]["state"] == "dpv:ConsentWithdrawn"
    assert content["events"][-1]["event_state"] == "dpv:ConsentWithdrawn"
    [service] = content["kantara"]["services"]
    assert service["purposes"][0]["termination"] == "withdrawn 2026-03-05T10:16:41.007Z"


@pytest.mark.parametrize(("months", "told"), [(60, "P5Y"), (12, "P1Y"), (18, "P18M")])
def test_it_tells_how_long_the_shop_keeps_the_proof(months: int, told: str):
    """DS-04: the term of the shop's own file, not what others have."""
    content = build(replace(record(), proof_months=months))

    receipts.check(content)
    (processing,) = content["processing"]
    assert processing["retention_period"] == f"until withdrawal; proof +{told}"


def test_who_else_gets_the_address_is_a_party():
    """CR-05."""
    shared = consent("lamps", recipient="Lampenhuis B.V.: lamps and cords")

    content = build(record(consent(), shared))

    receipts.check(content)
    third = content["processing"][1]["recipient_third_parties"][0]
    assert third in {party["party_id"] for party in content["parties"]}
    services = content["kantara"]["services"]
    named = [s["purposes"][0].get("thirdPartyName") for s in services]
    assert set(named) == {None, "Lampenhuis B.V.: lamps and cords"}


def test_there_is_no_receipt_without_a_yes():
    claimed = consent(stands=Act.UNPROVEN, given_at=None)

    with pytest.raises(ValueError, match="no receipt"):
        build(record(claimed))


def test_its_name_changes_only_with_what_was_decided():
    before = record()
    more = replace(before, events=(*before.events, event(Act.WITHDRAWN)))

    assert rules.receipt_id(before) == rules.receipt_id(record())
    assert rules.receipt_id(before) != rules.receipt_id(more)


@given(
    st.lists(
        st.sampled_from([Act.GIVEN, Act.WITHDRAWN, Act.LAPSED, Act.UNPROVEN]),
        min_size=1,
        max_size=4,
    ),
    st.text(min_size=1).filter(str.strip),
)
def test_whatever_was_decided_it_holds(acts: list[Act], words: str):
    """Any mix of decisions, and any words that a shop may have shown."""
    consents = [
        consent(f"p{number}", stands=act, body=words, title=words)
        for number, act in enumerate(acts)
    ]
    events = tuple(event(act, f"p{number}") for number, act in enumerate(acts))

    content = build(record(*consents, events=events))

    receipts.check(content)
    receipts.verify(content, NOTARY.newest)
