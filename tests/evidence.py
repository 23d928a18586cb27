"""Check an evidence file as its own steps say, with nothing of ours.

Only `hashlib`, `json` and an Ed25519 library: what a stranger has at hand.
"""

import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SAME = ("act", "purpose", "at", "method", "channel", "locale", "context")
NAMES = ("text", "notice", "form", "evidence")


def check(file: dict[str, Any]) -> int:
    """Go through every step; return how many entries a signature vouches for."""
    for name, text in file["texts"].items():
        assert hashlib.sha256(text["body"].encode()).hexdigest() == name
    return sum(_check_fact(file, fact) for fact in file["facts"])


def _check_fact(file: dict[str, Any], fact: dict[str, Any]) -> bool:
    place = fact["ledger"]
    if place is None:
        return False
    entry = place["entry"]
    for name in (*SAME, *NAMES):
        assert entry[name] == fact[name], name
    assert entry["subject"] == file["person"]["subject"]
    written = json.dumps(
        entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    own = hashlib.sha256(b"\0" + written.encode()).hexdigest()
    assert own == place["entry_hash"]
    assert entry["prev"] == place["prev_hash"]
    assert entry["seq"] == place["seq"]
    if place["checkpoint"] is None:
        return False
    signed = file["checkpoints"][place["checkpoint"]]
    path = [bytes.fromhex(each) for each in place["path"]]
    root = along(bytes.fromhex(own), place["seq"] - 1, signed["size"], path)
    assert root.hex() == signed["root"]
    said = [str(signed["size"]), signed["root"], signed["head"], place["checkpoint"]]
    assert signed["message"] == "|".join(said)
    public = Ed25519PublicKey.from_public_bytes(
        bytes.fromhex(file["keys"][signed["key"]])
    )
    public.verify(bytes.fromhex(signed["signature"]), signed["message"].encode())
    return True


def along(leaf: bytes, at: int, size: int, path: list[bytes]) -> bytes:
    """Return where a path leads, by splitting the tree as RFC 6962 section 2.1 does."""
    if size == 1:
        assert not path
        return leaf
    split = 1 << (size - 1).bit_length() - 1
    *inner, neighbour = path
    if at < split:
        pair = along(leaf, at, split, inner) + neighbour
    else:
        pair = neighbour + along(leaf, at - split, size - split, inner)
    return hashlib.sha256(b"\1" + pair).digest()
