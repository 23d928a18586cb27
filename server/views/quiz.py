"""A quiz as its templates show it, in one language; nothing of points or outcomes."""

from dataclasses import dataclass

from server.domain.campaign import Campaign
from server.domain.parts import Locale
from server.domain.quiz import PREFIX, Outcome, Question, Slider
from server.views.images import picture


@dataclass(frozen=True, slots=True)
class Shown:
    """One answer: a label, a picture if it has one, and where it leads."""

    key: str
    label: str
    image: str | None
    next: str | None


@dataclass(frozen=True, slots=True)
class Scale:
    """A slider and what its ends mean; it starts in the middle.

    `leads` is `up_to:next` of each range, for a page that turns; None if none leads on.
    """

    least: int
    most: int
    step: int
    start: int
    low: str
    high: str
    leads: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One question. `name` is that of its input."""

    key: str
    name: str
    kind: str
    text: str
    why: str
    answers: tuple[Shown, ...]
    slider: Scale | None
    next: str | None

    @property
    def has_images(self) -> bool:
        return any(answer.image for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Result:
    """An outcome: its name, its words, and what goes with it."""

    title: str
    text: str
    reason: str
    image: str | None
    links: tuple[tuple[str, str], ...]


def asked(campaign: Campaign, locale: Locale) -> list[Asked]:
    """Return the questions in order."""
    questions = campaign.quiz.questions if campaign.quiz else ()
    return [_question(question, locale) for question in questions]


def results(campaign: Campaign, locale: Locale, site: str) -> dict[str, Result]:
    """Return the outcomes by key; their links lead to this site of the shop (T28)."""
    outcomes = campaign.quiz.outcomes if campaign.quiz else ()
    return {outcome.key: _result(outcome, locale, site) for outcome in outcomes}


def _question(question: Question, locale: Locale) -> Asked:
    return Asked(
        key=question.key,
        name=PREFIX + question.key,
        kind=question.kind,
        text=question.text[locale],
        why=question.why[locale],
        answers=tuple(
            Shown(
                answer.key,
                answer.label[locale],
                picture(answer.image) if answer.image else None,
                answer.next,
            )
            for answer in question.answers
        ),
        slider=_scale(question.slider, locale) if question.slider else None,
        next=question.next,
    )


def _scale(slider: Slider, locale: Locale) -> Scale:
    steps = (slider.most - slider.least) // slider.step
    return Scale(
        least=slider.least,
        most=slider.most,
        step=slider.step,
        start=slider.least + steps // 2 * slider.step,
        low=slider.low[locale],
        high=slider.high[locale],
        leads=_leads(slider),
    )


def _leads(slider: Slider) -> str | None:
    if not any(each.next for each in slider.ranges):
        return None
    return " ".join(f"{each.up_to}:{each.next or ''}" for each in slider.ranges)


def _result(outcome: Outcome, locale: Locale, site: str) -> Result:
    text = outcome.texts[locale]
    return Result(
        title=text.title,
        text=text.text,
        reason=text.reason,
        image=picture(outcome.image) if outcome.image else None,
        links=tuple((site + link.path, link.label[locale]) for link in outcome.links),
    )
