"""Write a table as a file: CSV, a workbook, or one JSON object a line (T8)."""

import json
from collections.abc import Iterable, Iterator
from typing import IO, Literal

from server.domain.spreadsheet import csv_line, plain

Format = Literal["csv", "xlsx", "json"]
MIMETYPES: dict[Format, str] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/jsonl",
}
ENDINGS: dict[Format, str] = {"csv": "csv", "xlsx": "xlsx", "json": "jsonl"}
MOST_ROWS = 1_048_576
Cells = tuple[str, ...]


class TooManyRowsError(Exception):
    """A workbook has no room for so many rows."""


def texts(
    heading: Cells, rows: Iterable[Cells], kind: Literal["csv", "json"]
) -> Iterator[bytes]:
    """Yield the lines of a file of text."""
    if kind == "csv":
        yield csv_line(heading)
        yield from map(csv_line, rows)
        return
    for cells in rows:
        told = dict(zip(heading, cells, strict=True))
        yield (json.dumps(told, ensure_ascii=False) + "\n").encode()


def workbook(out: IO[bytes], heading: Cells, rows: Iterable[Cells]) -> int:
    """Write a workbook in which every cell is text, and return how many rows it has.

    Raises `TooManyRowsError`.
    """
    # It is large, and only an export needs it.
    from xlsxwriter import Workbook

    count = 0
    # Rows go to the disk as they come: a million of them would fill the memory.
    with Workbook(out, {"constant_memory": True}) as book:
        write = book.add_worksheet().write_string
        for column, cell in enumerate(heading):
            write(0, column, cell)
        for count, cells in enumerate(rows, 1):
            if count == MOST_ROWS:
                raise TooManyRowsError
            for column, cell in enumerate(cells):
                write(count, column, plain(cell))
    return count
