"""Files that a shop brings along are read whole, and each fault is named (PR-08)."""

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import people_file
from server.domain.claim import Claim
from server.domain.consent import Act
from server.domain.people_file import CONSENTS, SALES, Around, read
from server.domain.pool import Wrong
from tests.claims import PROOF, consent, csv_of, no_texts, sale

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
AROUND = Around("nl", {"yes.txt": "Yes."}.__getitem__, NOW)


def rows_of(body: bytes, shape=CONSENTS, around=AROUND, *, is_json=False):
    return list(read(body.splitlines(keepends=True), shape, around, is_json=is_json))


def wrong(body: bytes, shape=CONSENTS, **options) -> list[tuple[int, str]]:
    found = rows_of(body, shape, **options)
    return [(one.line, one.why) for one in found if isinstance(one, Wrong)]


def test_a_whole_proof_is_a_yes_and_less_is_not():
    """PR-08."""
    whole, *rest = rows_of(
        csv_of(consent(), *(consent(**{gone: ""}) for gone in PROOF if gone in PARTS))
    )

    assert (whole.act, whole.on) == (Act.GIVEN, date(2025, 6, 1))
    assert {claim.act for claim in rest} == {Act.UNPROVEN}
    assert [claim.context["missing"] for claim in rest] == [
        [gone] for gone in PROOF if gone in PARTS
    ]


PARTS = ("source", "date", "text", "method")


def test_lines_of_json_say_the_same():
    row = consent()
    body = (json.dumps(row) + "\n\n" + json.dumps(row) + "\n").encode()

    first, second = rows_of(body, is_json=True)

    (by_csv,) = rows_of(csv_of(row))
    assert (first.text, first.on, first.act) == (by_csv.text, by_csv.on, by_csv.act)
    assert (first.line, second.line) == (1, 3)


def test_a_semicolon_and_a_mark_of_the_encoding_are_read_too():
    """As Dutch spreadsheets write them."""
    body = b"\xef\xbb\xbfAddress;Purpose\r\niris@example.com;newsletter\r\n"

    (claim,) = rows_of(body)

    assert (claim.email, claim.locale) == ("iris@example.com", "nl")


def test_a_text_of_several_lines_counts_as_its_first():
    body = csv_of(consent(text="One\nTwo\nThree"), consent("not an address"))

    assert wrong(body) == [(5, "address: is no mail address")]


def test_a_text_may_stand_in_a_file_beside_it():
    (claim,) = rows_of(csv_of(consent(text="", text_file="yes.txt")), around=FILES)

    assert claim.text.body == "Yes."


def _file(name):
    if name != "yes.txt":
        raise FileNotFoundError(name)
    return "Yes."


FILES = Around("nl", _file, NOW)


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"address": "nobody"}, "address"),
        ({"address": ""}, "address"),
        ({"address": "a@example.com\u0000"}, "address"),
        ({"purpose": "soft:mugs"}, "purpose"),
        ({"purpose": "*"}, "purpose"),
        ({"purpose": ""}, "purpose"),
        ({"locale": "fr"}, "locale"),
        ({"date": "01-06-2025"}, "date"),
        ({"date": "2026-03-03"}, "date"),
        ({"text_file": "other.txt", "text": ""}, "text_file"),
        ({"text_file": "yes.txt"}, "text"),
        ({"source": "x" * 401}, "source"),
        ({"text": "x" * 20_001}, "text"),
    ],
)
def test_what_is_wrong_is_named_by_line_and_column(changes, column):
    ((line, why),) = wrong(csv_of(consent(), consent() | changes), around=FILES)

    assert line == 3
    assert why.startswith(f"{column}: ")


@pytest.mark.parametrize(
    ("gone", "column"),
    [
        ("address", "address"),
        ("order", "order"),
        ("date", "date"),
        ("category", "category"),
        ("locale", "locale"),
        ("offer", "offer"),
        ("collected", "collected"),
    ],
)
def test_a_sale_without_any_of_its_parts_is_refused(gone, column):
    """SO-01: missing any -> refused, with line and column."""
    ((line, why),) = wrong(csv_of(sale(), sale(**{gone: ""})), SALES)

    assert (line, why.partition(":")[0]) == (3, column)
    assert "missing" in why


@pytest.mark.parametrize(
    "moment", ["2026-02-01", "2026-02-01T12:00", "soon", "2026-03-02T12:30+01:00"]
)
def test_when_it_was_offered_is_a_moment_of_the_past(moment):
    ((_line, why),) = wrong(csv_of(sale(collected=moment)), SALES)

    assert why.startswith("collected: ")


@pytest.mark.parametrize(
    ("body", "line", "why"),
    [
        (b"", 1, "column"),
        (b"address,purpose\n", 1, "no row"),
        (b"address\n", 1, "'purpose' is missing"),
        (b"address,purpose,shoe\n", 1, "no column 'shoe'"),
        (b"address,purpose,purpose\n", 1, "twice"),
        (b"address,purpose\na@example.com\n", 2, "1 cells instead of 2"),
        (b'address,purpose\n"a"b,c\n', 2, "no CSV"),
        (b"address,purpose\n\xff@example.com,newsletter\n", 2, "UTF-8"),
    ],
)
def test_a_file_that_is_no_table_is_refused(body, line, why):
    found = wrong(body)

    assert len(found) == 1
    assert found[0][0] == line
    assert why in found[0][1]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "no JSON"),
        (b"[1]", "no JSON object"),
        (b'{"address": 1}', "'address' is no text"),
        (b'{"shoe": "1"}', "no 'shoe'"),
        (b"[" * 100_000, "no JSON"),
    ],
)
def test_a_line_that_is_no_object_is_refused(line, why):
    ((number, said),) = wrong(line + b"\n", is_json=True)

    assert number == 1
    assert why in said


def test_an_endless_line_is_not_read():
    lines = [b"address,purpose\n", b"a" * (people_file.LONGEST_LINE + 1)]

    (found,) = read(iter(lines), CONSENTS, AROUND, is_json=False)

    assert found == Wrong(2, "is far too long")


def test_a_file_has_an_end(monkeypatch):
    monkeypatch.setattr(people_file, "MOST_ROWS", 2)

    assert wrong(csv_of(consent(), consent(), consent(), consent())) == [
        (4, "a file holds 2 rows at most")
    ]


@given(st.binary(max_size=300), st.booleans())
def test_whatever_bytes_come_it_is_said_by_line(body, is_json):
    around = Around("nl", no_texts, NOW)
    found = rows_of(body, around=around, is_json=is_json)

    assert found
    assert all(isinstance(one, Claim | Wrong) for one in found)
