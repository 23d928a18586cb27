"""The ledger: entries, checkpoints, and a file that a third party verifies (PR-05)."""

import hashlib
from datetime import date

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from server.domain import ledger_file
from server.domain.ledger import (
    NO_ENTRY,
    Checkpoint,
    Notary,
    canonical,
    is_signed,
    key_id,
)
from server.domain.ledger_file import BrokenError, verify
from tests.ledgers import NOTARY, fact, lines

(PUBLIC,) = NOTARY.publics.values()
OTHER = Notary([b"o" * 32])
CHECKPOINT = Checkpoint(3, b"r" * 32, b"h" * 32, date(2026, 3, 2))

names = st.text(st.characters(max_codepoint=127), max_size=8)
plain = st.none() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20)
fields = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.dictionaries(names, fields, max_size=6))
def test_what_we_write_is_the_canonical_form(value: dict[str, object]) -> None:
    """RFC 8785: any other way of writing would give another hash."""
    assert canonical(value) == rfc8785.dumps(value)


def test_an_entry_hashes_as_the_documentation_says() -> None:
    """So that a verifier of somebody else's agrees with ours, this year and later."""
    entry = fact().entry(1, NO_ENTRY)

    assert canonical(entry) == (
        b'{"act":"given","at":"2026-03-01T23:59:00.000Z","channel":"email",'
        b'"context":{"campaign":"lucky","device":null,"version":1},'
        b'"evidence":"' + b"65" * 32 + b'","form":"' + b"66" * 32 + b'","locale":"nl",'
        b'"method":"button","notice":"'
        + b"6e" * 32
        + b'","prev":"'
        + b"00" * 32
        + b'",'
        b'"purpose":"newsletter","seq":1,"shop":"demo","subject":"' + b"01" * 16 + b'",'
        b'"text":"' + b"74" * 32 + b'"}'
    )
    hashed = hashlib.sha256(b"\x00" + canonical(entry)).digest()
    assert fact().hash(1, NO_ENTRY) == hashed


def test_a_checkpoint_is_signed_as_the_design_says() -> None:
    assert CHECKPOINT.message == (
        b"3|" + b"72" * 32 + b"|" + b"68" * 32 + b"|2026-03-02"
    )
    signature = NOTARY.sign(CHECKPOINT)
    assert len(signature.value) == 64
    assert is_signed(CHECKPOINT, signature, PUBLIC)


@pytest.mark.parametrize(
    "changed",
    [
        Checkpoint(4, CHECKPOINT.root, CHECKPOINT.head, CHECKPOINT.day),
        Checkpoint(3, b"R" * 32, CHECKPOINT.head, CHECKPOINT.day),
        Checkpoint(3, CHECKPOINT.root, b"H" * 32, CHECKPOINT.day),
        Checkpoint(3, CHECKPOINT.root, CHECKPOINT.head, date(2026, 3, 3)),
    ],
)
def test_a_signature_is_for_one_checkpoint_alone(changed: Checkpoint) -> None:
    assert not is_signed(changed, NOTARY.sign(CHECKPOINT), PUBLIC)


def test_the_newest_key_signs_and_older_ones_are_still_told() -> None:
    both = Notary([bytes(range(32)), b"o" * 32])
    (newest,) = OTHER.publics

    assert both.sign(CHECKPOINT).key_id == newest
    assert both.publics == NOTARY.publics | OTHER.publics


def test_a_notary_needs_whole_keys() -> None:
    for seeds in ([], [b"short"]):
        with pytest.raises(ValueError, match="key"):
            Notary(seeds)


class TestAFile:
    """What anybody checks with the file and the public key alone."""

    def test_a_whole_one_says_what_it_comes_to(self) -> None:
        report = verify(lines(), keys=[PUBLIC])

        assert (report.shop, report.entries, report.covered) == ("demo", 5, 5)
        assert report.keys == [key_id(PUBLIC)]

    def test_what_no_checkpoint_covers_is_told(self) -> None:
        report = verify(lines(signed=(3,)))

        assert (report.entries, report.covered) == (5, 3)

    def test_of_an_empty_ledger(self) -> None:
        assert verify(lines(0)).entries == 0

    def test_no_byte_can_change(self) -> None:
        """Each byte of each line once: the file is never taken for whole."""
        whole = lines()
        for number, line in enumerate(whole):
            for place in range(len(line)):
                changed = line[:place] + bytes([line[place] ^ 1]) + line[place + 1 :]
                with pytest.raises(BrokenError):
                    verify(
                        [*whole[:number], changed, *whole[number + 1 :]], keys=[PUBLIC]
                    )

    def test_no_line_can_go_come_twice_or_swap(self) -> None:
        whole = lines()
        for number in range(len(whole)):
            for changed in (
                whole[:number] + whole[number + 1 :],
                [*whole[: number + 1], whole[number], *whole[number + 1 :]],
                whole[:number] + whole[number : number + 2][::-1] + whole[number + 2 :],
            ):
                if changed == whole or _lacks_a_checkpoint(whole, changed):
                    continue
                with pytest.raises(BrokenError):
                    verify(changed, keys=[PUBLIC])

    def test_the_first_wrong_entry_is_named(self) -> None:
        whole = lines()
        wrong = whole[2].replace(b'"given"', b'"withdrawn"')

        with pytest.raises(
            BrokenError, match="line 4: entry 2 is not the one that entry 3 follows"
        ):
            verify([*whole[:2], wrong, *whole[3:]])

    def test_a_ledger_that_was_written_anew_is_found_by_its_signature(self) -> None:
        """Whoever has the database, and not the key, can chain but not sign."""
        theirs = lines(3, signed=(3,), notary=OTHER)

        assert verify(theirs).entries == 3
        with pytest.raises(BrokenError, match="not to be trusted"):
            verify(theirs, keys=[PUBLIC])

    def test_a_checkpoint_from_before_a_change_finds_it(self) -> None:
        whole, other = lines(), lines(purpose="offers")

        with pytest.raises(BrokenError, match="of other entries; one of 1 to 3"):
            verify([*other[:4], *whole[4:]], keys=[PUBLIC])

    @pytest.mark.parametrize(
        ("kept", "error"),
        [
            ([b"Keep this\n"], "there is no checkpoint in it"),
            ([b'{"checkpoint":"2026-03-04","size":3,\n'], "was cut into pieces"),
            ([b'{"checkpoint":"2026-03-04","size":3}\n'], "it is no checkpoint"),
        ],
    )
    def test_what_was_kept_badly_is_refused(
        self, kept: list[bytes], error: str
    ) -> None:
        with pytest.raises(BrokenError, match=error):
            ledger_file.read_kept(kept)

    @pytest.mark.parametrize(
        "first",
        [
            b"",
            b"\n",
            b"[]\n",
            b'{"scheme":"iw-1"}\n',
            b'{"keys":{},"scheme":"ledger-2","shop":"demo"}\n',
            b'{"keys":{"0011":"00"},"scheme":"ledger-1","shop":"demo"}\n',
            b'{"keys":[],"scheme":"ledger-1","shop":"demo"}\n',
            b"[" * 50_000 + b"\n",
            b"\xff\n",
            b"x" * (ledger_file.LONGEST_LINE + 1),
        ],
    )
    def test_what_is_no_ledger_is_refused_at_its_first_line(self, first: bytes) -> None:
        with pytest.raises(BrokenError, match="line 1"):
            verify([first] if first else [])


def _lacks_a_checkpoint(whole: list[bytes], changed: list[bytes]) -> bool:
    """Return whether no more than a checkpoint is gone, or there twice.

    The next one covers what it did; a file with fewer of them says less, not wrong.
    """
    only = [line for line in whole if b'"checkpoint"' not in line]
    return [line for line in changed if b'"checkpoint"' not in line] == only and (
        sorted(set(changed)) == sorted(set(whole)) or len(changed) < len(whole)
    )
