"""The people of the office: who gets in, and for how long."""

import os
import threading
from datetime import timedelta

import pytest

from server.domain.address import AddressError
from server.models import Member, MemberSession, Membership
from server.services import members, passwords, shops
from server.services.passwords import AT_ONCE, PasswordError
from tests.factories import shop_file

PASSWORD = "a long enough password"


@pytest.fixture
def shop(session, now):
    from server.services import campaigns

    return campaigns.save_shop(session, shop_file(), now=now)


@pytest.fixture
def add(session, shop, now):
    def added(**changes):
        values = {
            "email": "Iris@Home.example",
            "name": "Iris",
            "password": PASSWORD,
            "shop_code": shop.code,
            "role": "viewer",
        }
        return members.add(session, **(values | changes), now=now)

    return added


def test_a_new_member_is_found_however_the_address_is_typed(session, add):
    member = add()

    for typed in ("iris@home.example", " IRIS@HOME.EXAMPLE "):
        assert members.find(session, typed).member_id == member.id


@pytest.mark.usefixtures("real_passwords")
def test_what_is_kept_of_a_password_is_argon2id_above_the_floor(add):
    kept = add().password_hash

    scheme, _, parameters = kept.split("$")[1:4]
    costs = dict(pair.split("=") for pair in parameters.split(","))
    assert scheme == "argon2id"
    assert int(costs["m"]) >= 19 * 1024
    assert int(costs["t"]) >= 2
    assert PASSWORD not in kept


def test_a_member_joins_a_second_shop_with_the_password_they_have(session, add, now):
    from server.services import campaigns

    campaigns.save_shop(session, shop_file(code="second"), now=now)
    first = add()
    kept = first.password_hash

    again = add(shop_code="second", role="owner", password="another one altogether")

    assert (again.id, again.password_hash) == (first.id, kept)
    assert {w.code: w.role for w in members.workplaces(session, first.id)} == {
        "demo": "viewer",
        "second": "owner",
    }


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"password": "elevenchars"}, PasswordError),
        ({"password": "x" * 1001}, PasswordError),
        ({"shop_code": "nowhere"}, shops.UnknownShopError),
        ({"role": "admin"}, members.UnknownRoleError),
        ({"email": "not an address"}, AddressError),
    ],
)
def test_what_cannot_be_is_named_and_leaves_nothing(session, add, changes, error):
    with pytest.raises(error):
        add(**changes)

    assert session.query(Member).count() == 0
    assert session.query(Membership).count() == 0


def test_nobody_joins_a_shop_twice(add):
    add()

    with pytest.raises(members.AlreadyMemberError):
        add(role="owner")


@pytest.mark.parametrize("password", ["twelve chars", "             ", "пароль пароль"])
def test_length_is_the_only_rule(password):
    assert passwords.fits(passwords.made(password), password)


def test_a_password_fits_its_own_hash_and_no_other():
    kept = passwords.made(PASSWORD)

    assert passwords.fits(kept, PASSWORD)
    assert not passwords.fits(kept, PASSWORD + " ")
    assert not passwords.fits(None, "the password of nobody at all")
    assert not passwords.fits("no hash at all", PASSWORD)


def test_no_more_than_two_passwords_are_compared_at_once(monkeypatch):
    running, most, lock = 0, 0, threading.Lock()
    together = threading.Event()

    def compare(_kept, _password):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait(0.05)
        with lock:
            running -= 1
        return True

    monkeypatch.setattr(passwords, "_is_same", compare)
    threads = [
        threading.Thread(target=passwords.fits, args=("kept", "x")) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == AT_ONCE


def test_who_waits_too_long_is_sent_away(monkeypatch):
    monkeypatch.setattr(passwords, "WAIT_S", 0.01)
    for _ in range(AT_ONCE):
        passwords._turns.acquire()
    try:
        with pytest.raises(passwords.CrowdedError):
            passwords.fits(None, "x")
    finally:
        passwords._turns.release(AT_ONCE)


def test_the_row_keeps_only_a_hash_of_the_secret(session, add, now):
    secret = members.sign_in(session, add().id, random=os.urandom, now=now)

    row = session.query(MemberSession).one()
    assert len(bytes.fromhex(secret)) * 8 >= 256
    assert secret.encode() not in row.secret_hash
    assert bytes.fromhex(secret) != row.secret_hash


@pytest.mark.parametrize(
    ("after", "is_in"),
    [
        (timedelta(0), True),
        (members.IDLE - timedelta(seconds=1), True),
        (members.IDLE, False),
    ],
)
def test_a_session_ends_when_it_idles(session, add, now, after, is_in):
    secret = members.sign_in(session, add().id, random=os.urandom, now=now)

    who = members.signed_in(session, secret, now=now + after)

    assert (who is not None) == is_in


def test_a_session_in_use_ends_after_a_week(session, add, now):
    secret = members.sign_in(session, add().id, random=os.urandom, now=now)
    step, moment = timedelta(hours=11), now
    while moment + step < now + members.ABSOLUTE:
        moment += step
        who = members.signed_in(session, secret, now=moment)
        members.seen(session, who, now=moment)

    assert members.signed_in(session, secret, now=now + members.ABSOLUTE) is None


def test_signing_out_ends_a_session_and_no_other(session, add, now):
    member = add()
    secrets = [
        members.sign_in(session, member.id, random=os.urandom, now=now)
        for _ in range(2)
    ]

    members.sign_out(session, secrets[0], now=now)

    assert members.signed_in(session, secrets[0], now=now) is None
    assert members.signed_in(session, secrets[1], now=now) is not None


def test_an_owner_may_do_what_a_viewer_may():
    owner, viewer = (
        members.Workplace(1, "demo", "Demo", r) for r in ("owner", "viewer")
    )

    assert owner.allows("viewer")
    assert owner.allows("owner")
    assert viewer.allows("viewer")
    assert not viewer.allows("owner")
