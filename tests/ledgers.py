"""A small ledger to verify, and to break."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from server.domain import ledger_file
from server.domain.ledger import NO_ENTRY, Checkpoint, Fact, Notary
from server.domain.merkle import Frontier

NOTARY = Notary([bytes(range(32))])
FIRST = datetime(2026, 3, 1, 23, 58, tzinfo=UTC)


def fact(number: int = 1, **changes: Any) -> Fact:
    """Return a fact; each is a minute after the one before."""
    usual: dict[str, Any] = {
        "shop": "demo",
        "subject": bytes([number]) * 16,
        "purpose": "newsletter",
        "channel": "email",
        "act": "given",
        "method": "button",
        "text": b"t" * 32,
        "notice": b"n" * 32,
        "form": b"f" * 32,
        "locale": "nl",
        "context": {"campaign": "lucky", "version": 1, "device": None},
        "evidence": b"e" * 32,
        "at": FIRST + timedelta(minutes=number),
    }
    return Fact(**usual | changes)


def lines(
    entries: int = 5,
    *,
    signed: tuple[int, ...] = (3, 5),
    notary: Notary = NOTARY,
    **changes: Any,
) -> list[bytes]:
    """Return an exported ledger with a checkpoint after each of these entries."""
    made = [ledger_file.first_line("demo", notary.publics)]
    tree, head = Frontier(), NO_ENTRY
    for seq in range(1, entries + 1):
        each = fact(seq, **changes)
        made.append(ledger_file.line(each.entry(seq, head)))
        head = each.hash(seq, head)
        tree.add(head)
        if seq in signed:
            day = date(2026, 3, 1) + timedelta(days=seq)
            checkpoint = Checkpoint(seq, tree.root(), head, day)
            made.append(
                ledger_file.checkpoint_line(checkpoint, notary.sign(checkpoint))
            )
    return [*made, ledger_file.last_line(entries, head)]
