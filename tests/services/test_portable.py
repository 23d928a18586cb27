"""All that a shop knows of a person, to take along (GDPR 15, 20; DS-01)."""

import json
from datetime import timedelta

import pytest

from server.domain.ledger import moment
from server.models import (
    AudienceMember,
    Base,
    Contact,
    Preference,
    RightsRequest,
)
from server.sealing import Sealing
from server.services import portable, privacy
from server.services.contacts import Reason, suppress
from tests import evidence, receipts
from tests.factories import make
from tests.receivers import listening
from tests.tellings import Desk
from tests.visits import EMAIL, sure_win, take_card

BOTH = ["newsletter", "personal_offers"]
HOUR = timedelta(hours=1)
AGENT = "Netscape Navigator 4.7"


@pytest.fixture
def tools(app):
    return app.extensions["tools"]


@pytest.fixture
def known(publish, client, house):
    """Somebody who won a mug, told their name, and said yes to both."""
    publish(sure_win(days=365))
    card = take_card(client)
    headers = {"User-Agent": AGENT}
    card.enter(client, consents=BOTH, more={"first_name": "Iris"}, headers=headers)
    house.clock.advance(HOUR)
    house.press(client, house.link("confirm"))


@pytest.fixture
def export(database, house, tools):
    """What the person gets: `export()`."""

    def exported() -> dict:
        with database.reading() as session:
            return portable.export(
                session, house.person(), tools=tools, now=house.clock.now()
            )

    return exported


def shape(value):
    """Return what kind of thing a value is, names and all."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def names(*of: str) -> dict[str, str]:
    return dict.fromkeys(of, "str")


def test_it_survives_the_way_through_json(known, export):
    """GDPR 20(1): structured, commonly used and machine-readable."""
    content = export()

    assert json.loads(json.dumps(content)) == content


def test_it_has_the_form_that_the_docs_promise(known, export):
    """Golden: the parts, and the form of each that has no test of its own."""
    content = export()
    consents = content.pop("consents")
    receipt = content.pop("receipts")

    assert list(consents) == [
        *("today", "facts", "requests", "texts", "evidence", "checkpoints", "keys"),
    ]
    assert len(receipt) == 1
    assert shape(content) == {
        **names("format", "made_at"),
        "controller": names(
            *("name", "address", "country", "email", "phone", "privacy_url")
        ),
        "person": {
            **names("id", "email", "locale", "known_since", "last_seen"),
            "restricted_at": "NoneType",
            "subject": "str",
        },
        "attributes": [],
        "entries": [
            {
                **names("receipt", "campaign", "campaign_name"),
                "version": "int",
                **names("placement", "place"),
                "device": "NoneType",
                **names("locale", "state", "played_at", "claimed_at"),
                "answers": names("first_name"),
                "source": {},
                "outcome": "NoneType",
                "awarded": "str",
                "prize": {
                    **names("key", "label", "code", "state", "awarded_at"),
                    "valid_until": "NoneType",
                    "redeemed_at": "NoneType",
                },
                "paid_back_cents": "NoneType",
                "raffles": [],
            }
        ],
        "preferences": [],
        "suppressions": [],
        "rights": [],
        "mails": [
            {
                **names("letter", "message_id", "state", "queued_at"),
                "settled_at": "NoneType",
            }
        ],
        "recipients": [
            {**names("name", "as"), "since": "NoneType", "until": "NoneType"}
        ],
    }


def test_it_tells_what_was_told_won_and_decided(known, export, app, database, house):
    sealing = Sealing(database, app.extensions["tools"])
    sealing.go_round(now=house.clock.now())

    content = export()

    assert content["person"]["email"] == EMAIL
    [entry] = content["entries"]
    assert entry["answers"] == {"first_name": "Iris"}
    assert entry["prize"]["code"] == "MUG10"
    assert entry["prize"]["label"] == "Mug"
    consents = content["consents"]
    acts = [(fact["purpose"], fact["act"]) for fact in consents["facts"]]
    assert acts == [
        *((purpose, "requested") for purpose in BOTH),
        *((purpose, "given") for purpose in BOTH),
    ]
    shown = consents["texts"][consents["facts"][-1]["text"]]["body"]
    assert "Offers that suit me" in shown
    opened = consents["evidence"][consents["facts"][0]["evidence"]]["facts"]
    assert opened["ip"] == "127.0.0.1"
    assert opened["user_agent"] == AGENT
    assert consents["requests"][0]["state"] == "confirmed"
    assert {mail["letter"] for mail in content["mails"]} == {
        *("confirm", "prize", "receipt"),
    }
    receipts.check(content["receipts"][0])
    evidence.check({"person": content["person"], **consents})


def test_wishes_rights_and_recipients_are_in_it(known, export, database, house, now):
    """GDPR 15(1)(c): also who else was handed the address."""
    who = house.person()
    with database.transaction() as session:
        of = {"contact_id": who.id, "shop_id": who.shop_id, "now": now}
        make(
            session,
            Preference,
            contact_id=who.id,
            purpose="newsletter",
            topics=["lamps"],
            rhythm="monthly",
            now=now,
        )
        make(session, RightsRequest, kind="access", **of)
        make(session, AudienceMember, platform="meta", **of)
        suppress(session, who, reason=Reason.NEVER, until=None, now=now)

    content = export()

    assert content["preferences"][0]["topics"] == ["lamps"]
    assert content["preferences"][0]["rhythm"] == "monthly"
    assert content["rights"][0]["kind"] == "access"
    assert content["rights"][0]["by"] == "person"
    assert content["suppressions"] == [
        {"reason": "never", "since": "2026-03-02T10:30:00.000Z", "until": None}
    ]
    assert [each["name"] for each in content["recipients"]] == [
        *("Noord & Zon B.V.", "meta"),
    ]


def test_it_says_who_was_told_by_webhook_and_when_they_had_heard(
    known, export, house, client, database
):
    """GDPR 19, DS-06: at the person's wish the shop says who these recipients are."""
    desk = Desk(house)
    with listening() as receiver:
        desk.add(receiver.url, name="Mailing program")
        client.post(house.link("unsubscribe"))
        telling = desk.telling()
        telling.tell_all()
        telling.close()

    told = export()["recipients"][-1]

    at = moment(house.clock.now())
    assert told.pop("told") == [
        {
            "event": "consent.withdrawn",
            "purpose": purpose,
            "queued_at": at,
            "state": "acknowledged",
            "acknowledged_at": at,
        }
        for purpose in BOTH
    ]
    assert told == {
        "name": "Mailing program",
        "as": "told by webhook",
        "since": at,
        "until": None,
    }


def test_it_says_nothing_of_anybody_else(known, export, client, house):
    """GDPR 15(4): the rights of others, and no link that acts (DO-15)."""
    other = "other@example.com"
    take_card(client).enter(client, other, more={"first_name": "Otto"})

    said = json.dumps(export())

    assert other not in said
    assert "Otto" not in said
    for letter in house.letters():
        assert letter.params["link"][1] not in said


# Where something about a person may be kept; what is left out has a reason.
IN_THE_FILE = {
    *("attribute", "consent_event", "entry", "evidence", "optin", "outbox"),
    "preference",
    *("rights_request", "address_change", "audience_member", "standing", "delivery"),
}
LEFT_OUT = {
    "link": "random bytes of which only a hash is kept; what they open is in the file",
}


def test_no_table_about_a_person_is_forgotten():
    """A new table that names a contact has to be told of, or left out for a reason."""
    about = {
        table.name
        for table in Base.metadata.sorted_tables
        if any(
            key.column.table.name == Contact.__tablename__ for key in table.foreign_keys
        )
    }

    assert about == IN_THE_FILE | LEFT_OUT.keys()


def test_who_was_erased_has_nothing_to_take_along(known, database, house, tools):
    who = house.person()
    with database.transaction() as session:
        public_id = session.get_one(Contact, who.id).public_id
        privacy.erase(
            session,
            who,
            use=privacy.Use("nl", "office", {}),
            tools=tools,
            now=house.clock.now(),
        )

    with database.reading() as session:
        found = portable.holder(session, who.shop_id, public_id, vault=tools.vault)
        assert found is None
        with pytest.raises(LookupError):
            portable.export(session, who, tools=tools, now=house.clock.now())
