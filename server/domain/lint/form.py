"""What the questions of a form, its steps and its waiting list may not be."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from server.domain.campaign import Campaign
from server.domain.fields import CHOOSING, GREETED_BY, FormField
from server.domain.parts import Fault

LEAST_OPTIONS = 2
# Of whom these are known, more is known than a shop needs (GDPR 5(1)(c)).
SENSITIVE = frozenset({"birthday", "phone", "postcode"})
GENDER = re.compile(r"\bgender\b|\bgeslacht\b|\bsex\b|\bman of vrouw\b", re.I)
# What GDPR article 9 protects, in the words a shop might ask it with. Parts of words
# where the whole word would miss its forms.
SPECIAL = re.compile(
    r"\bgezondheid|\bziekte|\bziek\b|\bmedi(?:sch|cijn|cati|cal|cin)|\bdiagnos|\ballerg"
    r"|\bzwanger|\bhandicap|\bbeperking\b|\bdepress|\bbmi\b|\bhealth\b|\bdisease"
    r"|\billness|\bpregnan|\bdisab|\bsymptom|\breligi|\bgeloof\b|\bgeloofs|\bkerk\b"
    r"|\bmoslim|\bchristen|\bchristelijk|\bjoods|\bhindoe|\bmuslim|\bchristian\b"
    r"|\bjewish\b|\bchurch\b|\bfaith\b|\bpoliti(?:ek|c)|\bstem je op\b|\bvakbond"
    r"|\btrade union|\bseksue|\bgeaardheid|\bsexual|\bhomo\b|\blesb|\betni|\bethnic"
    r"|\bafkomst\b|\bhuidskleur|\bskin colou?r|\bras\b|\bracial|\bgeneti|\bdna\b"
    r"|\bbiometr|\bstrafblad|\bcriminal",
    re.I,
)


def _flow(campaign: Campaign) -> Iterator[Fault]:
    if campaign.mechanic != "form":
        return
    if campaign.flow != "form-first":
        yield Fault("flow", "a form has nothing to play first: form-first", "form")
    if campaign.form.needs_yes and not campaign.has_prizes:
        for locale in campaign.languages:
            if not campaign.asked_in(locale):
                yield Fault(
                    f"purposes.{locale}",
                    "the form needs a yes and asks for none in this language; "
                    "add one, or set form.needs_yes = false",
                    "L-14",
                )
    if campaign.form.layout == "compact" and (campaign.steps or campaign.has_prizes):
        yield Fault("form.layout", "one line holds neither steps nor a game", "form")


def _choosing(campaign: Campaign) -> Iterator[Fault]:
    for place, asked in _numbered(campaign):
        if asked.kind not in CHOOSING:
            if asked.options:
                yield Fault(f"{place}.options", f"a {asked.kind} has none", "form")
            continue
        if len(asked.options) < LEAST_OPTIONS:
            yield Fault(f"{place}.options", "give at least two to choose from", "form")
        for key, times in Counter(option.key for option in asked.options).items():
            if times > 1:
                yield Fault(
                    f"{place}.options", f"{key!r} stands here {times} times", "unique"
                )
        for number, option in enumerate(asked.options, 1):
            for locale in campaign.languages:
                if locale not in option.label:
                    where = f"{place}.options[{number}].label.{locale}"
                    yield Fault(where, "this language has no text", "L-14")


def _purposes(campaign: Campaign) -> Iterator[Fault]:
    known = {purpose.key for purpose in campaign.purposes}
    for place, asked in _numbered(campaign):
        if asked.purpose is not None and asked.purpose not in known:
            what = f"there is no purpose {asked.purpose!r}"
            yield Fault(f"{place}.purpose", what, "L-17")
        if asked.purpose is None and _is_sensitive(asked):
            yield Fault(
                f"{place}.purpose",
                "say with a purpose what you need this for, or do not ask it",
                "L-17",
                refuses=False,
            )
        if asked.key == GREETED_BY and asked.kind != "name":
            what = "mails greet people by this one: it is a name"
            yield Fault(f"{place}.kind", what, "AB-06")


def _is_sensitive(asked: FormField) -> bool:
    words = " ".join(asked.label.values())
    return asked.kind in SENSITIVE or bool(GENDER.search(words))


def _special(campaign: Campaign) -> Iterator[Fault]:
    """Such answers need more than our consents can give (GDPR 9)."""
    for place, asked in _numbered(campaign):
        options = [option.label for option in asked.options]
        words = [*asked.label.values(), *asked.why.values()]
        words += [line for label in options for line in label.values()]
        if found := special_word(words):
            yield Fault(place, f"{found!r} may not be asked here", "L-18")


def special_word(texts: Iterable[str]) -> str | None:
    """Return the first word that asks for a special category of data (L-18)."""
    found = (SPECIAL.search(text) for text in texts)
    return next((match[0].lower() for match in found if match), None)


def _steps(campaign: Campaign) -> Iterator[Fault]:
    if campaign.steps and campaign.mechanic != "form":
        yield Fault("steps", "only a form is filled in step by step", "form")
    known = [step.key for step in campaign.steps]
    used = {asked.step for asked in campaign.fields}
    for number, step in enumerate(campaign.steps, 1):
        place = f"steps[{number}]"
        if known.count(step.key) > 1:
            yield Fault(f"{place}.key", f"{step.key!r} stands here twice", "unique")
        if step.key not in used:
            yield Fault(place, "no field is asked in this step", "form")
        for locale in campaign.languages:
            if locale not in step.title:
                where = f"{place}.title.{locale}"
                yield Fault(where, "this language has no text", "L-14")
    for place, asked in _numbered(campaign):
        if asked.step is not None and asked.step not in known:
            yield Fault(f"{place}.step", f"there is no step {asked.step!r}", "form")


def _extras(campaign: Campaign) -> Iterator[Fault]:
    tiers = Counter(f.tier for f in campaign.fields if f.tier is not None)
    for place, asked in _numbered(campaign):
        if asked.tier is None:
            continue
        if tiers[asked.tier] > 1:
            what = f"tier {asked.tier} is taken: one extra question at a visit"
            yield Fault(f"{place}.tier", what, "unique")
        if asked.required:
            what = "an extra question can be left open"
            yield Fault(f"{place}.required", what, "CR-09")
        if asked.step is not None:
            what = "an extra question stands with the address"
            yield Fault(f"{place}.step", what, "form")


def _hidden(campaign: Campaign) -> Iterator[Fault]:
    for key, times in Counter(told.key for told in campaign.hidden).items():
        if times > 1:
            yield Fault("hidden", f"{key!r} stands here {times} times", "unique")


def _early_access(campaign: Campaign) -> Iterator[Fault]:
    early = campaign.early_access
    if early is None:
        return
    if campaign.mechanic != "form":
        yield Fault("early_access", "only a form can be a waiting list", "form")
    if (early.at is None) == (early.after_days is None):
        what = "give either `at` or `after_days`, one of the two"
        yield Fault("early_access.at", what, "L-16")
    if early.purpose not in {purpose.key for purpose in campaign.purposes}:
        what = f"there is no purpose {early.purpose!r}"
        yield Fault("early_access.purpose", what, "L-06")
    if early.at and campaign.starts and early.at <= campaign.starts:
        yield Fault("early_access.at", "it starts before the list opens", "L-16")
    if early.at and campaign.ends and campaign.ends > early.window(early.at)[1]:
        what = "the list still takes people when early access is over"
        yield Fault("early_access.lasts_days", what, "L-16")
    for locale in campaign.languages:
        if locale not in early.texts:
            where = f"early_access.texts.{locale}"
            yield Fault(where, "this language has no text", "L-14")


def _numbered(campaign: Campaign) -> Iterator[tuple[str, FormField]]:
    for number, asked in enumerate(campaign.fields, 1):
        yield f"fields[{number}]", asked


RULES = (
    _flow,
    _choosing,
    _purposes,
    _special,
    _steps,
    _extras,
    _hidden,
    _early_access,
)
