"""Sheets of labels: every code on them can be read, and many need no more memory."""

import io
import tracemalloc
from collections.abc import Callable
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from PIL import ImageOps

from server.adapters import labels
from server.adapters.labels import Printing
from server.domain import boxcodes, qr
from server.domain.boxcodes import Label
from tests.factories import CAMPAIGNS

SECRET = bytes(range(32))
LOGO = (CAMPAIGNS / "pictures" / "logo.png").read_bytes()
URL = "https://play.example.com"
DOTS = 150


def printing(size: int, **changes: Any) -> Printing:
    def numbered(start: int, end: int):
        return (boxcodes.label(SECRET, number) for number in range(start, end))

    given = {
        "size": size,
        "labels": numbered,
        "public_url": URL,
        "shop": "Noord & Zon",
        "title": "There is more in your box",
        "locale": "en",
        "logo": LOGO,
    }
    return Printing(**given | changes)


def written(sheets: Printing, tell: Callable[[int], None] = lambda n: None) -> bytes:
    out = io.BytesIO()
    labels.write(sheets, out, tell=tell)
    return out.getvalue()


def read(body: bytes, dots: int = DOTS) -> list[str]:
    """Return what a camera reads on the rendered sheets, in no order."""
    found = []
    for page in pypdfium2.PdfDocument(body):
        picture = page.render(scale=dots / 72).to_pil()
        found += [code.text for code in zxingcpp.read_barcodes(picture)]
    return found


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(48, id="48"),
        pytest.param(1_000, id="full", marks=pytest.mark.stress),
    ],
)
def test_every_code_is_read_again_from_the_rendered_sheet(size: int):
    """PZ-11: as a phone would read the print, at 150 dots an inch."""
    body = written(printing(size))

    wanted = {f"{URL}/b/{boxcodes.label(SECRET, n).qr}" for n in range(1, size + 1)}
    found = read(body)
    assert len(found) == size
    assert set(found) == wanted


def test_the_words_stand_beside_it():
    text = words(written(printing(25)))

    assert len(text) == 2
    label = boxcodes.label(SECRET, 25)
    assert label.typed in text[1]
    said = "Scan the code and play. Or go to play.example.com/b/ and type:"
    wanted = f"There is more in your box {said} {label.typed}"
    assert " ".join(text[1].split()) == wanted


def words(body: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(body)
    return [page.get_textpage().get_text_range() for page in document]


def test_a_shop_without_a_logo_is_named():
    (text,) = words(written(printing(1, logo=None, locale="nl", shop="Café Zoë & Co")))

    assert text.startswith("Café Zoë & Co")
    assert "Scan de code en speel mee" in " ".join(text.split())


@pytest.mark.parametrize("logo", [None, LOGO])
def test_nothing_is_closer_to_the_edge_of_the_paper_than_printers_reach(
    logo: bytes | None,
):
    """PZ-11: many leave 5 mm of the sheet white."""
    body = written(
        printing(
            24,
            logo=logo,
            title="Er zit meer in je doos dan je dacht, kras",
            shop="W" * 60,
        )
    )

    picture = pypdfium2.PdfDocument(body)[0].render(scale=DOTS / 72).to_pil()
    left, top, right, bottom = ImageOps.invert(picture.convert("L")).getbbox()
    white = (left, top, picture.width - right, picture.height - bottom)
    assert min(white) / DOTS * 25.4 >= 5


def test_a_title_that_is_cut_says_so_and_an_address_stays_whole():
    host = "spelen.noordenzonwonen.example"
    sheet = printing(
        1,
        title="There is more in your box than you ever thought",
        public_url=f"https://{host}",
    )

    (text,) = words(written(sheet))

    assert "…" in text and "thought" not in text
    assert f"{host}/b/" in text


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "x" * 80, "shop": "W" * 60, "logo": None},
        {"public_url": "https://a-very-long-name-of-a-host.games.example.com"},
        {"title": "(a) \\ b) <c>", "shop": "ŁÓDŹ 漢字", "logo": None},
    ],
)
def test_long_and_odd_words_stay_on_their_label(changes: dict[str, str]):
    """Nothing reaches into the neighbour, and the code can still be read."""
    body = written(printing(2, **changes))

    page = pypdfium2.PdfDocument(body)[0]
    text = page.get_textpage()
    for index in range(text.count_chars()):
        left, bottom, right, top = text.get_charbox(index)
        assert left // labels.LABEL[0] == (right - 0.01) // labels.LABEL[0] or (
            left == right
        )
        assert bottom == top or bottom > labels.PAGE[1] - labels.LABEL[1]
    assert len(read(body)) == 2


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(480, id="480"),
        pytest.param(10_000, id="full", marks=pytest.mark.stress),
    ],
)
def test_many_sheets_need_no_more_memory_than_one(
    monkeypatch: pytest.MonkeyPatch, size: int
):
    """PZ-11: a sheet is drawn when it is written, and forgotten after it."""
    # Encoding the squares takes far longer than all the rest; one does for all.
    drawn = qr.runs(f"{URL}/b/{boxcodes.label(SECRET, 1).qr}")
    monkeypatch.setattr(qr, "runs", lambda _address: drawn)
    told: list[int] = []

    def peak(size: int) -> int:
        tracemalloc.start()
        labels.write(printing(size), Nowhere(), tell=told.append)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(24)
    few, many = peak(24), peak(size)

    # A sheet is 15 KB in the file; what is left of each is that there was one.
    assert many < few + 5_000 * printing(size).sheets
    assert sum(told[2:]) == size
    assert max(told) == labels.ON_A_SHEET


class Nowhere(io.RawIOBase):
    """Takes what is written and keeps nothing."""

    def write(self, body: Any) -> int:
        return len(body)


def test_a_sheet_holds_no_code_but_those_of_its_batch():
    sheet = printing(3)

    assert sheet.sheets == 1
    assert printing(25).sheets == 2
    assert [label.number for label in sheet.labels(1, 4)] == [1, 2, 3]
    assert all(isinstance(label, Label) for label in sheet.labels(1, 4))
