"""The bytes of evidence: small, and read for as long as the ledger names them."""

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as some

from server.domain.evidence import AT_MOST_BYTES, DICTIONARY, packed, unpacked
from server.domain.seals import SealError

NONCE = bytes(range(200, 212))
TRACE = NONCE + bytes(range(212, 237))
ASKED = {
    "act": "requested",
    "at": "2026-03-02T10:30:00.123000+00:00",
    "controller": "Noord & Zon B.V.",
    "email": "iris@example.com",
    "month": "2026-03",
    "network": "203.0.113.0/24",
    "no": [],
    "page": "https://www.noordenzon.example/actie",
    "user_agent": (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
    ),
    "yes": ["newsletter", "personal_offers"],
}
# The piece above as it was written when the dictionary landed.
LANDED = bytes.fromhex(
    "48a8b21eb41fc31f6206c6ba0646a010330605921e30a1e20c313f500a55505388cacfc308bc"
    "a2cc6287d48ac45c600ec3164c06c6a8b16f600c0c274343633c61050b9a3c90ada97955f979"
    "7a500bf481fec94cc51b4a380b41536a1482a6780a4144fc204502661cc5d60200d0c57abb"
    "d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebec"
)

values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=8,
)


@given(some.dictionaries(some.text().filter("trace".__ne__), values), some.binary())
def test_what_is_packed_comes_back(told: dict[str, object], trace: bytes):
    whole = NONCE + trace if trace else b""

    assert unpacked(packed(told, whole), nonce=NONCE) == (told, whole)


def test_the_dictionary_is_the_one_that_evidence_was_written_with():
    """PR-10: stored evidence names it by this sum, and opens with no other."""
    assert zlib.adler32(DICTIONARY) == 0xB21EB41F
    assert packed(ASKED, TRACE)[2:6] == zlib.adler32(DICTIONARY).to_bytes(4, "big")


def test_a_piece_of_long_ago_is_read():
    assert unpacked(LANDED, nonce=NONCE) == (ASKED, TRACE)


def test_a_piece_of_before_there_was_a_dictionary_is_read():
    plain = json.dumps({**ASKED, "trace": TRACE.hex()}).encode()

    assert unpacked(plain, nonce=NONCE) == (ASKED, TRACE)


def test_a_piece_of_before_without_an_address_has_no_trace():
    assert unpacked(b'{"act":"expired"}', nonce=NONCE) == ({"act": "expired"}, b"")


def test_a_request_takes_less_than_half_of_its_text():
    """Section 8 of the design: an entry leaves few bytes."""
    assert len(packed(ASKED, TRACE)) < len(json.dumps(ASKED)) / 2


def test_what_is_longer_than_any_of_ours_stays_readable():
    told = {"row": {"note": "x" * AT_MOST_BYTES}}

    assert unpacked(packed(told, TRACE), nonce=NONCE) == (told, TRACE)


def stream(plain: bytes) -> bytes:
    made = zlib.compressobj(zdict=DICTIONARY)
    return made.compress(plain) + made.flush()


@pytest.mark.parametrize(
    "plain",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"?", id="no stream"),
        pytest.param(stream(b"{}")[:-1], id="cut off"),
        pytest.param(zlib.compress(b"{}")[:2] + bytes(9), id="broken"),
        pytest.param(
            stream(b"{}").replace(b"\x78", b"\x79", 1), id="a header that is none"
        ),
        pytest.param(
            stream(b'{"a":"' + b"x" * 50 * AT_MOST_BYTES + b'"}'), id="too long"
        ),
    ],
)
def test_what_was_never_packed_is_refused(plain: bytes):
    with pytest.raises(SealError):
        unpacked(plain, nonce=NONCE)


def test_a_stream_of_another_dictionary_is_refused():
    made = zlib.compressobj(zdict=b"another")
    with pytest.raises(SealError, match="cannot read"):
        unpacked(made.compress(b"{}") + made.flush(), nonce=NONCE)


def test_a_stream_as_long_as_may_be_is_read():
    text = "x" * (AT_MOST_BYTES - len('{"a":""}'))

    packed_one = packed({"a": text}, b"")

    assert len(packed_one) < AT_MOST_BYTES
    assert unpacked(packed_one, nonce=NONCE) == ({"a": text}, b"")
