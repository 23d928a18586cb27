"""What a wheel may not look like: it shows every chance as it is (L-32, PZ-06)."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from server.domain.campaign import Campaign
from server.domain.parts import Fault
from server.domain.wheel import LEAST_DEGREES, layout, within_reach

EQUAL = '`area = "equal"` makes all as wide and prints the odds beside them'


def faults(campaign: Campaign) -> Iterator[Fault]:
    """Yield what is wrong with the wheel; other games have none."""
    if campaign.mechanic != "wheel" or not campaign.prizes:
        return
    yield from _segments(campaign)
    if campaign.wheel.area == "odds":
        yield from _areas(campaign)


def _segments(campaign: Campaign) -> Iterator[Fault]:
    """The list of segments, where there is one, names each prize that can be won."""
    named = Counter(campaign.wheel.segments)
    reach = {prize.key for prize in within_reach(campaign)}
    known = {prize.key for prize in campaign.prizes}
    for number, key in enumerate(campaign.wheel.segments, 1):
        place = f"wheel.segments[{number}]"
        if key not in known:
            yield Fault(place, f"there is no prize {key!r}", "L-32")
        elif key not in reach:
            yield Fault(place, f"{key!r} can never be won, with weight 0", "L-32")
    for key in sorted(reach - named.keys()) if named else ():
        yield Fault("wheel.segments", f"{key!r} can be won and is not there", "L-32")
    if campaign.wheel.area == "odds" and any(times > 1 for times in named.values()):
        yield Fault(
            "wheel.segments", f"a prize stands here more than once; {EQUAL}", "L-32"
        )


def _areas(campaign: Campaign) -> Iterator[Fault]:
    """Every prize is wide enough to be seen, also the one that replaces others."""
    widths: dict[str, float] = defaultdict(float)
    for segment in layout(campaign):
        widths[segment.prize] += segment.width
    for number, prize in enumerate(campaign.prizes, 1):
        place = f"prizes[{number}].weight"
        if prize.key == campaign.falls_back_to and not widths[prize.key]:
            yield Fault(place, f"the fallback has no segment; {EQUAL}", "L-32")
        elif 0 < widths[prize.key] < LEAST_DEGREES:
            what = f"{prize.key!r} is {widths[prize.key]:.1f} degrees wide, too thin"
            yield Fault(place, f"{what} to see; {EQUAL}", "L-32")
