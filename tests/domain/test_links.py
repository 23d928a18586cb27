"""Signed links and tickets: DO-04, WD-04, and the clocks of SAFETY.md F14."""

from datetime import UTC, datetime, timedelta

import pytest

from server.domain.links import (
    AHEAD,
    BadTokenError,
    ExpiredTokenError,
    LinkRef,
    Salt,
    Signer,
    hash_secret,
)
from tests.mutants import mutants

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
OLD, NEW, OTHER = "o" * 32, "n" * 32, "x" * 32
REF = LinkRef(row=7, secret=bytes(range(16)))


@pytest.fixture
def signer() -> Signer:
    return Signer((NEW,))


@pytest.mark.parametrize("salt", Salt)
def test_what_is_signed_is_read_back(signer: Signer, salt: Salt):
    token = signer.sign_link(salt, REF, now=NOW)

    assert signer.read_link(salt, token, now=NOW) == REF


def test_a_link_survives_a_mail_programs_address_bar(signer: Signer):
    token = signer.sign_link(Salt.CONFIRM, REF, now=NOW)

    assert set(token) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    )
    assert len(token) < 200


@pytest.mark.parametrize("other", [salt for salt in Salt if salt is not Salt.CONFIRM])
def test_a_link_for_one_purpose_opens_no_other(signer: Signer, other: Salt):
    token = signer.sign_link(Salt.CONFIRM, REF, now=NOW)

    with pytest.raises(BadTokenError):
        signer.read_link(other, token, now=NOW)


def test_a_thousand_changed_links_are_refused(signer: Signer):
    token = signer.sign_link(Salt.CONFIRM, REF, now=NOW)

    read = []
    for mutant in mutants(token, 1_000):
        try:
            read.append((mutant, signer.read_link(Salt.CONFIRM, mutant, now=NOW)))
        except BadTokenError:
            continue

    assert read == []


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "x" * 5_000, "é.é.é", "\0"])
def test_nonsense_is_refused(signer: Signer, text: str):
    with pytest.raises(BadTokenError):
        signer.read_link(Salt.CONFIRM, text, now=NOW)


@pytest.mark.parametrize(
    "payload",
    [
        None,
        7,
        "7",
        [],
        [7],
        ["7", "00" * 16],
        [7, "00" * 15],
        [7, "00" * 16, 1],
        {"row": 7},
    ],
)
def test_another_payload_of_ours_is_no_link(signer: Signer, payload: object):
    token = signer.sign(Salt.CONFIRM, payload, now=NOW)

    with pytest.raises(BadTokenError):
        signer.read_link(Salt.CONFIRM, token, now=NOW)


def test_a_link_holds_no_personal_data_and_the_row_no_secret():
    """DO-15: who reads the database cannot make the link."""
    assert REF.matches(hash_secret(REF.secret))
    assert not REF.matches(REF.secret)
    assert not LinkRef(7, bytes(16)).matches(hash_secret(REF.secret))


def test_keys_rotate_without_breaking_a_link():
    token = Signer((OLD,)).sign_link(Salt.CONFIRM, REF, now=NOW)

    assert Signer((OLD, NEW)).read_link(Salt.CONFIRM, token, now=NOW) == REF
    with pytest.raises(BadTokenError):
        Signer((NEW,)).read_link(Salt.CONFIRM, token, now=NOW)


def test_the_newest_key_signs():
    token = Signer((OLD, NEW)).sign_link(Salt.CONFIRM, REF, now=NOW)

    assert Signer((NEW,)).read_link(Salt.CONFIRM, token, now=NOW) == REF
    with pytest.raises(BadTokenError):
        Signer((OLD, OTHER)).read_link(Salt.CONFIRM, token, now=NOW)


@pytest.mark.parametrize(
    "ahead", [timedelta(0), timedelta(seconds=3), timedelta(minutes=4, seconds=59)]
)
def test_a_clock_that_runs_a_little_ahead_is_forgiven(signer: Signer, ahead):
    token = signer.sign(Salt.TICKET, "t", now=NOW + ahead)

    assert signer.read(Salt.TICKET, token, now=NOW, lasts=timedelta(hours=1)) == "t"


def test_a_moment_far_in_the_future_is_refused(signer: Signer):
    token = signer.sign(Salt.TICKET, "t", now=NOW + AHEAD + timedelta(seconds=1))

    with pytest.raises(BadTokenError):
        signer.read(Salt.TICKET, token, now=NOW, lasts=timedelta(hours=1))


def test_a_token_lasts_as_long_as_it_should(signer: Signer):
    token, hour = signer.sign(Salt.TICKET, "t", now=NOW), timedelta(hours=1)

    assert signer.read(Salt.TICKET, token, now=NOW + hour, lasts=hour) == "t"
    with pytest.raises(ExpiredTokenError):
        late = NOW + hour + timedelta(seconds=1)
        signer.read(Salt.TICKET, token, now=late, lasts=hour)


def test_an_unsubscribe_link_never_expires(signer: Signer):
    """WD-04: mails live for years."""
    token = signer.sign_link(Salt.UNSUBSCRIBE, REF, now=NOW)

    years_later = NOW + timedelta(days=5 * 366)
    assert signer.read_link(Salt.UNSUBSCRIBE, token, now=years_later) == REF
