"""The public record of a raffle: whole, chained, and done again (PZ-08)."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from server.domain import raffle, raffle_record
from server.domain.chain import Chain, WrongLineError, opened, scheme_of
from server.domain.raffle_record import Drawn, Listed, Promise, verify

FIXTURE = Path(__file__).parents[1] / "widget" / "raffle.jsonl"
SECRET = hashlib.sha256(b"secret").digest()
BEACON = hashlib.sha256(b"beacon").digest()
LABELS = [f"e_{26 * letter}" for letter in "abcde"]
PROMISE = Promise(
    campaign="demo",
    draw="main",
    at=datetime(2026, 4, 1, 12, tzinfo=UTC),
    commitment=raffle.commitment(SECRET),
    prizes=(("bike", 1), ("bell", 2)),
    reserves=1,
    randomness="Trekking 7 van de Staatsloterij",
)
LISTED = Listed(5, raffle.list_hash(LABELS), {"duplicate": 2, "excluded": 1})


def drawn(promise: Promise = PROMISE, randomness: bytes = BEACON) -> Drawn:
    urn = promise.urn(secret=SECRET, randomness=randomness, listed=LISTED.digest)
    return Drawn(SECRET, randomness, tuple(urn.first(LABELS, 4)))


FILE = list(raffle_record.stream(PROMISE, LISTED, LABELS, drawn()))


def test_both_verifiers_are_tested_with_the_same_file():
    """`tests/widget/raffle.test.mjs` reads it, too."""
    assert FIXTURE.read_bytes() == b"".join(FILE)


def test_an_honest_file_is_right_and_says_who_was_drawn():
    report = verify(FILE)

    assert report.promise == PROMISE
    assert report.listed == LISTED
    assert report.drawn == drawn()
    assert [label[2] for label in report.drawn.places] == ["d", "a", "e", "b"]
    assert [json.loads(line)["prize"] for line in FILE[-5:-1]] == [
        *("bike", "bell", "bell"),
        None,
    ]


@pytest.mark.parametrize("end", [1, 7])
def test_a_file_grows_and_each_stage_of_it_is_right(end: int):
    """The promise first, then the list: who keeps that one has the list fixed."""
    listed = LISTED if end == 7 else None

    early = list(raffle_record.stream(PROMISE, listed, LABELS if listed else [], None))

    assert early == FILE[:end]
    assert verify(early).drawn is None
    assert verify(early).listed == listed


def test_without_public_randomness_nobody_waits_for_it():
    promise = Promise(**{**fields(PROMISE), "randomness": None})

    lines = list(
        raffle_record.stream(promise, LISTED, LABELS, drawn(promise, randomness=b""))
    )

    assert [label[2] for label in verify(lines).drawn.places] == ["d", "b", "e", "c"]


def fields(promise: Promise) -> dict[str, Any]:
    return {name: getattr(promise, name) for name in promise.__slots__}


def test_nobody_took_part():
    listed = Listed(0, raffle.list_hash([]), {})

    lines = list(raffle_record.stream(PROMISE, listed, [], Drawn(SECRET, BEACON, ())))

    assert verify(lines).drawn.places == ()


def test_one_changed_byte_anywhere_is_named_by_its_line():
    whole = b"".join(FILE)
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= (1, 32, 128)[place % 3]

        with pytest.raises(WrongLineError) as wrong:
            verify(bytes(changed).splitlines(keepends=True))

        assert wrong.value.line == whole[:place].count(b"\n") + 1, place


def test_a_missing_line_is_noticed():
    for missing in range(1, len(FILE) - 1):
        with pytest.raises(WrongLineError) as wrong:
            verify([line for at, line in enumerate(FILE) if at != missing])
        assert wrong.value.line == missing + 1


@pytest.mark.parametrize("end", [*range(2, 7), *range(8, len(FILE))])
def test_a_file_that_stops_too_early_is_not_whole(end: int):
    with pytest.raises(WrongLineError):
        verify(FILE[:end])


Change = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


def forged(
    change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
) -> list[bytes]:
    """Return the file with its content changed and its chain made right again."""
    head, told = "", []
    for number, line in enumerate(FILE, 1):
        line_fields, head = opened(number, line, head)
        told.append(line_fields)
    chain = Chain()
    return [chain.line(line_fields) for line_fields in change(told)]


def put(at: int, **values: Any) -> Change:
    return lambda lines: [
        line | values if number == at else line for number, line in enumerate(lines, 1)
    ]


def without(at: int) -> Change:
    return lambda lines: lines[: at - 1] + lines[at:]


@pytest.mark.parametrize(
    ("change", "line", "why"),
    [
        (put(1, campaign="other"), 9, "place 1"),
        (put(1, draw="other"), 12, "place 4"),
        (put(1, reserves=0), 12, "nobody is drawn"),
        (put(1, commitment="00" * 32), 8, "not the one committed to"),
        (put(1, randomness=None), 8, "not what was named"),
        (put(1, v=2), 1, "what was promised"),
        (put(1, prizes=[{"id": "bike", "number": True}]), 1, "what was promised"),
        (put(1, prizes=[{"id": "bike", "number": 2_000}]), 1, "more than a raffle"),
        (put(1, prizes=[{"id": "car", "number": 3}]), 9, "place 1"),
        (put(2, list="00" * 32), 2, "not that of the labels"),
        (put(2, labels=4), 7, "longer than was told"),
        (put(2, labels=6), 8, "shorter than was told"),
        (put(2, excluded={"duplicate": 0}), 2, "what was listed"),
        (put(3, label="e_" + 25 * "a" + "2"), 2, "not that of the labels"),
        (put(3, label="nobody"), 3, "no label"),
        (put(4, label=LABELS[0]), 4, "not in order"),
        (without(5), 7, "shorter than was told"),
        (without(2), 2, "no list"),
        (put(8, secret="00" * 32), 8, "not the one committed to"),
        (put(8, r=""), 8, "not what was named"),
        (put(8, r="00"), 9, "place 1"),
        (put(8, r="0"), 8, "another shape"),
        (put(9, label=LABELS[2]), 9, "place 1 e_ddd"),
        (put(9, prize="bell"), 9, "place 1"),
        (put(12, prize="bike"), 12, "place 4"),
        (put(13, end=3), 13, "another number of places"),
        (without(13), 12, "does not end"),
        (lambda lines: [*lines, {"end": 4}], 14, "has ended before"),
        (lambda lines: [*lines, {"epoch": 1, "seed": ""}], 14, "has ended before"),
        (lambda lines: [lines[0], {"epoch": 1}], 2, "belongs here"),
        (put(2, more=1), 2, "belongs here"),
    ],
)
def test_a_forgery_is_found_though_the_chain_is_right(change, line: int, why: str):
    with pytest.raises(WrongLineError, match=why) as wrong:
        verify(forged(change))

    assert wrong.value.line == line


@pytest.mark.parametrize(
    ("line", "scheme"),
    [(FILE[0], "rf-1"), (FILE[1], ""), (b"", ""), (b"[]\n", ""), (b"[" * 9_999, "")],
)
def test_a_file_says_which_scheme_it_is_of(line: bytes, scheme: str):
    assert scheme_of(line) == scheme
