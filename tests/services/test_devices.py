"""A tablet is registered once, by a code that is good for a day (CR-13)."""

import os
from datetime import timedelta

import pytest

from server.models import Device, Shop
from server.services import devices
from tests.factories import make
from tests.visits import at_once


def add(session, shop, *, vault, now):
    return devices.add(
        session,
        shop_code=shop.code,
        name="Till 1",
        vault=vault,
        now=now,
        random=os.urandom,
    )


def register(session, code, *, vault, now):
    return devices.register(session, code, vault=vault, now=now, random=os.urandom)


def test_a_code_makes_one_tablet_known(session, vault, now):
    shop = make(session, Shop, now=now)
    code = add(session, shop, vault=vault, now=now)

    secret = register(session, code.lower().replace("-", " "), vault=vault, now=now)

    found = devices.known(session, secret)
    assert (found.shop_id, found.name) == (shop.id, "Till 1")
    assert register(session, code, vault=vault, now=now) is None


@pytest.mark.parametrize("typed", ["", "kassa", "0000-0000-0000-0", "A" * 5_000])
def test_what_is_no_code_registers_nothing(session, vault, now, typed):
    add(session, make(session, Shop, now=now), vault=vault, now=now)

    assert register(session, typed, vault=vault, now=now) is None


def test_a_code_is_good_for_a_day(session, vault, now):
    code = add(session, make(session, Shop, now=now), vault=vault, now=now)

    late = now + devices.CODE_LIFE + timedelta(seconds=1)

    assert register(session, code, vault=vault, now=late) is None


def test_a_revoked_tablet_is_a_stranger(session, vault, now):
    shop = make(session, Shop, now=now)
    code = add(session, shop, vault=vault, now=now)
    secret = register(session, code, vault=vault, now=now)
    public_id = devices.known(session, secret).public_id

    assert devices.revoke(session, public_id, now=now)

    assert devices.known(session, secret) is None
    assert not devices.revoke(session, public_id, now=now)
    (listed,) = devices.listed(session, shop.code, now=now)
    assert listed.state == "revoked"


def test_a_tablet_that_was_not_registered_yet_can_be_revoked_too(session, vault, now):
    code = add(session, make(session, Shop, now=now), vault=vault, now=now)
    public_id = session.query(Device).one().public_id

    devices.revoke(session, public_id, now=now)

    assert register(session, code, vault=vault, now=now) is None


def test_the_database_holds_neither_code_nor_secret(session, vault, now):
    code = add(session, make(session, Shop, now=now), vault=vault, now=now)
    row = session.query(Device).one()
    before = bytes(row.code_hash)

    secret = register(session, code, vault=vault, now=now)

    session.refresh(row)
    assert code.encode() not in before
    assert row.code_hash is None
    assert row.secret_hash != secret.encode()


def test_a_foreign_shop_has_no_tablets_here(session, vault, now):
    mine, other = make(session, Shop, now=now), make(session, Shop, now=now)
    add(session, mine, vault=vault, now=now)

    assert devices.listed(session, other.code, now=now) == []


def test_of_two_tablets_with_one_code_one_is_registered(database, vault, now):
    """A race, on both databases: the row count decides."""
    with database.transaction() as session:
        shop = make(session, Shop, now=now)
        code = add(session, shop, vault=vault, now=now)

    def try_it():
        with database.transaction() as session:
            return register(session, code, vault=vault, now=now)

    secrets = at_once([try_it] * 6, threads=6)

    assert sum(secret is not None for secret in secrets) == 1
