"""A scanner reads back what we drew."""

import re

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from server.domain import bars

PRINTABLE = "".join(map(chr, range(32, 127)))


def scanned(code: str) -> list[tuple[str, str]]:
    """Draw the very bars of the picture, and read them."""
    drawing = bars.svg(code).decode()
    (width,) = re.findall(r'viewBox="0 0 (\d+) 60"', drawing)
    picture = Image.new("L", (int(width) * 3, 180), 255)
    pen = ImageDraw.Draw(picture)
    for x, wide in re.findall(r"M(\d+) 0h(\d)v60", drawing):
        pen.rectangle((int(x) * 3, 0, (int(x) + int(wide)) * 3 - 1, 179), fill=0)
    found = zxingcpp.read_barcodes(picture)
    return [(code.format.name, code.text) for code in found]


@pytest.mark.parametrize("start", range(0, 95, 19))
def test_every_character_is_read_back(start):
    code = PRINTABLE[start : start + 19]

    assert scanned(code) == [("Code128", code)]


@settings(max_examples=15)
@given(st.text(PRINTABLE, min_size=3, max_size=bars.LONGEST))
def test_any_code_is_read_back(code):
    """The check character, too: a scanner refuses what does not add up."""
    assert scanned(code) == [("Code128", code)]


@pytest.mark.parametrize("code", ["", "é", "A\n", "A" * 25])
def test_what_it_cannot_hold_is_not_drawn(code):
    assert not bars.can_hold(code)
    with pytest.raises(ValueError):
        bars.svg(code)


def test_the_drawing_scales_and_holds_nothing_of_the_code():
    drawing = bars.svg("<script>").decode()

    assert drawing.startswith("<svg ")
    assert "script" not in drawing
