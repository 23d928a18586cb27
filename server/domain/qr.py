"""QR codes of the addresses that lead to a game (ISO/IEC 18004)."""

import io

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


def _saved(address: str, kind: str, **options: object) -> bytes:
    # Here, because loading it takes a tenth of the time in which a server starts.
    import segno

    body = io.BytesIO()
    code = segno.make(address, error=ERROR, micro=False, boost_error=False)
    code.save(body, kind=kind, border=BORDER, **options)
    return body.getvalue()
