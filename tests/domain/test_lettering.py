"""Words on paper: as wide as Helvetica is, broken where there is room."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import lettering


def test_known_words_are_as_wide_as_adobe_says():
    assert lettering.width("Hello", 1000) == 722 + 556 + 222 + 222 + 556
    assert lettering.width("é", 1000) == lettering.width("e", 1000)
    assert lettering.width("~", 1000) == 584


@given(st.text(max_size=120), st.integers(min_value=12, max_value=90))
def test_lines_fit_and_no_letter_is_lost(text: str, most: int):
    lines = lettering.wrap(text, 6, most=most)

    assert "".join(lines).replace(" ", "") == "".join(text.split())
    assert all(lettering.width(line, 6) <= most or len(line) == 1 for line in lines)


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("Café € 5", "Café € 5".encode("cp1252")),
        ("Łódź", b"?\xf3dz"),
        ("ōō", b"oo"),
    ],
)
def test_letters_that_the_font_lacks_lose_their_accents(text: str, letters: bytes):
    assert lettering.encoded(text) == letters
