"""Sheets of labels as a PDF: A4, three across and eight down, a code on each.

A sheet is drawn when its turn to be written comes and is forgotten after it, so ten
thousand labels need no more memory than one sheet.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from server.domain import lettering, qr
from server.domain.boxcodes import Label
from server.domain.parts import Locale

if TYPE_CHECKING:
    import pydyf

MM = 72 / 25.4
PAGE = (210 * MM, 297 * MM)
ACROSS, DOWN = 3, 8
ON_A_SHEET = ACROSS * DOWN
LABEL = (70 * MM, 37 * MM)
# Eight labels are one millimetre lower than the paper.
MARGIN = (297 - 8 * 37) / 2 * MM
# Many printers leave 5 mm of the paper white, and labels may lie half a one askew.
EDGE = 5.5 * MM
QR_EDGE = 27 * MM
GAP = 2.5 * MM
LOGO_HEIGHT = 6.5 * MM
NAME, TITLE, TEXT, CODE = 9.0, 8.0, 6.6, 9.0
# Below it nobody reads: an address that is longer still goes over two lines.
LEAST_TEXT = 5.0
LEADING = 1.22
MOST_TITLE, MOST_TEXT = 2, 4
# Courier is as wide as it is, whatever the letter.
COURIER = 0.6
# Printed without an application around it, so its words are here.
SAY = {
    "nl": "Scan de code en speel mee. Of ga naar {address} en typ:",
    "en": "Scan the code and play. Or go to {address} and type:",
}


@dataclass(frozen=True, slots=True)
class Printing:
    """What stands on the labels of a batch."""

    size: int
    labels: Callable[[int, int], Iterator[Label]]
    # Of the service, as people reach it: https://play.example.com
    public_url: str
    shop: str
    title: str
    locale: Locale
    # A picture that we made ourselves, if the shop has a logo.
    logo: bytes | None = None

    @property
    def sheets(self) -> int:
        """Return how many sheets of paper it takes."""
        return -(-self.size // ON_A_SHEET)


def write(printing: Printing, out: BinaryIO, *, tell: Callable[[int], None]) -> None:
    """Write all sheets; `tell` hears how many more labels were drawn."""
    # Here, because a server that serves has no use for it.
    import pydyf

    pdf = pydyf.PDF()
    pdf.info["Title"] = pydyf.String(lettering.encoded(printing.title))
    logo = _logo(printing.logo) if printing.logo else None
    resources = _resources(pdf, logo)
    for start in range(1, printing.size + 1, ON_A_SHEET):
        numbers = (start, min(start + ON_A_SHEET, printing.size + 1))
        sheet = _lazy(partial(_draw, printing, numbers, logo), tell)
        pdf.add_object(sheet)
        pdf.add_page(
            pydyf.Dictionary(
                {
                    "Type": "/Page",
                    "Parent": pdf.pages.reference,
                    "MediaBox": pydyf.Array([0, 0, *PAGE]),
                    "Contents": sheet.reference,
                    "Resources": resources.reference,
                }
            )
        )
    pdf.write(out)


@dataclass(frozen=True, slots=True)
class _Logo:
    """A picture as plain pixels on white, and how large it is printed."""

    pixels: bytes
    size: tuple[int, int]

    @property
    def edges(self) -> tuple[float, float]:
        width, height = self.size
        room = LABEL[0] - EDGE - QR_EDGE - GAP - EDGE
        scale = min(room / width, LOGO_HEIGHT / height)
        return width * scale, height * scale


def _logo(body: bytes) -> _Logo:
    from PIL import Image

    picture = Image.open(io.BytesIO(body)).convert("RGBA")
    ground = Image.new("RGBA", picture.size, "white")
    flat = Image.alpha_composite(ground, picture).convert("RGB")
    return _Logo(flat.tobytes(), flat.size)


def _resources(pdf: "pydyf.PDF", logo: _Logo | None) -> Any:
    import pydyf

    fonts = {}
    for name, base in (
        ("F", "Helvetica"),
        ("B", "Helvetica-Bold"),
        ("C", "Courier-Bold"),
    ):
        font = pydyf.Dictionary(
            {
                "Type": "/Font",
                "Subtype": "/Type1",
                "BaseFont": f"/{base}",
                "Encoding": "/WinAnsiEncoding",
            }
        )
        pdf.add_object(font)
        fonts[name] = font.reference
    found = {"Font": pydyf.Dictionary(fonts)}
    if logo:
        width, height = logo.size
        extra = {
            "Type": "/XObject",
            "Subtype": "/Image",
            "Width": width,
            "Height": height,
            "ColorSpace": "/DeviceRGB",
            "BitsPerComponent": 8,
        }
        picture = pydyf.Stream([logo.pixels], extra=extra, compress=True)
        pdf.add_object(picture)
        found["XObject"] = pydyf.Dictionary({"Logo": picture.reference})
    resources = pydyf.Dictionary(found)
    pdf.add_object(resources)
    return resources


def _lazy(draw: Callable[["pydyf.Stream"], int], tell: Callable[[int], None]) -> Any:
    """Return the content of a page that is drawn while the file is written."""
    import pydyf

    class Sheet(pydyf.Stream):  # type: ignore[misc]  # it publishes no types
        @property
        def data(self) -> bytes:
            drawn = pydyf.Stream(compress=True)
            tell(draw(drawn))
            body: bytes = drawn.data
            return body

    return Sheet()


def _draw(
    printing: Printing,
    numbers: tuple[int, int],
    logo: _Logo | None,
    sheet: "pydyf.Stream",
) -> int:
    for place, label in enumerate(printing.labels(*numbers)):
        down, across = divmod(place, ACROSS)
        sheet.push_state()
        sheet.set_matrix(
            *(1, 0, 0, 1),
            across * LABEL[0],
            PAGE[1] - MARGIN - (down + 1) * LABEL[1],
        )
        _square(sheet, f"{printing.public_url}/b/{label.qr}")
        _words(sheet, printing, label, logo)
        sheet.pop_state()
    return numbers[1] - numbers[0]


def _square(sheet: "pydyf.Stream", address: str) -> None:
    """Draw the QR code as one path, so that no seam shows between its modules."""
    size, runs = qr.runs(address)
    module = QR_EDGE / size
    sheet.push_state()
    sheet.set_matrix(module, 0, 0, module, EDGE, (LABEL[1] - QR_EDGE) / 2)
    for x, y, length in runs:
        sheet.rectangle(x, size - 1 - y, length, 1)
    sheet.fill()
    sheet.pop_state()


def _words(
    sheet: "pydyf.Stream", printing: Printing, label: Label, logo: _Logo | None
) -> None:
    left = EDGE + QR_EDGE + GAP
    room = LABEL[0] - left - EDGE
    top = (LABEL[1] + QR_EDGE) / 2
    if logo:
        width, height = logo.edges
        sheet.push_state()
        sheet.set_matrix(width, 0, 0, height, left, top - height)
        sheet.draw_x_object("Logo")
        sheet.pop_state()
        top -= height + 1.5 * MM
    else:
        size = min(NAME, NAME * room / (lettering.width(printing.shop, NAME) * 1.1))
        top = _line(sheet, "B", size, (left, top), printing.shop) - 0.8 * MM
    for line in _title(printing.title, room):
        top = _line(sheet, "B", TITLE, (left, top), line)
    top -= 0.8 * MM
    address = printing.public_url.partition("://")[2] + "/b/"
    said = SAY[printing.locale].format(address=address)
    whole = TEXT * room / lettering.width(address, TEXT)
    text = min(TEXT, whole) if whole >= LEAST_TEXT else TEXT
    for line in lettering.wrap(said, text, most=room)[:MOST_TEXT]:
        top = _line(sheet, "F", text, (left, top), line)
    fits = min(CODE, room / (COURIER * len(label.typed)))
    bottom = (LABEL[1] - QR_EDGE) / 2
    _line(sheet, "C", fits, (left, bottom + fits * LEADING), label.typed)


def _title(title: str, room: float) -> list[str]:
    """Return the lines of a title; one that is cut says so."""
    size = TITLE * lettering.BOLD
    lines = lettering.wrap(title, size, most=room)
    if len(lines) <= MOST_TITLE:
        return lines
    *whole, last = lines[:MOST_TITLE]
    while lettering.width(f"{last}…", size) > room:
        last = last[:-1].rstrip()
    return [*whole, f"{last}…"]


def _line(
    sheet: "pydyf.Stream",
    font: str,
    size: float,
    place: tuple[float, float],
    text: str,
) -> float:
    """Write a line below a height, and return the height below it."""
    import pydyf

    left, top = place
    sheet.begin_text()
    sheet.set_font_size(font, round(size, 2))
    sheet.move_text_to(left, top - size)
    sheet.stream.append(pydyf.String(lettering.encoded(text)).data + b" Tj")
    sheet.end_text()
    return top - size * LEADING
