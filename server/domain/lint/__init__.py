"""What a campaign may not be, beyond the form of its file (REQUIREMENTS section 13).

Each rule looks at the whole campaign and yields faults; only those that refuse stop
an import, the others are shown as advice.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from server.domain.campaign import LONGEST_DAYS, NOTHING, Campaign, Prize
from server.domain.entry import CHOICE, ORDER, ORDER_AMOUNT, TRAP
from server.domain.lint import form, opening, prizes, quiz, raffles, sharing, wheel
from server.domain.parts import Fault

MOST_WORDS = 90
ADULT = 18
MOST_POOL_CENTS = 100_000_00
PLACEHOLDER = re.compile(r"\{|\}|\[|\]|\blorem\b|\btodo\b|\bxxx", re.I)
UNNAMED_RECIPIENTS = re.compile(
    r"\bpartners?\b|\bthird part(?:y|ies)\b|\bderden\b", re.I
)
SHAMING = re.compile(
    r"nee,? ik (?:hou|heb) niet|no,? i (?:don't|do not) (?:like|want)"
    r"|miss? (?:dit|out)",
    re.I,
)
# Words for one thing; a text that uses two of them asks for two things (L-13).
SAME_THING = re.compile(
    r"\b(nieuwsbrief|newsletter|mailing|nieuwsmail|informatie|information)\b", re.I
)

Rule = Callable[[Campaign], Iterable[Fault]]


def judge(campaign: Campaign) -> list[Fault]:
    """Return every fault of a campaign, refusals first."""
    faults = [fault for rule in RULES for fault in rule(campaign)]
    return sorted(faults, key=lambda fault: not fault.refuses)


def _duration(campaign: Campaign) -> Iterator[Fault]:
    if (campaign.ends is None) == (campaign.days is None):
        yield Fault("ends", "give either `ends` or `days`, one of the two", "L-28")
    elif campaign.ends and campaign.starts:
        if campaign.ends <= campaign.starts:
            yield Fault("ends", "the campaign ends before it starts", "L-28")
        elif (campaign.ends - campaign.starts).days > LONGEST_DAYS:
            yield Fault("ends", "a campaign lasts a year at most", "L-28")


def not_too_late(campaign: Campaign, now: datetime) -> Iterator[Fault]:
    """Yield why a campaign cannot be published at this moment.

    One without `starts` opens then, so its length is not known before.
    """
    opens, closes = campaign.window(now)
    if closes <= now:
        yield Fault("ends", "the campaign is over already", "L-28")
    elif campaign.starts is None and (closes - opens).days > LONGEST_DAYS:
        yield Fault("ends", "a campaign lasts a year at most", "L-28")


def _unique_keys(campaign: Campaign) -> Iterator[Fault]:
    groups: dict[str, list[str]] = {
        "fields": [f.key for f in campaign.fields],
        "purposes": [p.key for p in campaign.purposes],
        "prizes": [p.key for p in campaign.prizes],
        "placements": [p.code for p in campaign.placements],
        "languages": list(campaign.languages),
        **_wishes(campaign),
    }
    for place, names in groups.items():
        for name, times in Counter(names).items():
            if times > 1:
                yield Fault(place, f"{name!r} stands here {times} times", "unique")


def _wishes(campaign: Campaign) -> dict[str, list[str]]:
    """Return the keys of what can be chosen within each yes."""
    return {
        f"purposes[{number}].{name}": [wish.key for wish in getattr(purpose, name)]
        for number, purpose in enumerate(campaign.purposes, 1)
        for name in ("topics", "rhythms")
    }


RESERVED = frozenset(
    {
        *("email", "ticket", "seed", "terms", "adult", "csrf_token", TRAP),
        *(ORDER, ORDER_AMOUNT, CHOICE),
    }
)


def _field_names(campaign: Campaign) -> Iterator[Fault]:
    for number, asked in enumerate(campaign.fields, 1):
        place = f"fields[{number}]"
        if asked.key in RESERVED:
            yield Fault(f"{place}.key", f"{asked.key!r} is a name of ours", "unique")
        if asked.required:
            yield Fault(
                f"{place}.required",
                "only the mail address should be obligatory",
                "L-17",
                refuses=False,
            )


# The ways to a prize that each game knows.
AWARDS = {
    "scratch": ("instant-win", "everybody-wins", "same-gift"),
    "wheel": ("instant-win", "everybody-wins", "same-gift"),
    "form": ("nothing", "instant-win", "everybody-wins", "same-gift", "raffle"),
    "quiz": ("nothing", "outcome", "same-gift"),
}


def _award(campaign: Campaign) -> Iterator[Fault]:
    known = AWARDS[campaign.mechanic]
    if campaign.award not in known:
        names = ", ".join(known)
        yield Fault("award", f"a {campaign.mechanic} can have: {names}", "PZ-01")
    if campaign.gives_at_once and not campaign.prizes:
        yield Fault("prizes", "there is nothing to win", "L-28")
    if campaign.has_prizes and campaign.minimum_age != ADULT:
        yield Fault("minimum_age", f"where there are prizes it is {ADULT}", "L-31")
    if campaign.award == "nothing" and campaign.prizes:
        yield Fault("prizes", "with this award there are no prizes", "L-28")
    sure = campaign.award in {"everybody-wins", "same-gift"}
    if sure and any(prize.kind == "none" for prize in campaign.prizes):
        yield Fault("prizes", "with this award nobody can go without a prize", "L-32")
    gifts = campaign.award == "same-gift" and len(campaign.prizes) > 1
    if gifts or (campaign.award == "same-gift" and _is_limited(campaign.prizes)):
        yield Fault("prizes", "the same gift for all is one, without stock", "L-28")


def _is_limited(prizes: Iterable[Prize]) -> bool:
    return any(prize.stock is not None for prize in prizes)


def _draw(campaign: Campaign) -> Iterator[Fault]:
    if not campaign.prizes:
        return
    by_chance = campaign.award != "outcome"
    if by_chance and sum(prize.weight for prize in campaign.prizes) == 0:
        yield Fault("prizes", "the weights add up to nothing", "L-28")
    known = campaign.prizes if by_chance else (*campaign.prizes, NOTHING)
    fallback = [p for p in known if p.key == campaign.falls_back_to]
    if not fallback:
        yield Fault("fallback", f"there is no prize {campaign.fallback!r}", "L-28")
    elif fallback[0].stock is not None:
        yield Fault("fallback", "the fallback must be a prize without stock", "L-28")
    for number, prize in enumerate(campaign.prizes, 1):
        if prize.kind == "none" and (prize.stock is not None or prize.code):
            yield Fault(
                f"prizes[{number}]", "no prize has no stock and no code", "L-28"
            )
        if prize.stock == 0 and not prize.pool:
            yield Fault(
                f"prizes[{number}].stock",
                "nobody can win what is not there: leave it out",
                "PZ-04",
                refuses=False,
            )


def _worth(campaign: Campaign) -> Iterator[Fault]:
    # Of what never runs out one is given at least.
    units = [(1 if p.stock is None else p.stock, p) for p in campaign.prizes]
    pool = sum(number * prize.value_cents for number, prize in units)
    pool += campaign.raffled_cents
    if pool > MOST_POOL_CENTS:
        yield Fault("prizes", "the prizes are worth more than EUR 100,000", "L-24")


def _turns(campaign: Campaign) -> Iterator[Fault]:
    """Who is known after the play alone can play several and claim the best."""
    has_codes = all(placement.channel == "box" for placement in campaign.placements)
    is_best_of = campaign.is_drawn and campaign.award != "same-gift"
    if campaign.flow != "play-first" or has_codes or not is_best_of:
        return
    dearest = max((prize.value_cents for prize in campaign.prizes), default=0)
    worth = f", worth EUR {dearest / 100:,.2f}" if dearest else ""
    for name in ("entries_per_address", "entries_per_day"):
        if getattr(campaign, name) is not None:
            yield Fault(
                name,
                f"somebody can play several times and claim the best one{worth}: "
                'choose flow = "form-first", or a code in each box',
                "PZ-10",
                refuses=False,
            )


def _languages(campaign: Campaign) -> Iterator[Fault]:
    """A language is whole or absent, but for a purpose, which is then not asked."""
    for locale in campaign.languages:
        for place, texts in _needed_texts(campaign):
            if locale not in texts:
                yield Fault(f"{place}.{locale}", "this language has no text", "L-14")
        for number, purpose in enumerate(campaign.purposes, 1):
            if locale not in purpose.texts:
                yield Fault(
                    f"purposes[{number}].texts.{locale}",
                    "without a text this consent is not asked in this language",
                    "L-14",
                    refuses=False,
                )


def _needed_texts(campaign: Campaign) -> Iterator[tuple[str, Iterable[str]]]:
    yield "name", campaign.name
    yield "texts", campaign.texts
    yield "notice", campaign.notice
    if campaign.has_prizes:
        yield "terms", [locale for locale, text in campaign.terms.items() if text]
    for number, prize in enumerate(campaign.prizes, 1):
        yield f"prizes[{number}].texts", prize.texts
    for number, asked in enumerate(campaign.fields, 1):
        yield f"fields[{number}].label", asked.label
        yield f"fields[{number}].why", asked.why


def _wish_labels(campaign: Campaign) -> Iterator[Fault]:
    """What can be chosen within a yes has a name in each language of that yes."""
    for number, purpose in enumerate(campaign.purposes, 1):
        for name in ("topics", "rhythms"):
            for place, wish in enumerate(getattr(purpose, name), 1):
                for locale in purpose.texts.keys() - wish.label.keys():
                    yield Fault(
                        f"purposes[{number}].{name}[{place}].label.{locale}",
                        "this language has no text",
                        "L-14",
                    )


def _words(campaign: Campaign) -> Iterator[Fault]:
    """Each game says what it needs to say, in every language it speaks."""
    needed = {
        "foil": campaign.mechanic == "scratch",
        "won": campaign.gives_at_once,
        "lost": any(prize.kind == "none" for prize in campaign.prizes),
        "done": not campaign.gives_at_once and campaign.mechanic == "form",
    }
    for locale, words in campaign.texts.items():
        for name, is_needed in needed.items():
            if is_needed and getattr(words, name) is None:
                yield Fault(f"texts.{locale}.{name}", "this game says it", "L-14")


def _placement_languages(campaign: Campaign) -> Iterator[Fault]:
    for number, placement in enumerate(campaign.placements, 1):
        if placement.language and placement.language not in campaign.languages:
            yield Fault(
                f"placements[{number}].language", "the campaign has no such language"
            )


def _consent_texts(campaign: Campaign) -> Iterator[Fault]:
    for number, purpose in enumerate(campaign.purposes, 1):
        for locale, text in purpose.texts.items():
            whole = " ".join(text.model_dump(exclude_none=True).values())
            place = f"purposes[{number}].texts.{locale}"
            yield from _wording_faults(place, whole)


def _recipients(campaign: Campaign) -> Iterator[Fault]:
    """Each other company by one name, with what it sells, and only a few (CR-05)."""
    known: set[str | None] = set()
    for number, purpose in enumerate(campaign.purposes, 1):
        place = f"purposes[{number}].texts"
        for locale, text in purpose.texts.items():
            if (text.recipient is None) is not (text.products is None):
                said = "name the recipient and its products, or neither"
                yield Fault(f"{place}.{locale}", said, "L-05")
        names = {text.recipient for text in purpose.texts.values()}
        if len(names) > 1:
            yield Fault(place, "one recipient has one name in every language", "L-05")
        known |= names - {None}
        if len(known) > campaign.most_recipients:
            said = f"most_recipients allows {campaign.most_recipients} in all"
            yield Fault(place, said, "L-05")


def _wording_faults(place: str, whole: str) -> Iterator[Fault]:
    if PLACEHOLDER.search(whole):
        yield Fault(place, "a placeholder was left in this text", "L-11")
    if found := UNNAMED_RECIPIENTS.search(whole):
        yield Fault(place, f"name who {found[0]!r} are", "L-05")
    if len(whole.split()) > MOST_WORDS:
        yield Fault(place, f"longer than {MOST_WORDS} words", "L-12", refuses=False)
    if SHAMING.search(whole):
        yield Fault(place, "this puts pressure on who says no", "L-12", refuses=False)
    if len({word.lower() for word in SAME_THING.findall(whole)}) > 1:
        yield Fault(place, "two words for the same thing", "L-13", refuses=False)


RULES: tuple[Rule, ...] = (
    _duration,
    _unique_keys,
    _field_names,
    _award,
    _draw,
    _worth,
    _turns,
    prizes.faults,
    raffles.faults,
    raffles.advice,
    _words,
    _languages,
    _wish_labels,
    _placement_languages,
    opening.faults,
    opening.advice,
    _consent_texts,
    _recipients,
    sharing.faults,
    sharing.advice,
    wheel.faults,
    quiz.faults,
    *form.RULES,
)
