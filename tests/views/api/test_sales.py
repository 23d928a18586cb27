"""A till's or a webshop's program tells of a sale by key (SO-01)."""

import os

import pytest

from server.models import Contact, Device
from server.services import contacts, devices
from server.services.contacts import Reason
from tests.claims import EMAIL, sale
from tests.factories import campaign_file

SALES = "/api/v1/sales"


@pytest.fixture
def key(publish, database, vault, now):
    publish(campaign_file("welcome-scratch"))
    with database.transaction() as session:
        devices.add(
            session,
            shop_code="demo",
            name="Webshop",
            vault=vault,
            now=now,
            random=os.urandom,
        )
        (device,) = session.query(Device).all()
        return devices.give_key(session, device.public_id, random=os.urandom)


@pytest.fixture
def tell(client, key):
    def tell(body, *, key=key):
        headers = {"Authorization": f"Bearer {key}", "Accept-Language": "en"}
        return client.post(SALES, json=body, headers=headers)

    return tell


def test_a_sale_is_noted_once(tell, house):
    """The same order again, as after an answer that got lost, is no second fact."""
    first = tell(sale())
    before = house.dump()
    again = tell(sale())

    assert first.status_code == again.status_code == 202
    assert first.get_json() == again.get_json()
    assert house.standing() == {"soft:mugs": "soft_opt_in"}
    assert house.dump() == before


def test_a_newer_sale_renews_it(tell, house):
    tell(sale())
    tell(sale(order="A-2", date="2026-03-01", collected="2026-03-01T09:00Z"))

    assert house.acts() == [("soft:mugs", "soft_opt_in")] * 2
    assert house.facts()[-1].context["sold_on"] == "2026-03-01"


@pytest.mark.parametrize("reason", Reason)
def test_the_answer_says_nothing_about_the_person(tell, house, vault, reason):
    """Who was erased, or objected, is answered for like everybody else."""
    from tests.claims import shop_named

    known = tell(sale("bram@example.com")).get_json()
    hashed = contacts.hash_email(vault, shop_named(house), EMAIL)
    from server.models import Suppression
    from tests.factories import make

    with house.database.transaction() as session:
        make(
            session,
            Suppression,
            now=house.clock.now(),
            shop_id=shop_named(house),
            email_hash=hashed,
            reason=reason.value,
        )
    answer = tell(sale())

    assert (answer.status_code, answer.get_json()) == (202, known)
    assert house.emails() == ["bram@example.com"]


@pytest.mark.parametrize(
    "gone", ["address", "order", "date", "category", "locale", "offer", "collected"]
)
def test_without_any_part_nothing_is_stored(tell, house, gone):
    """SO-01: missing any -> refused, and the field named."""
    before = house.dump()
    body = sale()
    del body[gone]

    for sent in (body, sale(**{gone: ""}), sale() | {gone: None}, sale() | {gone: 1}):
        answer = tell(sent)
        assert answer.status_code == 400
        assert answer.get_json()["field"] == gone
    assert house.dump() == before


@pytest.mark.parametrize(
    "body", [None, [], "sale", 1, sale(offer_file="/etc/passwd"), sale(shoe="1")]
)
def test_what_is_no_sale_is_named(tell, house, body):
    assert tell(body).get_json()["result"] == "unreadable"
    assert house.rows(Contact) == []


def test_it_needs_a_key(tell, house):
    assert tell(sale(), key="made up").status_code == 401
    assert house.rows(Contact) == []
