"""Merkle trees over a log that only grows (RFC 6962 section 2.1), with SHA-256.

A tree of a size has one root. What is kept of it to go on is its edge: the root of each
whole subtree, widest first, of which a tree of any size has at most one of each width.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence

HASH_BYTES = 32
EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one entry."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees; its first byte tells it from a leaf."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a tree, which takes one leaf after the other."""

    def __init__(self, size: int = 0, edge: Iterable[bytes] = ()) -> None:
        """Go on where a tree stood. Raises ValueError for an edge of another size."""
        self.size = size
        self.edge = list(edge)
        if len(self.edge) != size.bit_count():
            raise ValueError(f"{len(self.edge)} subtrees are no tree of {size} leaves")

    def add(self, leaf: bytes) -> None:
        """Add the hash of the next entry."""
        # Each one that carries over is a subtree that becomes part of a wider one.
        carry = self.size
        while carry & 1:
            leaf = node_hash(self.edge.pop(), leaf)
            carry >>= 1
        self.edge.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of the tree as it stands."""
        if not self.edge:
            return EMPTY
        root = self.edge[-1]
        for wider in reversed(self.edge[:-1]):
            root = node_hash(wider, root)
        return root


def audit_paths(
    leaves: Iterable[bytes],
    wanted: Collection[int],
    *,
    size: int = 0,
    edge: Sequence[bytes] = (),
) -> dict[int, tuple[bytes, ...]]:
    """Return the audit path of each wanted leaf, nearest first (section 2.1.1).

    `leaves` are those that come after a tree of a size with that edge, and `wanted`
    counts from its first leaf. So nothing before the edge has to be read again.
    """
    paths: dict[int, list[bytes]] = {number: [] for number in wanted}
    # Subtrees, widest first: how wide, its root, and which wanted leaves are in it.
    widths = [1 << bit for bit in reversed(range(size.bit_length())) if size >> bit & 1]
    trees = [
        (width, root, frozenset[int]())
        for width, root in zip(widths, edge, strict=True)
    ]
    for number, leaf in enumerate(leaves, size):
        trees.append((1, leaf, frozenset({number} & paths.keys())))
        while len(trees) > 1 and trees[-2][0] == trees[-1][0]:
            _join(trees, paths)
    while len(trees) > 1:
        _join(trees, paths)
    return {number: tuple(path) for number, path in paths.items()}


def _join(
    trees: list[tuple[int, bytes, frozenset[int]]], paths: dict[int, list[bytes]]
) -> None:
    """Put the last two subtrees together; each is the neighbour of the other's."""
    width, right, on_right = trees.pop()
    more, left, on_left = trees.pop()
    for number in on_left:
        paths[number].append(right)
    for number in on_right:
        paths[number].append(left)
    trees.append((width + more, node_hash(left, right), on_left | on_right))
