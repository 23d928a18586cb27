"""How words come to stand on a segment: as large as they fit, or not at all."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.views.wheel import EDGE, INNERMOST, NUMBER_SIZES, SIZES, caption, number

words = st.text(st.sampled_from("aegilmnorstwz %€0159"), min_size=1, max_size=24).map(
    lambda text: " ".join(text.split()) or "a"
)
widths = st.floats(8, 180)


@given(words, widths, widths)
def test_a_wider_segment_never_has_smaller_words(text: str, one: float, other: float):
    narrow, wide = (caption(text, width) for width in sorted((one, other)))

    assert wide or not narrow
    if narrow and wide:
        assert wide.size >= narrow.size


@given(words, widths)
def test_nothing_is_lost_of_the_words_and_nothing_leaves_the_segment(
    text: str, width: float
):
    said = caption(text, width)

    if said:
        assert " ".join(said.lines) == text
        assert said.size in SIZES
        for _, baseline in said.baselines:
            assert INNERMOST <= -baseline < EDGE


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("10%", 45, ("10%",)),
        ("€ 50", 45, ("€ 50",)),
        ("Gratis bezorgd", 45, ("Gratis", "bezorgd")),
        ("Gratis bezorgd", 120, ("Gratis", "bezorgd")),
        ("Een heel lange naam", 15, None),
    ],
)
def test_it_breaks_where_that_makes_it_larger(text, width, lines):
    said = caption(text, width)

    assert (said and said.lines) == lines


def test_in_a_thin_segment_the_line_runs_inwards():
    said = caption("10%", 15)

    assert said and said.is_inward


@given(st.integers(1, 24), widths)
def test_a_number_has_a_place_on_every_segment(value: int, width: float):
    said = number(value, width)

    assert said.lines == (str(value),)
    assert said == caption(str(value), width, sizes=NUMBER_SIZES)


def test_on_a_wide_segment_the_words_stay_within_the_rim():
    said = caption("10% korting", 220)

    assert said
    for _, baseline in said.baselines:
        high = -baseline + said.size * 0.75
        assert math.hypot(len(said.lines[0]) * said.size * 0.25, high) < EDGE
