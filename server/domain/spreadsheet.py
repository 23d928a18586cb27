"""Cells that a spreadsheet shows and never computes (SAFETY.md T8)."""

import re
import unicodedata
from collections.abc import Iterable

# What begins a formula, also in the wide letters of East Asia.
STARTS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
# Behind a semicolon another cell begins, for a reader that parts them there as Dutch
# spreadsheets do; the quotes that it sees around it fall away.
PARTED = re.compile(rf"(;[\s\"]*)(?=[{re.escape(''.join(sorted(STARTS)))}])")
# Control characters, what is not seen, and other ends of lines.
BLANK = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})


def plain(cell: str) -> str:
    """Return a cell of one line, without characters that are not seen."""
    if cell.isprintable():
        return cell
    return "".join(" " if unicodedata.category(c) in BLANK else c for c in cell)


def neutral(cell: str) -> str:
    """Return a cell of a CSV file that no spreadsheet takes for a formula.

    Nor one that parts cells at semicolons. The mark before it is seen: a file with real
    text cells (XLSX) needs none.
    """
    text = PARTED.sub(r"\1'", plain(cell))
    is_risky = text.lstrip()[:1] in STARTS or cell[:1] in {"\t", "\r"}
    return f"'{text}" if is_risky else text


def csv_line(cells: Iterable[str]) -> bytes:
    """Return a row with every cell in quotes, so that no comma parts one."""
    quoted = ('"' + neutral(cell).replace('"', '""') + '"' for cell in cells)
    return (",".join(quoted) + "\r\n").encode()
