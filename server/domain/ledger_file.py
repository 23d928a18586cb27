"""An exported ledger, and how anybody checks it with the public key alone (PR-05).

A file of lines of JSON, in UTF-8, each ended by LF:

    {"scheme":"ledger-1","shop":..,"keys":{"<key id>":"<public key in hex>"}}
    {"act":..,"at":..,"channel":..,"context":{..},"evidence":..,"form":..,"locale":..,
     "method":..,"notice":..,"prev":..,"purpose":..,"seq":1,"shop":..,"subject":..,
     "text":..}                                             each entry, in order
    {"checkpoint":"2026-03-02","size":..,"root":..,"head":..,"key":..,"signature":..}
                                                            after its last entry
    {"end":..,"head":..}

A line of an entry is its canonical JSON, so its hash is that of 0x00 and its bytes.
`docs/ledger.md` tells the same to whoever writes a verifier of their own.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from server.domain.ledger import (
    NO_ENTRY,
    PUBLIC_BYTES,
    SCHEME,
    Checkpoint,
    Signature,
    canonical,
    is_signed,
    key_id,
)
from server.domain.merkle import HASH_BYTES, Frontier, leaf_hash

LONGEST_LINE = 100_000
HEX = re.compile(r"(?:[0-9a-f]{2})+")
NAMES = frozenset(
    (
        *("act", "at", "channel", "context", "evidence", "form", "locale", "method"),
        *("notice", "prev", "purpose", "seq", "shop", "subject", "text"),
    )
)


class BrokenError(Exception):
    """The ledger is not what it was; the message names the first wrong entry."""


@dataclass
class Report:
    """What a whole file comes to. What follows `covered` no checkpoint vouches for."""

    shop: str
    entries: int = 0
    head: bytes = NO_ENTRY
    covered: int = 0
    last: date | None = None
    keys: list[str] = field(default_factory=list)


def line(fields: Mapping[str, Any]) -> bytes:
    """Return a line; that of an entry is what its hash is taken of, and LF."""
    return canonical(fields) + b"\n"


def first_line(shop: str, keys: Mapping[str, bytes]) -> bytes:
    """Return the line with which a file begins."""
    publics = {name: public.hex() for name, public in keys.items()}
    return line({"scheme": SCHEME, "shop": shop, "keys": publics})


def checkpoint_line(checkpoint: Checkpoint, signature: Signature) -> bytes:
    """Return a checkpoint as a line of its own, which can be kept apart as well."""
    return line(
        {
            "checkpoint": checkpoint.day.isoformat(),
            "size": checkpoint.size,
            "root": checkpoint.root.hex(),
            "head": checkpoint.head.hex(),
            "key": signature.key_id,
            "signature": signature.value.hex(),
        }
    )


def last_line(size: int, head: bytes) -> bytes:
    """Return the line that says that nothing is missing after it."""
    return line({"end": size, "head": head.hex()})


class Witness:
    """Checkpoints that somebody kept elsewhere, held against entries as they pass.

    Whoever has the database and the key can write and sign another past; not one that
    agrees with these.
    """

    def __init__(self, kept: Iterable[Checkpoint] = ()) -> None:
        self._waiting = sorted(kept, key=lambda one: one.size, reverse=True)

    def see(self, tree: Frontier, head: bytes) -> None:
        """Compare what is due after the newest entry. Raises `BrokenError`."""
        while self._waiting and self._waiting[-1].size == tree.size:
            kept = self._waiting.pop()
            if (kept.root, kept.head) != (tree.root(), head):
                raise BrokenError(
                    f"entry {kept.size} or one before it was changed: the checkpoint "
                    f"of {kept.day} that was kept is of others"
                )

    def end(self) -> None:
        """Raise `BrokenError` if there were more entries once."""
        if self._waiting:
            kept = self._waiting[0]
            raise BrokenError(
                f"entries up to {kept.size} are missing: the checkpoint of {kept.day} "
                "that was kept covers them"
            )


def read_checkpoint(fields: Mapping[str, Any]) -> tuple[Checkpoint, Signature]:
    """Return a checkpoint and its signature. Raises `BrokenError`."""
    try:
        checkpoint = Checkpoint(
            size=int(fields["size"]),
            root=_unhex(fields["root"], HASH_BYTES),
            head=_unhex(fields["head"], HASH_BYTES),
            day=date.fromisoformat(fields["checkpoint"]),
        )
        return checkpoint, Signature(fields["key"], _unhex(fields["signature"], 64))
    except (KeyError, TypeError, ValueError):
        raise BrokenError("it is no checkpoint") from None


def read_kept(lines: Iterable[bytes]) -> list[tuple[Checkpoint, Signature]]:
    """Return the checkpoints in a file of lines that came by mail.

    Lines of something else around them are passed over. Raises `BrokenError` where
    there is none.
    """
    found = []
    for raw in lines:
        # A mail program may have set something before it.
        start = raw.find(b"{")
        if b'"checkpoint"' not in raw or start < 0:
            continue
        try:
            fields = json.loads(raw[start:])
        except ValueError:
            raise BrokenError("a checkpoint in it was cut into pieces") from None
        found.append(read_checkpoint(fields))
    if not found:
        raise BrokenError("there is no checkpoint in it")
    return found


def verify(
    lines: Iterable[bytes],
    *,
    keys: Iterable[bytes] = (),
    kept: Iterable[Checkpoint] = (),
) -> Report:
    """Check every line of a file and return what it comes to.

    With `keys` only those public keys are trusted; otherwise those that the file names,
    which proves that it was not changed by somebody without them, and not who they are.
    One of them has to have signed something.
    With `kept` it must agree with these checkpoints as well. Raises `BrokenError`.
    """
    reading = _Reading(iter(lines))
    shop, named = reading.first()
    own = {key_id(key): key for key in keys}
    trusted = own or named
    report = Report(shop=shop, keys=list(trusted))
    tree, witness = Frontier(), Witness(kept)
    for fields, raw in reading.rest():
        place = f"line {reading.number}"
        if "end" in fields:
            if fields != {"end": report.entries, "head": report.head.hex()}:
                raise BrokenError(f"{place}: it ends otherwise than its entries")
            reading.nothing_more()
            witness.end()
            if own and report.entries and not report.covered:
                raise BrokenError("no checkpoint is in it: no key vouches for anything")
            return report
        if "checkpoint" in fields:
            _check(fields, tree, report, trusted, place)
            continue
        seq = report.entries + 1
        if fields.keys() != NAMES or fields["seq"] != seq or fields["shop"] != shop:
            raise BrokenError(f"{place}: entry {seq} is not there")
        if fields["prev"] != report.head.hex():
            raise BrokenError(
                f"{place}: entry {seq - 1} is not the one that entry {seq} follows"
            )
        report.entries, report.head = seq, leaf_hash(raw[:-1])
        tree.add(report.head)
        witness.see(tree, report.head)
    raise BrokenError(f"line {reading.number + 1}: the end is missing")


def _check(
    fields: dict[str, Any],
    tree: Frontier,
    report: Report,
    trusted: Mapping[str, bytes],
    place: str,
) -> None:
    """Check a checkpoint against the entries before it, and its signature."""
    try:
        checkpoint, signature = read_checkpoint(fields)
    except BrokenError as error:
        raise BrokenError(f"{place}: {error}") from None
    if (checkpoint.size, checkpoint.root, checkpoint.head) != (
        report.entries,
        tree.root(),
        report.head,
    ):
        raise BrokenError(
            f"{place}: the checkpoint of {checkpoint.day} is of other entries; one of "
            f"{report.covered + 1} to {report.entries} was changed"
        )
    public = trusted.get(signature.key_id)
    if public is None:
        raise BrokenError(f"{place}: key {signature.key_id} is not to be trusted")
    if not is_signed(checkpoint, signature, public):
        raise BrokenError(f"{place}: the signature of {checkpoint.day} is wrong")
    report.covered, report.last = checkpoint.size, checkpoint.day


class _Reading:
    """Reads lines, counts them, and takes none that is written in another way."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self.number = 0

    def first(self) -> tuple[str, dict[str, bytes]]:
        """Return the shop and the keys that the file names."""
        for fields, _raw in self.rest():
            try:
                if fields.keys() != {"scheme", "shop", "keys"}:
                    raise ValueError
                if fields["scheme"] != SCHEME:
                    raise ValueError
                publics = {
                    name: _unhex(public, PUBLIC_BYTES)
                    for name, public in fields["keys"].items()
                }
            except (AttributeError, TypeError, ValueError):
                break
            if any(name != key_id(public) for name, public in publics.items()):
                break
            return str(fields["shop"]), publics
        raise BrokenError(f"line 1: this is no ledger of the scheme {SCHEME}")

    def rest(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Yield the fields of each line, and the line."""
        for raw in self._lines:
            self.number += 1
            yield self._opened(raw), raw

    def nothing_more(self) -> None:
        """Raise `BrokenError` if there is another line."""
        for _ in self._lines:
            raise BrokenError(f"line {self.number + 1}: it goes on after its end")

    def _opened(self, raw: bytes) -> dict[str, Any]:
        place = f"line {self.number}"
        if len(raw) > LONGEST_LINE or not raw.endswith(b"\n"):
            raise BrokenError(f"{place}: it does not end")
        try:
            fields: dict[str, Any] = json.loads(raw)
            written = line(fields) if isinstance(fields, dict) else b""
        except (ValueError, RecursionError):
            raise BrokenError(f"{place}: it cannot be read") from None
        if written != raw:
            raise BrokenError(f"{place}: it is not written as it was")
        return fields


def _unhex(text: Any, length: int) -> bytes:
    if not isinstance(text, str) or not HEX.fullmatch(text):
        raise ValueError("no hex")
    found = bytes.fromhex(text)
    if len(found) != length:
        raise ValueError("another length")
    return found
