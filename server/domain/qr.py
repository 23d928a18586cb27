"""QR codes of the addresses that lead to a game (ISO/IEC 18004)."""

import io
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import segno

# A camera needs four free modules around the code.
BORDER = 4
PNG_SCALE = 10
# A quarter of a label may be dirty or torn and it is still read.
ERROR = "q"


def svg(address: str) -> bytes:
    """Return the address as an SVG that scales to any size."""
    return _saved(address, "svg", scale=8, xmldecl=False, svgns=True)


def png(address: str) -> bytes:
    """Return the address as a black and white PNG, ten pixels a module."""
    return _saved(address, "png", scale=PNG_SCALE)


def runs(address: str) -> tuple[int, list[tuple[int, int, int]]]:
    """Return how many modules an edge has, and its dark runs: x, y and length.

    The light border is left to whoever draws it.
    """
    matrix = _made(address).matrix
    found = []
    for y, row in enumerate(matrix):
        start = 0
        for dark, group in groupby(row):
            length = len(list(group))
            if dark:
                found.append((start, y, length))
            start += length
    return len(matrix), found


def _saved(address: str, kind: str, **options: object) -> bytes:
    body = io.BytesIO()
    _made(address).save(body, kind=kind, border=BORDER, **options)
    return body.getvalue()


def _made(address: str) -> "segno.QRCode":
    # Here, because loading it takes a tenth of the time in which a server starts.
    import segno

    return segno.make(address, error=ERROR, micro=False, boost_error=False)
