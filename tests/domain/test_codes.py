"""Voucher codes: typed wrong, they are refused; typed sloppily, they are read."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.codes import ALPHABET, CHECKS, CodeError, make, read

chances = st.binary(min_size=8, max_size=8)


@given(chances)
def test_a_code_is_read_as_it_was_made(chance: bytes):
    code = make(chance)

    assert read(code) == code
    assert len(code) == 16


@given(chances)
def test_case_gaps_and_lookalikes_do_not_matter(chance: bytes):
    code = make(chance)
    body, check = code[:-1], code[-1]

    sloppy = body.lower().replace("-", " ").replace("0", "o").replace("1", "l") + check
    assert read(sloppy) == code
    assert read(code.replace("-", "")) == code
    assert read(body.replace("1", "I").replace("0", "O") + check.lower()) == code


@given(chances)
def test_every_single_wrong_character_is_caught(chance: bytes):
    code = make(chance)
    for place, right in enumerate(code):
        if right == "-":
            continue
        for wrong in CHECKS if place == len(code) - 1 else ALPHABET:
            if wrong != right:
                with pytest.raises(CodeError):
                    read(code[:place] + wrong + code[place + 1 :])


@given(chances)
def test_every_swap_of_two_neighbours_is_caught(chance: bytes):
    plain = make(chance).replace("-", "")
    for place in range(len(plain) - 2):
        first, second = plain[place], plain[place + 1]
        if first != second:
            with pytest.raises(CodeError):
                read(plain[:place] + second + first + plain[place + 2 :])


@given(st.text(max_size=30))
def test_other_text_is_refused_and_nothing_else_happens(text: str):
    try:
        code = read(text)
    except CodeError:
        return

    assert read(code) == code


def test_a_hundred_thousand_codes_are_all_different():
    assert len({make(os.urandom(8)) for _ in range(100_000)}) == 100_000


def test_no_letter_is_mistaken_for_another():
    assert set("ILOU").isdisjoint(ALPHABET)
