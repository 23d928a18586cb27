"""Where facts stand in the ledger, and the path that leads to a signed root (PR-05)."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from server.domain.ledger import NO_ENTRY
from server.domain.merkle import audit_paths
from server.domain.proof import Place, Signed
from server.models.base import table
from server.models.consent import ConsentEvent
from server.services import ledger

_event = table(ConsentEvent)


def of_events(
    session: Session, shop_id: int, shop: str, events: Iterable[ConsentEvent]
) -> dict[int, Place]:
    """Return the place of each fact that is sealed, by the row of the fact.

    Each gets the first checkpoint after it, which was signed when its day was over.
    """
    sealed = [event for event in events if event.seq is not None]
    before = _hashes(session, shop_id, {_seq(event) - 1 for event in sealed})
    vouching = _vouching(session, shop_id, [_seq(event) for event in sealed])
    places = {}
    for event in sealed:
        seq, kept = _seq(event), event.entry_hash or b""
        prev = before.get(seq - 1, NO_ENTRY)
        fact = ledger.fact_of(event, event.question, shop)
        signed, path = vouching.get(seq, (None, ()))
        places[event.id] = Place(
            seq=seq,
            entry_hash=kept,
            prev_hash=prev,
            entry=fact.entry(seq, prev),
            is_whole=fact.hash(seq, prev) == kept,
            signed=signed,
            path=path,
        )
    return places


def _seq(event: ConsentEvent) -> int:
    return event.seq or 0


def _hashes(session: Session, shop_id: int, seqs: Iterable[int]) -> dict[int, bytes]:
    rows = session.connection().execute(
        _NUMBERED, {"shop": shop_id, "numbers": sorted(seqs)}
    )
    return {row.seq: row.entry_hash for row in rows}


def _vouching(
    session: Session, shop_id: int, seqs: list[int]
) -> dict[int, tuple[Signed, tuple[bytes, ...]]]:
    """Return for each number its checkpoint and the path to the root of it.

    A tree is built up from the edge of the checkpoint before, so that only the entries
    of the days between are read.
    """
    if not seqs:
        return {}
    checkpoints = ledger.checkpoints(session, shop_id)
    sizes = [each.checkpoint.size for each in checkpoints]
    covered: dict[int, list[int]] = {}
    for seq in seqs:
        if (number := bisect_left(sizes, seq)) < len(sizes):
            covered.setdefault(number, []).append(seq)
    found: dict[int, tuple[Signed, tuple[bytes, ...]]] = {}
    for number, inside in covered.items():
        size, edge = (
            (sizes[number - 1], checkpoints[number - 1].edge) if number else (0, ())
        )
        leaves = session.connection().scalars(
            _LEAVES, {"shop": shop_id, "after": size, "last": sizes[number]}
        )
        paths = audit_paths(leaves, [seq - 1 for seq in inside], size=size, edge=edge)
        signed = Signed(checkpoints[number].checkpoint, checkpoints[number].signature)
        found |= {seq: (signed, paths[seq - 1]) for seq in inside}
    return found


_OF_SHOP = _event.c.shop_id == bindparam("shop")
_NUMBERED: Any = select(_event.c.seq, _event.c.entry_hash).where(
    _OF_SHOP, _event.c.seq.in_(bindparam("numbers", expanding=True))
)
_LEAVES: Any = (
    select(_event.c.entry_hash)
    .where(
        _OF_SHOP,
        _event.c.seq > bindparam("after"),
        _event.c.seq <= bindparam("last"),
    )
    .order_by(_event.c.seq)
)
