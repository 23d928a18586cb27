"""What a receipt must be: the two standards' rules, in words of our own.

`Receipt` holds the mandatory fields of ISO/IEC TS 27560:2023, as the W3C's guide to it
names them, and in `kantara` those of the Kantara Initiative's specification 1.1.0
(sections 4.3 to 4.5). Nothing more may be there: a field nobody described helps nobody.
"""

from typing import Annotated, Any, Literal

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, EmailStr, Field, HttpUrl, StringConstraints
from pydantic.alias_generators import to_camel

Text = Annotated[str, StringConstraints(min_length=1)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Moment = Annotated[
    str,
    StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"),
]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Term = Annotated[str, StringConstraints(pattern=r"^(dpv|pd|eu-gdpr):[A-Za-z0-9-]+$")]
# The states of a consent that DPV 2 knows.
State = Literal[
    "dpv:ConsentExpired",
    "dpv:ConsentGiven",
    "dpv:ConsentInvalidated",
    "dpv:ConsentRefused",
    "dpv:ConsentRequestDeferred",
    "dpv:ConsentRequested",
    "dpv:ConsentRevoked",
    "dpv:ConsentUnknown",
    "dpv:ConsentWithdrawn",
    "dpv:RenewedConsentGiven",
]


class Exactly(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Notice(Exactly):
    url: Annotated[HttpUrl, Field(strict=False)]
    sha256: Hash | Literal[""]


class Data(Exactly):
    pii_type: Term
    pii_attribute_id: Text | None = None
    pii_optional: bool


class ConsentText(Exactly):
    sha256: Hash | Literal[""]
    text: str


class Processing(Exactly):
    purpose: Text
    purpose_id: Text
    purpose_type: Term
    lawful_basis: Term
    privacy_notice: Notice
    language: Text
    pii_information: Annotated[list[Data], Field(min_length=1)]
    pii_controllers: Annotated[list[Text], Field(min_length=1)]
    collection_method: Text
    storage_locations: Annotated[list[Text], Field(min_length=1)]
    retention_period: Text
    jurisdiction: Country
    recipient_third_parties: list[Text]
    withdrawal_method: Text
    privacy_rights: Annotated[list[Term], Field(min_length=1)]
    authority_party: Text | None
    state: State
    consent_text: ConsentText


class Party(Exactly):
    party_id: Text
    party_type: Term
    party_role: Term
    party_name: Text
    party_address: Text
    party_contact: Text
    party_email: EmailStr | None = None
    party_phone: Text | None = None
    party_url: Annotated[HttpUrl | None, Field(strict=False)] = None


class Ledger(Exactly):
    seq: Annotated[int, Field(ge=1)]
    entry_hash: Hash
    prev_hash: Hash
    checkpoint: str | None
    alg: Literal["sha256-jcs"]


class Event(Exactly):
    event_time: Moment
    event_type: Term
    event_state: State
    validity_duration: Text
    entity_id: Text
    purpose_id: Text
    method: Text
    ledger: Ledger | None


class InCamels(Exactly):
    """Kantara writes its fields another way."""

    model_config = ConfigDict(alias_generator=to_camel)


class Address(InCamels):
    street_address: Text
    address_country: Country


class PiiController(InCamels):
    pii_controller: Text
    on_behalf: bool
    contact: Text
    address: Address
    email: EmailStr
    phone: Text
    pii_controller_url: Annotated[HttpUrl, Field(strict=False)]


class Purpose(InCamels):
    purpose: Text
    purpose_category: Annotated[list[Text], Field(min_length=1)]
    consent_type: Literal["EXPLICIT"]
    pii_category: Annotated[list[Text], Field(min_length=1)]
    primary_purpose: bool
    termination: Text
    third_party_disclosure: bool
    third_party_name: Text | None = None


class Service(InCamels):
    service: Text
    purposes: Annotated[list[Purpose], Field(min_length=1)]


class Kantara(InCamels):
    version: Literal["KI-CR-v1.1.0"]
    jurisdiction: Text
    consent_timestamp: Annotated[int, Field(ge=0)]
    collection_method: Text
    consent_receipt_id: Annotated[Text, Field(alias="consentReceiptID")]
    public_key: Text
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
    pii_principal_id: Text
    pii_controllers: Annotated[list[PiiController], Field(min_length=1)]
    policy_url: Annotated[HttpUrl, Field(strict=False)]
    services: Annotated[list[Service], Field(min_length=1)]
    sensitive: bool
    spi_cat: list[Text]


class Receipt(Exactly):
    context: Annotated[dict[str, str], Field(alias="@context")]
    type: Annotated[Literal["dpv:ConsentReceipt"], Field(alias="@type")]
    schema_version: Literal["https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr"]
    receipt_id: Text
    record_id: Text
    issued: Moment
    pii_principal_id: Text
    language: Text
    jurisdiction: Country
    privacy_notice: Notice
    pii_controllers: Annotated[list[Text], Field(min_length=1)]
    processing: Annotated[list[Processing], Field(min_length=1)]
    parties: Annotated[list[Party], Field(min_length=1)]
    events: Annotated[list[Event], Field(min_length=1)]
    ledger: Ledger | None
    kantara: Kantara
    sig: Annotated[str, StringConstraints(pattern=r"^ed25519:[0-9a-f]{128}$")]


def check(content: dict[str, Any]) -> None:
    """Hold a receipt against both standards, and against itself."""
    receipt = Receipt.model_validate(content)
    parties = {party.party_id for party in receipt.parties}
    used = {term.split(":")[0] for term in terms(content)}
    assert used <= receipt.context.keys(), "each prefix is explained"
    for processing in receipt.processing:
        assert set(processing.pii_controllers) <= parties
        assert set(processing.recipient_third_parties) <= parties
    entities = {event.entity_id for event in receipt.events}
    assert entities <= {receipt.pii_principal_id, *parties}
    for service in receipt.kantara.services:
        for purpose in service.purposes:
            is_named = purpose.third_party_name is not None
            assert purpose.third_party_disclosure == is_named
    assert receipt.kantara.consent_receipt_id == receipt.receipt_id


def terms(value: Any) -> set[str]:
    """Return every term of a vocabulary that is in a receipt."""
    if isinstance(value, dict):
        return set().union(*(terms(each) for each in value.values()))
    if isinstance(value, list):
        return set().union(*(terms(each) for each in value))
    prefixes = ("dpv:", "pd:", "eu-gdpr:", "dpv-27560:")
    is_term = isinstance(value, str) and value.startswith(prefixes)
    return {value} if is_term else set()


def verify(content: dict[str, Any], public: bytes) -> None:
    """Check the signature over the canonical JSON of all but itself (RFC 8785)."""
    signed = {key: value for key, value in content.items() if key != "sig"}
    signature = bytes.fromhex(content["sig"].removeprefix("ed25519:"))
    Ed25519PublicKey.from_public_bytes(public).verify(signature, rfc8785.dumps(signed))
