"""Codes in the box: made from a secret, read however they are typed (PZ-11, T14)."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import boxcodes
from server.domain.boxcodes import Given, Kept, Slip, State
from server.domain.codes import ALPHABET, CHECKS, CodeError
from server.domain.seals import Vault

SECRET = bytes(range(32))
NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
numbers = st.integers(min_value=1, max_value=10**6)


@given(numbers)
def test_a_label_is_the_same_each_time_and_both_its_codes_are_read(number: int):
    label = boxcodes.label(SECRET, number)

    assert boxcodes.label(SECRET, number) == label
    assert boxcodes.read(label.qr) == Given("qr", label.qr)
    assert boxcodes.read(label.typed) == Given("typed", label.typed)
    sloppy = label.typed.lower().replace("-", " ")
    assert boxcodes.read(f" {sloppy} ") == Given("typed", label.typed)


@given(numbers)
def test_a_typed_code_needs_no_sign_that_a_phone_hides(number: int):
    typed = boxcodes.label(SECRET, number).typed

    assert typed.replace("-", "").isalnum()


def test_another_batch_has_other_codes():
    assert boxcodes.label(os.urandom(32), 1) != boxcodes.label(SECRET, 1)


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(100_000, id="100000"),
        pytest.param(1_000_000, id="full", marks=pytest.mark.stress),
    ],
)
def test_no_code_comes_twice_and_none_has_a_neighbour(count: int):
    """T14, G14: 60 bits typed, 128 bits in the QR, without any order among them."""
    qrs, typed = set(), set()
    for number in range(1, count + 1):
        label = boxcodes.label(SECRET, number)
        qrs.add(label.qr)
        typed.add(value_of(label.typed))

    assert len(qrs) == len(typed) == count
    # So far apart lie neighbours among random ones; a counter's would lie at 1.
    ordered = sorted(typed)
    nearest = min(b - a for a, b in zip(ordered, ordered[1:], strict=False))
    assert nearest > 1_000
    assert max(typed) < 2**60
    assert max(typed).bit_length() == 60
    for bit in range(60):
        share = sum(value >> bit & 1 for value in typed) / count
        assert abs(share - 0.5) < 0.01, f"bit {bit} is not fair"
    assert {len(qr) for qr in qrs} == {22}
    letters = {letter for qr in qrs for letter in qr[:21]}
    assert len(letters) == 64


def value_of(typed: str) -> int:
    value = 0
    for letter in typed.replace("-", "")[:12]:
        value = value * 32 + ALPHABET.index(letter)
    return value


@pytest.mark.parametrize(
    ("text", "slip"),
    [
        ("", (Slip.EMPTY, "")),
        (" - ", (Slip.EMPTY, "")),
        ("7K2M", (Slip.LENGTH, "")),
        ("7K2M-4QXR-9T3V-HH", (Slip.LENGTH, "")),
        ("7K2M-4QXR-9U3V-H", (Slip.LETTER, "U")),
        ("7K2M-4QXR-9?3V-H", (Slip.LETTER, "?")),
        ("A" * 23, (Slip.LENGTH, "")),
    ],
)
def test_a_slip_is_named(text: str, slip: tuple[Slip, str]):
    with pytest.raises(CodeError):
        boxcodes.read(text)

    assert boxcodes.slip(text) == slip


@given(numbers, st.integers(0, 11), st.sampled_from(ALPHABET))
def test_a_single_wrong_character_is_told_by_the_check(
    number: int, place: int, wrong: str
):
    plain = boxcodes.label(SECRET, number).typed.replace("-", "")
    if plain[place] == wrong:
        return
    mistyped = plain[:place] + wrong + plain[place + 1 :]

    with pytest.raises(CodeError):
        boxcodes.read(mistyped)
    assert boxcodes.slip(mistyped) == (Slip.CHECK, plain[-1])


@given(st.text(max_size=60))
def test_whatever_is_typed_is_read_or_told(text: str):
    try:
        boxcodes.read(text)
    except CodeError:
        assert boxcodes.slip(text)[0] in Slip


def test_a_hash_tells_the_forms_apart_and_needs_the_key():
    qr, typed = Given("qr", "a" * 22), Given("typed", "a" * 22)
    vault, other = Vault((bytes(32),)), Vault((bytes(31) + b"1",))

    hashes = {boxcodes.hashed(v, g) for v in (vault, other) for g in (qr, typed)}

    assert len(hashes) == 4


@pytest.mark.parametrize(
    ("kept", "state"),
    [
        (Kept(None, None, None, None), State.FRESH),
        (Kept(None, None, NOW, NOW + HOUR), State.FRESH),
        (Kept(None, None, NOW + HOUR, None), State.EARLY),
        (Kept(None, None, None, NOW), State.EXPIRED),
        (Kept(None, NOW, NOW + HOUR, NOW), State.REVOKED),
        (Kept(NOW, NOW, None, NOW), State.USED),
    ],
)
def test_how_a_code_stands(kept: Kept, state: State):
    assert boxcodes.state(kept, now=NOW) is state


def test_a_reference_comes_back_as_it_went_in():
    assert boxcodes.read_reference(boxcodes.reference("ab12", 7)) == ("ab12", 7)


@pytest.mark.parametrize(
    "text", ["", ".", "ab", "ab.", ".7", "ab.x", "a.²", "a." + "9" * 10]
)
def test_another_reference_is_refused(text: str):
    with pytest.raises(CodeError):
        boxcodes.read_reference(text)


def test_every_check_but_the_signs_can_end_a_label():
    ends = {boxcodes.label(SECRET, number).typed[-1] for number in range(1, 2_000)}

    assert ends == set(CHECKS) - set(boxcodes.SIGNS)
