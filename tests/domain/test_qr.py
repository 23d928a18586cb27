"""A camera reads back what we wrote."""

import io

import pytest
import zxingcpp
from PIL import Image

from server.domain import qr

ADDRESSES = ["https://play.example.com/w/box", "http://127.0.0.1:8400/w/" + "a" * 40]


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_picture_is_read_back(address):
    picture = Image.open(io.BytesIO(qr.png(address)))

    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [address]


def test_a_torn_code_is_still_read():
    picture = Image.open(io.BytesIO(qr.png(ADDRESSES[0]))).convert("L")
    width, height = picture.size
    picture.paste(255, (width // 2, height // 2, width * 5 // 8, height * 5 // 8))

    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [ADDRESSES[0]]


def test_the_drawing_scales_and_holds_no_script():
    drawing = qr.svg(ADDRESSES[0]).decode()

    assert drawing.startswith("<svg ")
    assert "script" not in drawing
