"""Audiences: hashes, signals and who may be in one (AD-01 to AD-04)."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import audience
from server.domain.audience import COLUMNS, PLATFORMS, SIGNALS, USES

WHO = st.sampled_from(PLATFORMS)
YES = st.frozensets(st.sampled_from(USES))


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("platform", "typed", "spelled"),
    [
        ("google", " Jane.Doe+Shop@Gmail.com ", "janedoe@gmail.com"),
        ("google", "j.d.o.e@googlemail.com", "jdoe@googlemail.com"),
        ("google", "Jane.Doe+shop@Example.com", "jane.doe+shop@example.com"),
        ("meta", " Jane.Doe+Shop@Gmail.com ", "jane.doe+shop@gmail.com"),
        ("meta", "\tJANE@EXAMPLE.COM\n", "jane@example.com"),
    ],
)
def test_each_platform_hashes_its_own_spelling(platform, typed, spelled):
    """AD-03: trimmed, lower case; Google leaves out dots and tag of its mailboxes."""
    assert audience.spelled(platform, typed) == spelled
    assert audience.hashed(platform, typed) == sha256(spelled)


def test_hashes_are_the_known_ones():
    """AD-03: vectors that anybody can compute with a tool of their own."""
    assert audience.hashed("meta", "Test@Example.com ") == (
        "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"
    )
    assert audience.hashed("google", "t.e.s.t+a@gmail.com") == (
        audience.hashed("google", "test@gmail.com")
    )


GOLDEN = {
    (): {"ad_user_data": "DENIED", "ad_personalization": "DENIED"},
    ("upload",): {"ad_user_data": "GRANTED", "ad_personalization": "DENIED"},
    ("personalise",): {"ad_user_data": "DENIED", "ad_personalization": "GRANTED"},
    USES: {"ad_user_data": "GRANTED", "ad_personalization": "GRANTED"},
}


@pytest.mark.parametrize("active", GOLDEN)
def test_each_yes_is_one_signal_of_googles_and_no_other(active):
    """AD-01, AD-02: the mapping table, whole."""
    assert audience.signals(active) == GOLDEN[active]


def test_no_consent_of_ours_ever_speaks_for_the_cookie_banner():
    """AD-02: `ad_storage` and `analytics_storage` are never set."""
    known = {*SIGNALS.values(), *(name for names in COLUMNS.values() for name in names)}

    assert not {name for name in known if "storage" in name}


@given(WHO, YES)
def test_a_row_grants_only_what_has_a_yes_today(platform, active):
    """AD-02: DENIED unless active; who is removed is granted nothing at all."""
    add = audience.row(platform, "add", "h", active)
    remove = audience.row(platform, "remove", "h", active)

    assert len(add) == len(remove) == len(COLUMNS[platform])
    assert add[:2] == ("add", "h") and remove[:2] == ("remove", "h")
    assert [state == "GRANTED" for state in add[2:]] == [use in active for use in USES]
    assert set(remove[2:]) == {"DENIED"}


@given(WHO, YES)
def test_nobody_is_named_to_a_platform_without_the_yes_to_it(platform, active):
    """AD-01: Meta has no signal against personalising, so it takes both there."""
    if audience.may_be_in(platform, active):
        assert "upload" in active
        assert platform == "google" or "personalise" in active
    else:
        assert active != set(USES)
