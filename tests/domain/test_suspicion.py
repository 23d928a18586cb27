"""What looks like no person made it: AB-02, T15."""

from datetime import timedelta

import pytest

from server.domain.suspicion import Sign, Traits, is_spike, signs

LEAST = timedelta(seconds=2)
PERSON = {"trap": "", "took": timedelta(seconds=9), "address": "iris@example.com"}


def test_a_person_shows_no_sign():
    assert signs(Traits(**PERSON), least=LEAST) == []


@pytest.mark.parametrize(
    ("trait", "value", "sign"),
    [
        ("trap", "https://example.com", Sign.TRAP),
        ("took", timedelta(seconds=1.9), Sign.HASTE),
        ("address", "iris@mailinator.com", Sign.THROWAWAY),
        ("address", "iris@MAILINATOR.com", Sign.THROWAWAY),
        ("address", "iris@any.name.mailinator.com", Sign.THROWAWAY),
        ("is_crowd", True, Sign.CROWD),
        ("is_rush", True, Sign.RUSH),
        ("is_spike", True, Sign.SPIKE),
    ],
)
def test_each_trait_is_a_sign(trait, value, sign):
    assert signs(Traits(**PERSON | {trait: value}), least=LEAST) == [sign]


@pytest.mark.parametrize("address", ["i@my-mailinator.com", "i@mailinator.com.example"])
def test_a_name_that_only_looks_like_theirs_is_no_sign(address):
    assert signs(Traits(**PERSON | {"address": address}), least=LEAST) == []


def test_exactly_long_enough_is_long_enough():
    traits = Traits(**PERSON | {"took": LEAST})

    assert signs(traits, least=LEAST) == []


def test_who_names_nobody_is_not_measured():
    """A play causes no mail, so it may be as quick as a finger is."""
    traits = Traits(trap=None, took=None, address=None)

    assert signs(traits, least=LEAST) == []


@pytest.mark.parametrize(
    ("sent", "confirmed", "expected"),
    [
        (50, 0, True),
        (49, 0, False),
        (50, 9, True),
        (50, 10, False),
        (1_000, 199, True),
        (1_000, 600, False),
        (0, 0, False),
    ],
)
def test_many_requests_with_few_answers_are_a_spike(sent, confirmed, expected):
    assert is_spike(sent, confirmed) is expected
