"""How wide words are on paper, and where their lines break.

Every PDF reader has Helvetica, so it need not be carried along; only its widths have
to be known here (Adobe's metrics of the fourteen standard fonts, PDF 32000-1, 9.6.2.2).
"""

import unicodedata

# In thousandths of the size, of the letters from the space to the tilde.
_WIDTHS = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556),
    *(1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556),
    *(333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556),
    *(556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
)
_WIDEST = 1015
# Bold letters are at most so much wider.
BOLD = 1.1
FIRST = ord(" ")


def width(text: str, size: float) -> float:
    """Return how wide a line is, in the unit of `size`."""
    return sum(map(_width, text)) * size / 1000


def _width(letter: str) -> int:
    # An accent makes no letter wider.
    place = ord(unicodedata.normalize("NFD", letter)[0]) - FIRST
    return _WIDTHS[place] if 0 <= place < len(_WIDTHS) else _WIDEST


def wrap(text: str, size: float, *, most: float) -> list[str]:
    """Return the lines of a text, none wider than `most`; a long word is cut."""
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if width(longer, size) <= most:
            line = longer
            continue
        if line:
            lines.append(line)
        line = word
        while width(line, size) > most and len(line) > 1:
            fits = next(
                n
                for n in range(len(line) - 1, 0, -1)
                if n == 1 or width(line[:n], size) <= most
            )
            lines.append(line[:fits])
            line = line[fits:]
    return [*lines, line] if line else lines


def encoded(text: str) -> bytes:
    """Return a text in the letters that the font has; others lose their accents."""
    return b"".join(map(_encoded, text))


def _encoded(letter: str) -> bytes:
    try:
        return letter.encode("cp1252")
    except UnicodeEncodeError:
        bare = unicodedata.normalize("NFKD", letter)[0]
        return bare.encode("cp1252", "replace")
