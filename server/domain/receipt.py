"""The receipt of a consent: what the person takes home (PR-09).

One JSON document that is both: the fields of ISO/IEC TS 27560:2023 by their own names,
with terms of the W3C's Data Privacy Vocabulary 2 (`dpv-27560:receipt-eu-gdpr`), and in
`kantara` a receipt of the Kantara Initiative's version 1.1.0. The ledger's key signs
the canonical JSON (RFC 8785) of all but `sig`.

No live link is inside: whoever is shown a receipt must not be able to withdraw with it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from server.domain.consent import Act
from server.domain.ledger import Notary, moment
from server.domain.months import MONTHS_A_YEAR
from server.domain.optin import CONFIRM_DAYS
from server.domain.proof import Place
from server.domain.shop import Legal

CONTEXT = {
    "dpv": "https://w3id.org/dpv#",
    "dpv-27560": "https://w3id.org/dpv/schema/dpv-27560#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "pd": "https://w3id.org/dpv/pd#",
}
PROFILE = f"{CONTEXT['dpv-27560']}receipt-eu-gdpr"
KANTARA = "KI-CR-v1.1.0"
SHOP = "p-1"
# What DPV calls the state that each act leads to; other acts are about no consent.
STATES = {
    Act.REQUESTED: "dpv:ConsentRequested",
    Act.GIVEN: "dpv:ConsentGiven",
    Act.WITHDRAWN: "dpv:ConsentWithdrawn",
    Act.DECLINED: "dpv:ConsentRefused",
    Act.SUPERSEDED: "dpv:ConsentRequestDeferred",
    Act.EXPIRED: "dpv:ConsentRequestDeferred",
    Act.LAPSED: "dpv:ConsentExpired",
    Act.UNPROVEN: "dpv:ConsentUnknown",
}
# What makes a purpose one of a receipt.
DECIDED = frozenset({Act.GIVEN, Act.WITHDRAWN, Act.LAPSED, Act.UNPROVEN})
OVER = "ended"
# These no person does.
OF_THE_SHOP = frozenset({Act.EXPIRED, Act.LAPSED, Act.UNPROVEN})
RIGHTS = ("A7-3", "A15", "A16", "A17", "A18", "A20", "A21")
TOLD_THERE = "as told in the privacy notice"
# Where somebody complains (GDPR 13(2)(d)).
AUTHORITIES = {
    "AT": "Datenschutzbehörde",
    "BE": "Gegevensbeschermingsautoriteit",
    "DE": "Bundesbeauftragte für den Datenschutz und die Informationsfreiheit",
    "GB": "Information Commissioner's Office",
    "IE": "Data Protection Commission",
    "LU": "Commission nationale pour la protection des données",
    "NL": "Autoriteit Persoonsgegevens",
}


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody decided on one purpose: as it was shown, and as it stands.

    `told` names what else is kept under it, beside the address.
    """

    purpose: str
    title: str
    body: str
    text: str
    notice: str
    notice_url: str
    locale: str
    collected: str
    recipient: str
    stands: str
    since: datetime
    given_at: datetime | None
    told: tuple[str, ...] = ()

    @property
    def is_yes(self) -> bool:
        """Return whether it holds today."""
        return self.stands == Act.GIVEN


@dataclass(frozen=True, slots=True)
class Customer:
    """Leave to mail somebody about what they bought: no consent, so in no file (SO-02).

    `body` is the offer to say no, as it was made; `until` is the first day without it.
    """

    category: str
    body: str
    locale: str
    is_on: bool
    since: datetime
    until: date | None


@dataclass(frozen=True, slots=True)
class Event:
    """One fact about a consent, and where it stands in the ledger."""

    at: datetime
    purpose: str
    act: str
    method: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class Record:
    """All that somebody decided at one shop."""

    shop: str
    legal: Legal
    subject: str
    consents: tuple[Consent, ...]
    events: tuple[Event, ...]
    # How long the shop keeps the proof of a yes that ended.
    proof_months: int
    # How long a yes holds without a sign of life (DS-05).
    lapse_months: int
    # Beside the consents, and never among them.
    bought: tuple[Customer, ...] = ()

    @property
    def given(self) -> tuple[Consent, ...]:
        """Return what was ever said yes to, newest last."""
        yeses = [consent for consent in self.consents if consent.given_at]
        return tuple(
            sorted(yeses, key=lambda consent: (consent.given_at, consent.text))
        )

    @property
    def is_any_on(self) -> bool:
        """Return whether the shop may mail for anything of it."""
        return any(each.is_yes for each in self.consents) or any(
            each.is_on for each in self.bought
        )

    @property
    def newest(self) -> Consent:
        """Return the consent decided last. Raises ValueError where there is none."""
        return max(self.consents, key=lambda consent: consent.since)

    @property
    def authority(self) -> str | None:
        """Return who watches over this controller."""
        return AUTHORITIES.get(self.legal.country)


def build(record: Record, *, issued: datetime, notary: Notary) -> dict[str, Any]:
    """Return the signed receipt. Raises ValueError if nothing was ever said yes to."""
    if not record.given:
        raise ValueError("there is no receipt of what nobody said yes to")
    name, newest = receipt_id(record), record.newest
    person = f"s-{record.subject}"
    receipt = {
        "@context": CONTEXT,
        "@type": "dpv:ConsentReceipt",
        "schema_version": PROFILE,
        "receipt_id": name,
        "record_id": f"c-{_short('record', record.subject)}",
        "issued": moment(issued),
        "pii_principal_id": person,
        "language": newest.locale,
        "jurisdiction": record.legal.country,
        "privacy_notice": _notice(newest),
        "pii_controllers": [SHOP],
        "processing": [_processing(record, consent) for consent in record.consents],
        "parties": _parties(record),
        "events": [
            _event(event, person, record.lapse_months) for event in record.events
        ],
        "ledger": _ledger(record.events),
        "kantara": _kantara(record, name, person, notary),
    }
    return receipt | {"sig": f"ed25519:{notary.attest(receipt).hex()}"}


def receipt_id(record: Record) -> str:
    """Return a name that stays the same until something new was decided."""
    facts = [
        f"{event.purpose}|{event.act}|{moment(event.at)}" for event in record.events
    ]
    return f"r-{_short(record.shop, record.subject, *facts)}"


def _short(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:26]


def _notice(consent: Consent) -> dict[str, str]:
    return {"url": consent.notice_url, "sha256": consent.notice}


def _processing(record: Record, consent: Consent) -> dict[str, Any]:
    data = [{"pii_type": "pd:EmailAddress", "pii_optional": False}]
    more = [
        {
            "pii_type": "dpv:PersonalData",
            "pii_attribute_id": key,
            "pii_optional": True,
        }
        for key in consent.told
    ]
    return {
        "purpose": consent.title,
        "purpose_id": consent.purpose,
        "purpose_type": "dpv:DirectMarketing",
        "lawful_basis": "eu-gdpr:A6-1-a",
        "privacy_notice": _notice(consent),
        "language": consent.locale,
        "pii_information": [*data, *more],
        "pii_controllers": [SHOP],
        "collection_method": consent.collected,
        "storage_locations": [record.legal.stored_in or TOLD_THERE],
        "retention_period": _retention(record.proof_months),
        "jurisdiction": record.legal.country,
        "recipient_third_parties": [_third(consent)] if consent.recipient else [],
        "withdrawal_method": (
            f"the stop button in every mail, or {record.legal.email}"
        ),
        "privacy_rights": [f"eu-gdpr:{right}" for right in RIGHTS],
        "authority_party": record.authority,
        "state": STATES[Act(consent.stands)],
        "consent_text": {"sha256": consent.text, "text": consent.body},
    }


def _retention(months: int) -> str:
    """Return how long a consent and its proof are kept, by ISO 8601."""
    years, rest = divmod(months, MONTHS_A_YEAR)
    return f"until withdrawal; proof +{f'P{months}M' if rest else f'P{years}Y'}"


def _third(consent: Consent) -> str:
    """Return the party to which a consent also hands the address (CR-05)."""
    return f"p-{_short('party', consent.recipient)[:8]}"


def _parties(record: Record) -> list[dict[str, Any]]:
    legal = record.legal
    shop = {
        "party_id": SHOP,
        "party_type": "dpv:DataController",
        "party_role": "dpv:DataController",
        "party_name": legal.name,
        "party_address": f"{legal.address}, {legal.country}",
        "party_contact": legal.email,
        "party_email": legal.email,
        "party_phone": legal.phone,
        "party_url": str(legal.privacy_url),
    }
    others = {
        _third(consent): {
            "party_id": _third(consent),
            "party_type": "dpv:ThirdParty",
            "party_role": "dpv:Recipient",
            "party_name": consent.recipient,
            # The form names them; how to reach them is for the shop to tell.
            "party_address": TOLD_THERE,
            "party_contact": legal.email,
        }
        for consent in record.consents
        if consent.recipient
    }
    return [shop, *others.values()]


def _validity(act: Act, lapse_months: int) -> str:
    if act is Act.GIVEN:
        return f"until withdrawn, or P{lapse_months}M without a sign of life"
    return f"P{CONFIRM_DAYS}D" if act is Act.REQUESTED else OVER


def _event(event: Event, person: str, lapse_months: int) -> dict[str, Any]:
    act = Act(event.act)
    return {
        "event_time": moment(event.at),
        "event_type": "dpv:ExpressedConsent",
        "event_state": STATES[act],
        "validity_duration": _validity(act, lapse_months),
        "entity_id": SHOP if act in OF_THE_SHOP else person,
        "purpose_id": event.purpose,
        "method": event.method,
        "ledger": _place(event.place),
    }


def _place(place: Place | None) -> dict[str, Any] | None:
    """Return where a fact stands; None for the seconds until it is sealed."""
    if place is None:
        return None
    day = place.signed.checkpoint.day.isoformat() if place.signed else None
    return {
        "seq": place.seq,
        "entry_hash": place.entry_hash.hex(),
        "prev_hash": place.prev_hash.hex(),
        "checkpoint": day,
        "alg": "sha256-jcs",
    }


def _ledger(events: Sequence[Event]) -> dict[str, Any] | None:
    """Return where the newest fact stands."""
    return _place(events[-1].place) if events else None


def _kantara(record: Record, name: str, person: str, notary: Notary) -> dict[str, Any]:
    legal, newest = record.legal, record.given[-1]
    return {
        "version": KANTARA,
        "jurisdiction": legal.country,
        "consentTimestamp": max(_seconds(consent) for consent in record.given),
        "collectionMethod": newest.collected,
        "consentReceiptID": name,
        "publicKey": f"ed25519:{notary.newest.hex()}",
        "language": newest.locale,
        "piiPrincipalId": person,
        "piiControllers": [
            {
                "piiController": legal.name,
                "onBehalf": False,
                "contact": legal.name,
                "address": {
                    "streetAddress": legal.address,
                    "addressCountry": legal.country,
                },
                "email": legal.email,
                "phone": legal.phone,
                "piiControllerUrl": str(legal.privacy_url),
            }
        ],
        "policyUrl": newest.notice_url,
        "services": [_service(consent) for consent in record.given],
        "sensitive": False,
        "spiCat": [],
    }


def _seconds(consent: Consent) -> int:
    return int(consent.given_at.timestamp()) if consent.given_at else 0


def _service(consent: Consent) -> dict[str, Any]:
    ended = f"{consent.stands} {moment(consent.since)}"
    purpose: dict[str, Any] = {
        "purpose": consent.title,
        "purposeCategory": ["6 - Marketing"],
        "consentType": "EXPLICIT",
        "piiCategory": ["2 - Contact"],
        "primaryPurpose": True,
        "termination": "withdrawal" if consent.is_yes else ended,
        "thirdPartyDisclosure": bool(consent.recipient),
    }
    if consent.recipient:
        purpose["thirdPartyName"] = consent.recipient
    return {"service": consent.title, "purposes": [purpose]}
