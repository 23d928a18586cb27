"""Encryption of what is about a person: T24, key rotation, erasure by key."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.seals import (
    NONCE_BYTES,
    SealError,
    Vault,
    open_for,
    seal_for,
)

OLD, NEW = b"o" * 32, b"n" * 32


def nonce() -> bytes:
    return os.urandom(NONCE_BYTES)


@given(plain=st.binary(max_size=2_000), about=st.binary(max_size=20))
def test_what_is_sealed_is_opened_again(plain: bytes, about: bytes):
    vault = Vault((OLD,))

    assert (
        vault.open(vault.seal(plain, nonce=nonce(), about=about), about=about) == plain
    )


@given(plain=st.binary(min_size=1, max_size=200), about=st.binary(max_size=20))
def test_a_persons_evidence_is_opened_with_their_key_alone(plain: bytes, about: bytes):
    sealed = seal_for(OLD, plain, nonce=nonce(), about=about)

    assert open_for(OLD, sealed, about=about) == plain
    with pytest.raises(SealError):
        open_for(NEW, sealed, about=about)


def test_every_changed_byte_is_noticed():
    vault = Vault((OLD,))
    sealed = vault.seal(b"kim@home.nl", nonce=nonce(), about=b"contact 7")

    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(SealError):
            vault.open(bytes(changed), about=b"contact 7")


def test_sealed_bytes_do_not_fit_another_row():
    vault = Vault((OLD,))
    sealed = vault.seal(b"kim@home.nl", nonce=nonce(), about=b"contact 7")

    with pytest.raises(SealError):
        vault.open(sealed, about=b"contact 8")


@pytest.mark.parametrize("length", range(0, 40, 3))
def test_a_torn_seal_is_refused_like_a_changed_one(length: int):
    vault = Vault((OLD,))
    sealed = vault.seal(b"x" * 40, nonce=nonce())
    own = seal_for(OLD, b"x" * 40, nonce=nonce(), about=b"")

    with pytest.raises(SealError):
        vault.open(sealed[:length])
    with pytest.raises(SealError):
        open_for(OLD, own[:length], about=b"")


def test_keys_rotate():
    before, after = Vault((OLD,)), Vault((OLD, NEW))
    sealed = before.seal(b"x", nonce=nonce())

    assert after.open(sealed) == b"x"
    with pytest.raises(SealError, match="JAWOORD_DATA_KEYS"):
        before.open(after.seal(b"x", nonce=nonce()))
    with pytest.raises(SealError, match="JAWOORD_DATA_KEYS"):
        Vault((NEW,)).open(sealed)


def test_an_address_is_found_after_a_rotation():
    """Hashes stay comparable; another installation's are not."""
    before, after = Vault((OLD,)), Vault((OLD, NEW))

    assert before.hashed(1, "kim@home.nl") == after.hashed(1, "kim@home.nl")
    assert before.hashed(1, "kim@home.nl") != before.hashed(2, "kim@home.nl")
    assert before.hashed(1, "kim@home.nl") != Vault((NEW,)).hashed(1, "kim@home.nl")
    assert before.print_key == after.print_key != OLD
