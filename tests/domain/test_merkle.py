"""Merkle trees by the figures of Certificate Transparency (RFC 6962)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import merkle
from server.domain.merkle import (
    EMPTY,
    Frontier,
    audit_paths,
    leaf_hash,
    node_hash,
)
from tests.evidence import along

# The leaves and roots with which implementations of RFC 6962 check themselves.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        *("", "00", "10", "2021", "3031", "40414243"),
        *("5051525354555657", "606162636465666768696a6b6c6d6e6f"),
    )
]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def by_definition(leaves: list[bytes]) -> bytes:
    """Return the root as section 2.1 says it: split at the largest power of two."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(by_definition(leaves[:split]), by_definition(leaves[split:]))


@pytest.mark.parametrize(("size", "root"), ROOTS.items())
def test_roots_are_those_of_the_field(size: int, root: str) -> None:
    tree = Frontier()
    for leaf in LEAVES[:size]:
        tree.add(leaf_hash(leaf))

    assert tree.root().hex() == root


def test_a_tree_of_nothing_has_a_root() -> None:
    assert Frontier().root().hex() == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


@given(st.integers(0, 70), st.integers(0, 70))
def test_a_tree_goes_on_from_its_edge(first: int, more: int) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(first + more)]
    begun = Frontier()
    for leaf in leaves[:first]:
        begun.add(leaf)

    later = Frontier(begun.size, begun.edge)
    for leaf in leaves[first:]:
        later.add(leaf)

    assert later.root() == by_definition(leaves)


def test_an_edge_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="no tree of 3 leaves"):
        Frontier(3, [merkle.EMPTY])


# --- audit paths -------------------------------------------------------------------

# Leaf (from 0), size and path, as implementations of RFC 6962 check themselves.
PATHS = {
    (0, 1): (),
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
    (1, 5): (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}


@pytest.mark.parametrize(("place", "path"), PATHS.items())
def test_paths_are_those_of_the_field(
    place: tuple[int, int], path: tuple[str, ...]
) -> None:
    number, size = place
    leaves = [leaf_hash(leaf) for leaf in LEAVES[:size]]

    found = audit_paths(leaves, [number])[number]

    assert tuple(each.hex() for each in found) == path
    assert along(leaves[number], number, size, list(found)) == by_definition(leaves)


@given(st.integers(0, 40), st.integers(1, 40), st.data())
def test_a_path_from_an_edge_leads_to_the_root(
    first: int, more: int, data: st.DataObject
) -> None:
    """Only what came after the edge is read, and every path leads to the same root."""
    leaves = [leaf_hash(bytes([number])) for number in range(first + more)]
    begun = Frontier()
    for leaf in leaves[:first]:
        begun.add(leaf)
    wanted = data.draw(st.sets(st.integers(first, first + more - 1), min_size=1))

    paths = audit_paths(leaves[first:], wanted, size=begun.size, edge=begun.edge)

    root = by_definition(leaves)
    assert paths.keys() == wanted
    for number, path in paths.items():
        assert along(leaves[number], number, len(leaves), list(path)) == root


@given(st.integers(2, 40), st.data())
def test_a_path_of_another_leaf_or_tree_leads_elsewhere(
    size: int, data: st.DataObject
) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    number = data.draw(st.integers(0, size - 1))
    path = audit_paths(leaves, [number])[number]
    root = by_definition(leaves)

    assert along(leaf_hash(b"another"), number, size, list(path)) != root
    assert along(leaves[number], number, size, [*path[:-1], root]) != root
