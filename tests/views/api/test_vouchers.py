"""A till's own program redeems by key: JSON in, JSON out (PZ-04)."""

import os
from datetime import timedelta
from functools import partial

import pytest

from server.models import Device, Shop, Voucher
from server.services import devices
from tests.factories import make
from tests.visits import at_once, few_mugs, sure_win, take_card

REDEEM = "/api/v1/vouchers/redeem"


@pytest.fixture
def add_till(database, vault, now):
    """Make a device of a shop and return its id and its key."""

    def add_till(shop="demo", name="Till 1"):
        with database.transaction() as session:
            devices.add(
                session,
                shop_code=shop,
                name=name,
                vault=vault,
                now=now,
                random=os.urandom,
            )
            public_id = session.query(Device).order_by(Device.id.desc()).first()
            key = devices.give_key(session, public_id.public_id, random=os.urandom)
        return public_id.public_id, key

    return add_till


@pytest.fixture
def redeem(client):
    def redeem(key, code, client=client, **more):
        headers = {"Authorization": f"Bearer {key}", "Accept-Language": "en"}
        return client.post(REDEEM, json={"code": code} | more, headers=headers)

    return redeem


@pytest.fixture
def unit(publish, client, house):
    """A mug that somebody has won."""
    publish(few_mugs(1))
    take_card(client).enter(client)
    return house.rows(Voucher)[0]


def test_a_till_redeems_once_and_is_told_of_the_first(
    redeem, add_till, unit, house, clock
):
    (one, key), (_, other) = add_till(), add_till(name="Till 2")

    first = redeem(key, unit.code)
    at = clock.now()
    clock.advance(timedelta(minutes=5))
    second, own = redeem(other, unit.code), redeem(key, unit.code)

    assert first.status_code == 200
    assert first.json == {
        "result": "redeemed",
        "message": "Redeemed: Mug. Hand it over.",
        "code": unit.code,
        "prize": "mug",
        "kind": "voucher",
        "cents": None,
        "label": "Mug",
        "campaign": "welcome-scratch",
        "valid_until": None,
        "redeemed_at": at.isoformat(),
        "place": "Till 1",
        "by_this_device": True,
    }
    assert second.status_code == own.status_code == 409
    assert second.json["result"] == "already_redeemed"
    assert second.json["redeemed_at"] == at.isoformat()
    assert second.json["place"] == "Till 1"
    assert "(Till 1). Do not hand it over again." in second.json["message"]
    # A till whose answer got lost knows by this that it was itself.
    assert (second.json["by_this_device"], own.json["by_this_device"]) == (False, True)
    assert house.rows(Voucher)[0].redeemed_by == f"device:{one}"


def test_of_twenty_requests_at_once_one_redeems(redeem, add_till, unit, app):
    keys = [add_till(name=f"Till {number}")[1] for number in range(20)]

    answers = at_once(
        [partial(redeem, key, unit.code, client=app.test_client()) for key in keys],
        threads=20,
    )

    assert sorted(a.status_code for a in answers) == [200] + [409] * 19
    assert len({(a.json["redeemed_at"], a.json["place"]) for a in answers}) == 1


def test_an_unknown_code_and_another_shops_are_answered_alike(
    redeem, add_till, unit, database, now
):
    with database.transaction() as session:
        make(session, Shop, code="other", now=now)
    _, stranger = add_till(shop="other")

    foreign = redeem(stranger, unit.code)
    made_up = redeem(stranger, "0000-0000-0000-0")

    assert foreign.status_code == made_up.status_code == 404
    assert foreign.json == made_up.json
    assert set(foreign.json) == {"result", "message"}


def test_what_cannot_be_redeemed_says_why(redeem, add_till, publish, client):
    publish(sure_win())
    take_card(client).enter(client)
    _, key = add_till()

    shared = redeem(key, "mug10")

    assert (shared.status_code, shared.json["result"]) == (409, "shared")
    assert "Everybody who wins Mug has this same code" in shared.json["message"]


NO_KEYS = (
    None,
    "",
    "Bearer",
    "Bearer ",
    "Bearer wrong",
    "Basic {}",
    "{}",
    "Bearer \xff",
)


def test_without_a_key_nothing_is_redeemed(client, add_till, unit, house):
    _, key = add_till()
    for header in NO_KEYS:
        headers = {} if header is None else {"Authorization": header.format(key)}

        answer = client.post(REDEEM, json={"code": unit.code}, headers=headers)

        assert answer.status_code == 401, header
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.json["result"] == "no_key"
    assert house.rows(Voucher)[0].state == "awarded"


def test_a_tablets_cookie_is_no_key_and_a_key_no_cookie(
    database, vault, now, redeem, add_till, unit, client
):
    with database.transaction() as session:
        code = devices.add(
            session,
            shop_code="demo",
            name="Tablet",
            vault=vault,
            now=now,
            random=os.urandom,
        )
        secret = devices.register(
            session, code, vault=vault, now=now, random=os.urandom
        )
    _, key = add_till()

    assert redeem(secret, unit.code).status_code == 401
    with database.reading() as session:
        assert devices.known(session, key) is None


def test_a_revoked_or_replaced_key_is_a_stranger(redeem, add_till, unit, database, now):
    public_id, old = add_till()
    with database.transaction() as session:
        new = devices.give_key(session, public_id, random=os.urandom)
    assert redeem(old, unit.code).status_code == 401

    with database.transaction() as session:
        devices.revoke(session, public_id, now=now)
        assert devices.give_key(session, public_id, random=os.urandom) is None

    assert redeem(new, unit.code).status_code == 401


NO_REQUESTS = ("", "{", "[]", "null", '"x"', "{}", "[" * 9_000, b"\xff\xfe")
NO_REQUESTS += ('{"code": 7}', '{"code": " "}', '{"code": "%s"}' % ("A" * 61))


def test_what_is_no_request_is_said_to_be_none(client, add_till, unit):
    _, key = add_till()
    for body in NO_REQUESTS:
        answer = client.post(
            REDEEM,
            data=body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )

        assert (answer.status_code, answer.json["result"]) == (400, "unreadable"), body


def test_ten_wrong_codes_a_minute_and_no_more(redeem, add_till, unit):
    """G14: guessing is limited by network; right codes cost a busy till nothing."""
    _, key = add_till()
    wrong = [redeem(key, f"WRONG-{number}").status_code for number in range(12)]

    late = redeem(key, unit.code)

    assert wrong == [404] * 10 + [429] * 2
    assert (late.status_code, late.json["result"]) == (429, "too_many")
    assert late.headers["Retry-After"] == "60"


def test_a_get_redeems_nothing(client, add_till, unit):
    _, key = add_till()
    headers = {"Authorization": f"Bearer {key}"}

    assert client.get(REDEEM, headers=headers).status_code == 405
