"""What consents about advertising platforms must say (AD-01, AD-03, L-21)."""

import re
from collections.abc import Iterator

from server.domain.audience import USES, Platform, names_phone
from server.domain.campaign import Campaign, Purpose
from server.domain.parts import Fault

NAMES: dict[Platform, re.Pattern[str]] = {
    "google": re.compile(r"\bgoogle\b", re.I),
    "meta": re.compile(r"\b(?:meta|facebook|instagram)\b", re.I),
}
# What the privacy notice calls two who decide together (GDPR 26).
JOINT = re.compile(
    r"gezamenlijk\w*\s+(?:verwerkings)?verantwoordelijk|samen\s+verantwoordelijk"
    r"|joint(?:ly)?[\s-]+(?:data[\s-]+)?(?:controller|responsible)",
    re.I,
)


def faults(campaign: Campaign) -> Iterator[Fault]:
    """Refuse a sharing that is told by half, or twice."""
    seen: set[tuple[str, str]] = set()
    for number, purpose in enumerate(campaign.purposes, 1):
        place = f"purposes[{number}]"
        if (purpose.shares_with is None) is not (purpose.use is None):
            yield Fault(place, "give `shares_with` and `use`, or neither", "L-21")
        yield from _shares(purpose, place)
        if purpose.shares_with is None or purpose.use is None:
            continue
        what = (purpose.shares_with, purpose.use)
        if what in seen:
            said = f"another consent has use {what[1]!r} at {what[0]!r} already"
            yield Fault(place, said, "AD-01")
        seen.add(what)


def _shares(purpose: Purpose, place: str) -> Iterator[Fault]:
    """Refuse what no file could hold, and a number that no text asks for (AD-03)."""
    if sorted(purpose.shares) == ["email"]:
        return
    if sorted(purpose.shares) != ["email", "phone"]:
        said = 'say ["email"], or ["email", "phone"]: the address is always in it'
        yield Fault(f"{place}.shares", said, "AD-03")
    if purpose.use != "upload":
        said = "what is handed over is said where `use` is 'upload'"
        yield Fault(f"{place}.shares", said, "AD-03")
    for locale, text in purpose.texts.items():
        if not names_phone(text.ask):
            said = "say in it that the phone number is handed over as well"
            yield Fault(f"{place}.texts.{locale}.ask", said, "AD-03")


def advice(campaign: Campaign) -> Iterator[Fault]:
    """Advise both texts of a platform, its name in each, and who else decides."""
    for platform, name in NAMES.items():
        shared = [p for p in campaign.purposes if p.shares_with == platform]
        if not shared:
            continue
        yield from _both(campaign, platform, shared)
        for purpose in shared:
            yield from _named(campaign, purpose, name)
        yield from _joint(campaign, platform, name)


def _both(
    campaign: Campaign, platform: Platform, shared: list[Purpose]
) -> Iterator[Fault]:
    for locale in campaign.languages:
        told = {p.use for p in shared if locale in p.texts}
        if missing := [use for use in USES if use not in told]:
            said = f"{platform}: there is no consent with use {missing[0]!r}"
            yield Fault("purposes", f"{said} in {locale!r}", "L-21", refuses=False)


def _named(
    campaign: Campaign, purpose: Purpose, name: re.Pattern[str]
) -> Iterator[Fault]:
    number = campaign.purposes.index(purpose) + 1
    for locale, text in purpose.texts.items():
        if not name.search(f"{text.ask} {text.recipient or ''}"):
            said = f"the text does not name {purpose.shares_with!r}"
            place = f"purposes[{number}].texts.{locale}"
            yield Fault(place, said, "L-21", refuses=False)


def _joint(
    campaign: Campaign, platform: Platform, name: re.Pattern[str]
) -> Iterator[Fault]:
    for locale, notice in campaign.notice.items():
        whole = f"{notice.recipients} {notice.transfers} {notice.profiling}"
        if not (name.search(whole) and JOINT.search(whole)):
            said = f"say that {platform!r} and the shop are joint controllers (GDPR 26)"
            yield Fault(f"notice.{locale}", said, "L-21", refuses=False)
