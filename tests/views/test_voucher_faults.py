"""Each statement of a redemption fails in turn: all of it is stored or nothing (G5)."""

import os
from datetime import timedelta
from functools import partial

import pytest

from server.models import Device, Voucher
from server.services import devices
from tests.factories import publish as publish_in
from tests.office import furnish, play, token
from tests.services.test_entries import refuse_and_mend
from tests.visits import House as Inside
from tests.visits import few_mugs, take_card

PEOPLE = ("ada@home.example", "bob@home.example")
ACTS = {
    "redeem": [("voucher", "UPDATE"), ("audit", "INSERT")],
    "revoke": [("voucher", "UPDATE"), ("voucher_step", "INSERT"), ("audit", "INSERT")],
}
MAILING = [("mailbox", "UPDATE"), ("link", "INSERT"), ("outbox", "INSERT")]
MAILING += [("voucher_step", "INSERT")]


@pytest.fixture
def unit(publish, client, house):
    """A mug that somebody has won."""
    publish(few_mugs(1))
    take_card(client).enter(client)
    return house.rows(Voucher)[0]


def test_a_redemption_by_key_is_whole_or_not_at_all(
    unit, client, house, database, vault, now
):
    with database.transaction() as session:
        devices.add(
            session,
            shop_code="demo",
            name="Till 1",
            vault=vault,
            now=now,
            random=os.urandom,
        )
        public_id = session.query(Device).one().public_id
        key = devices.give_key(session, public_id, random=os.urandom)

    def send():
        return client.post(
            "/api/v1/vouchers/redeem",
            json={"code": unit.code},
            headers={"Authorization": f"Bearer {key}"},
        )

    refused = refuse_and_mend(house, "voucher", "UPDATE", send)

    assert refused.status_code == 503
    assert send().json["result"] == "redeemed"


def test_what_the_office_does_is_whole_or_not_at_all(app, database, vault, clock, now):
    house, inside = furnish(app, database, now), Inside(app, database, vault, clock)
    with database.transaction() as session:
        publish_in(session, few_mugs(2, "lucky-scratch"), vault=vault, now=now)
    browser = house.client(house.owner)
    proof = token(browser)
    for email, (act, broken) in zip(PEOPLE, ACTS.items(), strict=True):
        play(app, database, now, email=email, placement="lucky-inline")
        code = inside.letters("prize", to=email)[0].params["code"]
        form = {"code": code, "why": "a robot", "csrf_token": proof}
        send = partial(browser.post, f"/office/demo/vouchers/{act}", data=form)

        for table, verb in broken:
            refused = refuse_and_mend(inside, table, verb, send)
            assert refused.status_code == 503, (act, table)

        assert send().status_code == 200
        assert inside.rows(Voucher, code=code)[0].state == f"{act.rstrip('e')}ed"
    assert house.audits() == ["voucher.redeem", "voucher.revoke"]


def test_mailing_it_again_is_whole_or_not_at_all(unit, client, house, clock):
    link = house.link("prize")
    clock.advance(timedelta(minutes=11))

    def send():
        return client.post(f"{link}/mail")

    for table, verb in MAILING:
        assert refuse_and_mend(house, table, verb, send).status_code == 503, table

    assert send().status_code == 303
    assert len(house.letters("prize")) == 2
