"""What can never open, or opens for some people only (CR-12, AX-01)."""

import re
from collections.abc import Callable, Iterable, Iterator

from server.domain.campaign import Campaign
from server.domain.parts import Fault
from server.domain.placement import Pattern, Placement, Trigger
from server.domain.rule import expression

# A letter that no pattern has: only a star of the other pattern lets it through.
ANY = "\x00"
REACHABLE = {"inline", "tab", "bar", "page"}


def faults(campaign: Campaign) -> Iterator[Fault]:
    """Yield what keeps each placement from opening, by its place in the file."""
    for number, placement in enumerate(campaign.placements, 1):
        for rule in RULES:
            for part, message in rule(placement):
                yield Fault(f"placements[{number}].{part}", message)


def advice(campaign: Campaign) -> Iterator[Fault]:
    """A pointer that leaves is not for everybody: the same offer is also a button."""
    if any(placement.shape in REACHABLE for placement in campaign.placements):
        return
    for number, placement in enumerate(campaign.placements, 1):
        if _is_by_leaving_only(placement.trigger):
            yield Fault(
                f"placements[{number}].trigger",
                "who uses a keyboard never gets this: add a selector, or a placement "
                "that is inline or a tab",
                "AX-01",
                refuses=False,
            )


def _is_by_leaving_only(trigger: Trigger) -> bool:
    rest = trigger.model_copy(update={"exit_intent": False})
    return trigger.exit_intent and rest == Trigger(exit_touch=trigger.exit_touch)


def _channel(placement: Placement) -> Iterator[tuple[str, str]]:
    if placement.channel != "web" and placement.shape != "page":
        yield "shape", f"on the channel {placement.channel}: page"
    if placement.channel == "web" and placement.shape == "page":
        yield "channel", "a page of its own is the channel link"


def _trigger(placement: Placement) -> Iterator[tuple[str, str]]:
    trigger = placement.trigger
    if placement.shape in {"inline", "page"} and trigger != Trigger():
        yield "trigger", f"{placement.shape} opens by no trigger"
    if trigger.match == "all" and len(placement.momentary) > 1:
        both = " and ".join(placement.momentary)
        yield "trigger", f"{both} never happen at one moment"
    if trigger.exit_touch != Trigger().exit_touch and not trigger.exit_intent:
        yield "trigger.exit_touch", "says how exit_intent is on touch, which is not set"
    basket = trigger.basket
    most = None if basket is None else basket.most_cents
    if basket and most is not None and most < basket.least_cents:
        yield "trigger.basket", "holds at least more than it may hold at most"


def _where(placement: Placement) -> Iterator[tuple[str, str]]:
    where = placement.where
    for page in where.include:
        if _holds(where.exclude, page):
            yield "where", f"{page!r} is let in and kept out"


def _holds(patterns: tuple[Pattern, ...], page: Pattern) -> bool:
    """Return whether each address of one pattern is also one of the others'."""
    wanted = expression(patterns)
    return bool(wanted and re.search(wanted, page.replace("*", ANY), re.I))


RULES: tuple[Callable[[Placement], Iterable[tuple[str, str]]], ...] = (
    _channel,
    _trigger,
    _where,
)
