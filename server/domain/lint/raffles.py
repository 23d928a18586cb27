"""What a raffle may not promise, and who can take part in it."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from server.domain.campaign import Campaign, Prize
from server.domain.parts import Fault
from server.domain.raffle import LEAST_HOURS, MOST_HOURS, MOST_UNITS, Raffle


def faults(campaign: Campaign) -> Iterator[Fault]:
    """Yield what is wrong with each raffle, and with the tickets to it."""
    if campaign.raffles and not campaign.has_prizes:
        yield Fault("award", "where there is a raffle it is `raffle`", "PZ-01")
    if campaign.award == "raffle":
        if not campaign.raffles:
            yield Fault("raffles", "there is nothing to win", "L-28")
        if campaign.prizes:
            yield Fault("prizes", "with this award nothing is won at once", "L-28")
    for key, times in Counter(raffle.key for raffle in campaign.raffles).items():
        if times > 1:
            yield Fault("raffles", f"{key!r} stands here {times} times", "unique")
    for number, raffle in enumerate(campaign.raffles, 1):
        place = f"raffles[{number}]"
        for name, what in (*_moments(campaign, raffle), *_prizes(raffle)):
            yield Fault(f"{place}.{name}", what, "PZ-01")
        yield from _texts(campaign, raffle, place)
    yield from _overlaps(campaign)
    yield from _tickets(campaign)


def advice(campaign: Campaign) -> Iterator[Fault]:
    """Without a public number, entries could be added by who knows the secret (022)."""
    for number, raffle in enumerate(campaign.raffles, 1):
        if not raffle.randomness:
            yield Fault(
                f"raffles[{number}].randomness",
                "without a public number whoever holds the keys could add entries "
                "until the list is closed: name one where a prize is worth it",
                "PZ-01",
                refuses=False,
            )


def _moments(campaign: Campaign, raffle: Raffle) -> Iterator[tuple[str, str]]:
    if (raffle.draws is None) == (raffle.draws_after_hours is None):
        yield "draws", "give either `draws` or `draws_after_hours`, one of the two"
    elif raffle.draws and campaign.ends is None:
        yield "draws", "without an end that is fixed, give `draws_after_hours`"
    elif raffle.draws and campaign.ends:
        if raffle.draws < campaign.ends:
            yield "draws", "it draws before the campaign ends"
        elif raffle.draws < campaign.ends + timedelta(hours=LEAST_HOURS):
            what = f"it draws {LEAST_HOURS} hours after the end or later"
            yield "draws", f"{what}: the last ones still say who they are"
        elif raffle.draws > campaign.ends + timedelta(hours=MOST_HOURS):
            yield "draws", f"it draws {MOST_HOURS:,} hours after the end or sooner"


def _prizes(raffle: Raffle) -> Iterator[tuple[str, str]]:
    for key, times in Counter(prize.key for prize in raffle.prizes).items():
        if times > 1:
            yield "prizes", f"{key!r} stands here {times} times"
    if len(raffle.units) > MOST_UNITS:
        yield "prizes", f"one raffle has {MOST_UNITS:,} things to win at most"


def _texts(campaign: Campaign, raffle: Raffle, place: str) -> Iterator[Fault]:
    needed: list[tuple[str, Any]] = [
        (f"{place}.prizes[{number}].texts", prize.texts)
        for number, prize in enumerate(raffle.prizes, 1)
    ]
    if raffle.randomness:
        needed.append((f"{place}.randomness", raffle.randomness))
    for name, texts in needed:
        for locale in campaign.languages:
            if locale not in texts:
                yield Fault(f"{name}.{locale}", "this language has no text", "L-14")


def _overlaps(campaign: Campaign) -> Iterator[Fault]:
    """Two raffles of the same entries at one moment are one with more prizes."""
    seen: dict[tuple[Any, ...], str] = {}
    for number, raffle in enumerate(campaign.raffles, 1):
        when: Any = (raffle.draws, raffle.draws_after_hours)
        if campaign.ends:
            when = raffle.draws_at(campaign.ends)
        what = (campaign.tickets_to(raffle.key), when)
        if (other := seen.setdefault(what, raffle.key)) != raffle.key:
            yield Fault(
                f"raffles[{number}]",
                f"it overlaps with {other!r}: same entries, same moment; make it one",
                "PZ-01",
            )


def _tickets(campaign: Campaign) -> Iterator[Fault]:
    known = {raffle.key for raffle in campaign.raffles}
    for number, prize in enumerate(campaign.prizes, 1):
        for name, what in _ticket(prize, known):
            yield Fault(f"prizes[{number}].{name}", what, "PZ-01")


def _ticket(prize: Prize, known: set[str]) -> Iterator[tuple[str, str]]:
    if prize.kind != "ticket":
        if prize.raffle is not None:
            yield "raffle", "only a ticket is for a raffle"
        return
    if prize.raffle not in known:
        yield "raffle", f"there is no raffle {prize.raffle!r}"
    limits = (prize.stock, prize.code, prize.valid_days)
    if any(limit is not None for limit in limits) or prize.pool or prize.returns:
        yield "kind", "a ticket never runs out and has no code"
