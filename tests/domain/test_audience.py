"""Audiences: hashes, signals and who may be in one (AD-01 to AD-04)."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import audience
from server.domain.audience import COLUMNS, IDENTIFIERS, PLATFORMS, SIGNALS, USES

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


@pytest.mark.parametrize(
    ("platform", "spelled", "known"),
    [
        (
            "google",
            "+31612345678",
            "fab7be8a931d1088a82f6acf9e468aaf6a3accc07d5112ee5d6fca93281e1583",
        ),
        (
            "meta",
            "31612345678",
            "e03d152bbe638d9fe7a04f9b88a67674bf15b73c0981755c16eb78d177721e03",
        ),
    ],
)
def test_each_platform_hashes_its_own_spelling_of_a_number(platform, spelled, known):
    """AD-03: E.164 at Google, digits alone with the country code at Meta."""
    assert audience.spelled_phone(platform, " +31612345678 ") == spelled
    assert audience.hashed_phone(platform, "+31612345678") == known


@pytest.mark.parametrize(
    "words",
    [
        "Yes, send a hash of my mail address and phone number to Google.",
        "Yes, send hashes of my address and my mobile number to Meta.",
        "Ja, stuur een hash van mijn mailadres en telefoonnummer naar Google.",
        "Ja, stuur een hash van mijn mailadres en mobiele nummer naar Meta.",
        "Ja, ook mijn 06-nummer mag naar Meta.",
    ],
)
def test_words_that_name_a_phone_number(words):
    assert audience.names_phone(words)


@pytest.mark.parametrize(
    "words",
    [
        "Yes, send a hash of my mail address to Google.",
        "Yes, send a hash of my mail address to Google for its ads of headphones.",
        "Ja, stuur een hash van mijn mailadres naar Google, ook op mijn telefoon.",
        "Yes, send a hash of my order number and phone model.",
        "",
    ],
)
def test_words_that_name_an_address_cover_no_number(words):
    """AD-03: a yes to one thing is no yes to another."""
    assert not audience.names_phone(words)


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
    both = {"email": "e", "phone": "p"}
    add = audience.row(platform, "add", both, active)
    remove = audience.row(platform, "remove", both, active)

    assert len(add) == len(remove) == len(COLUMNS[platform])
    assert add[:3] == ("add", "e", "p") and remove[:3] == ("remove", "e", "p")
    assert [state == "GRANTED" for state in add[3:]] == [use in active for use in USES]
    assert set(remove[3:]) == {"DENIED"}


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("known", IDENTIFIERS)
def test_a_hash_stands_in_its_own_column_and_the_other_is_empty(platform, known):
    """AD-03: nobody's number is taken for an address."""
    cells = audience.row(platform, "add", {known: "h"}, USES)

    said = dict(zip(COLUMNS[platform], cells, strict=True))
    names = dict(zip(IDENTIFIERS, COLUMNS[platform][1:3], strict=True))
    assert {name: said[names[name]] for name in IDENTIFIERS} == {
        name: "h" if name == known else "" for name in IDENTIFIERS
    }


@given(WHO, YES)
def test_nobody_is_named_to_a_platform_without_the_yes_to_it(platform, active):
    """AD-01: Meta has no signal against personalising, so it takes both there."""
    if audience.may_be_in(platform, active):
        assert "upload" in active
        assert platform == "google" or "personalise" in active
    else:
        assert active != set(USES)
