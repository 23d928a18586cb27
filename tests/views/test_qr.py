"""QR codes lead to the games that have a page of their own."""

import io

import pytest
import zxingcpp
from PIL import Image

from tests.conftest import PUBLIC_URL
from tests.factories import campaign_file


@pytest.fixture(autouse=True)
def _box(publish):
    publish(campaign_file("box-scratch"))


def test_the_code_leads_to_the_game(client):
    answer = client.get("/qr/box-scratch-page.png")

    picture = Image.open(io.BytesIO(answer.data))
    (code,) = zxingcpp.read_barcodes(picture)
    assert code.text == f"{PUBLIC_URL}/w/box-scratch-page"
    assert client.get(code.text.removeprefix(PUBLIC_URL)).status_code == 200


def test_a_forged_host_does_not_get_into_the_code(client):
    """T7."""
    answer = client.get("/qr/box-scratch-page.png", headers={"Host": "evil.example"})

    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(answer.data)))
    assert code.text.startswith(PUBLIC_URL)


def test_it_is_a_drawing_too(client):
    answer = client.get("/qr/box-scratch-page.svg")

    assert answer.mimetype == "image/svg+xml"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("code", ["nothing", "box-scratch-till", "lucky-dialog"])
def test_what_has_no_page_of_its_own_has_no_code(client, publish, code):
    publish(campaign_file("lucky-scratch"))

    assert client.get(f"/qr/{code}.svg").status_code == 404
    assert client.get(f"/qr/{code}.png").status_code == 404
