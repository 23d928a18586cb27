"""What winners of a choice may pick at worst: the dearest that is left, then the next.

What somebody will like best is not known before a campaign; what it can cost is. So a
forecast lets each winner take the dearest option that is still there, which no run can
exceed. Choices that share an option of which there are only so many are counted as one,
whose winners could pick from all that these offer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from server.domain.chance import Slot


@dataclass(frozen=True, slots=True)
class Group:
    """Choices that are counted as one, and what their winners take, dearest first.

    `levels[n]` stands for the first n + 1 of `options` together: their stock and their
    plan, under the key of the last of them. After those, everybody takes the `last`
    option, which never runs out.
    """

    slot: Slot
    choices: frozenset[str]
    options: tuple[str, ...]
    levels: tuple[Slot, ...]
    last: str


def groups(
    slots: Sequence[Slot],
    choices: Mapping[str, Sequence[str]],
    values: Mapping[str, int],
) -> list[Group]:
    """Return the choices of a table; `values` are in cents."""
    by_key = {slot.id: slot for slot in slots}
    found = []
    for keys in _together(by_key, choices):
        offered = {option for key in keys for option in choices[key]}
        order = sorted(
            (slot for slot in slots if slot.id in offered),
            key=lambda slot: (-values.get(slot.id, 0), slot.stock is None),
        )
        ends = next(at for at, slot in enumerate(order) if slot.stock is None)
        weight = sum(by_key[key].weight for key in keys)
        limited = order[:ends]
        levels = [_level(limited[:many]) for many in range(1, ends + 1)]
        plan = levels[-1].release if levels else None
        found.append(
            Group(
                slot=Slot("|".join(sorted(keys)), weight, None, plan),
                choices=keys,
                options=tuple(slot.id for slot in limited),
                levels=tuple(levels),
                last=order[ends].id,
            )
        )
    return found


def _together(
    slots: Mapping[str, Slot], choices: Mapping[str, Sequence[str]]
) -> list[frozenset[str]]:
    """Return the choices, those together that share what can run out."""
    found: list[tuple[set[str], set[str]]] = []
    for key, options in choices.items():
        keys = {key}
        limited = {one for one in options if slots[one].stock is not None}
        for other in [each for each in found if each[1] & limited]:
            found.remove(other)
            keys |= other[0]
            limited |= other[1]
        found.append((keys, limited))
    return [frozenset(keys) for keys, _ in found]


def _level(slots: Sequence[Slot]) -> Slot:
    """Return several options as one: a winner finds some as long as any is left."""
    plans = [len(slot.release) for slot in slots if slot.release is not None]
    release = tuple(
        sum(slot.released(epoch) for slot in slots)
        for epoch in range(1, max(plans, default=0) + 1)
    )
    stock = sum(slot.stock or 0 for slot in slots)
    return Slot(slots[-1].id, 0, stock, release or None)


def shared_out(
    group: Group, winners: float, taken: Sequence[float]
) -> Iterator[tuple[str, float]]:
    """Yield how many take each option; `taken` says how many take one of each level."""
    before = 0.0
    for option, together in zip(group.options, taken, strict=True):
        yield option, together - before
        before = together
    yield group.last, winners - before
