"""The style quiz: questions that branch, and outcomes by points or by rules.

A sheet maps each question to what was answered: the key of one answer, the keys of
several, or the number of a slider. Only the questions on the way that the answers
lead along count; what else came in is not looked at.
"""

from collections.abc import Iterator, Mapping
from itertools import chain, combinations
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from server.domain.parts import Key, Line, Locale, Part, Sentence
from server.domain.picture import SceneName, TileName

PREFIX = "quiz."
END = "end"
MOST_QUESTIONS = 20
MOST_ANSWERS = 12
MOST_OUTCOMES = 12
MOST_CONDITIONS = 20

# A path on the shop's own site: no other host can be named (T28).
SitePath = Annotated[
    str,
    StringConstraints(pattern=r"^/(?:[^/\s\\\x00-\x1f][^\s\\\x00-\x1f]{0,198})?$"),
]
Sheet = Mapping[str, tuple[str, ...]]
Points = dict[Key, Annotated[int, Field(ge=0, le=1_000)]]


class Answer(Part):
    """One answer to choose. `next` goes before the question's own."""

    key: Key
    label: dict[Locale, Line]
    image: TileName | None = None
    points: Points = {}
    next: Key | None = None


class Range(Part):
    """The points of a slider from the last range's end to this one's."""

    up_to: int
    points: Points = {}
    next: Key | None = None


class Slider(Part):
    """A number to choose, and what its two ends mean."""

    least: int = Field(default=0, ge=0, le=1_000)
    most: int = Field(default=10, ge=1, le=1_000)
    step: int = Field(default=1, ge=1, le=100)
    low: dict[Locale, Line]
    high: dict[Locale, Line]
    ranges: tuple[Range, ...] = Field(min_length=1, max_length=MOST_ANSWERS)


class Question(Part):
    """What is asked, and why. With a `purpose` the answer is kept only under it.

    `attribute` names what it then tells of a person; without one that is the key.
    """

    key: Key
    kind: Literal["single", "multiple", "slider"]
    text: dict[Locale, Line]
    why: dict[Locale, Sentence]
    answers: tuple[Answer, ...] = Field(default=(), max_length=MOST_ANSWERS)
    slider: Slider | None = None
    next: Key | None = None
    purpose: Key | None = None
    attribute: Key | None = None


class Condition(Part):
    """What has to be answered for an outcome: one of these, or a number between.

    `any_of` is for answers to choose, the other two for a slider.
    """

    question: Key
    any_of: tuple[Key, ...] = ()
    at_least: int | None = None
    at_most: int | None = None

    def holds(self, answered: tuple[str, ...]) -> bool:
        """Return whether what was answered fits; no answer never does."""
        if not answered:
            return False
        if self.any_of:
            return any(each in self.any_of for each in answered)
        number = int(answered[0])
        low = self.at_least is None or number >= self.at_least
        return low and (self.at_most is None or number <= self.at_most)


class OutcomeText(Part):
    """An outcome in one language: its name, what it means, and why it is so."""

    title: Line
    text: Sentence
    reason: Sentence


class ShopLink(Part):
    """A page of the shop that goes with an outcome."""

    path: SitePath
    label: dict[Locale, Line]


class Outcome(Part):
    """Where a quiz may end. Without `when` it is for whoever fits no other."""

    key: Key
    texts: dict[Locale, OutcomeText]
    image: SceneName | None = None
    links: tuple[ShopLink, ...] = Field(default=(), max_length=4)
    prize: Key | None = None
    when: tuple[Condition, ...] = Field(default=(), max_length=MOST_CONDITIONS)


class Quiz(Part):
    """The questions in order, and how the outcome is decided."""

    decide: Literal["points", "rules"] = "points"
    questions: tuple[Question, ...] = Field(min_length=1, max_length=MOST_QUESTIONS)
    outcomes: tuple[Outcome, ...] = Field(min_length=1, max_length=MOST_OUTCOMES)

    def outcome(self, key: str) -> Outcome:
        """Return the outcome of that key; raises StopIteration for a foreign one."""
        return next(each for each in self.outcomes if each.key == key)


def take(form: Mapping[str, str], quiz: Quiz) -> Sheet:
    """Take from a form what it answers, as far as that can be an answer."""
    sheet = {question.key: taken(form, question) for question in quiz.questions}
    return {key: answered for key, answered in sheet.items() if answered}


def taken(form: Mapping[str, str], question: Question) -> tuple[str, ...]:
    """Return what a form answers to one question; empty where that is no answer."""
    name = PREFIX + question.key
    known = [answer.key for answer in question.answers]
    if question.kind == "multiple":
        return tuple(key for key in known if form.get(f"{name}.{key}") == "yes")
    given = form.get(name, "")
    if question.slider is None:
        return (given,) if given in known else ()
    return (str(int(given)),) if _is_on(question.slider, given) else ()


def _is_on(slider: Slider, given: str) -> bool:
    if not (given.isascii() and given.isdigit() and len(given) <= len("1000")):
        return False
    number = int(given)
    return (
        slider.least <= number <= slider.most
        and (number - slider.least) % slider.step == 0
    )


def path(quiz: Quiz, sheet: Sheet) -> list[Question]:
    """Return the questions that the answers lead along, the first open one last."""
    found, at = [], 0
    while at < len(quiz.questions):
        question = quiz.questions[at]
        found.append(question)
        answered = sheet.get(question.key)
        if not answered:
            break
        at = after(quiz, at, answered)
    return found


def open_question(quiz: Quiz, sheet: Sheet) -> Question | None:
    """Return the question on the way that has no answer yet, or None."""
    last = path(quiz, sheet)[-1]
    return last if not sheet.get(last.key) else None


def on_the_way(quiz: Quiz, sheet: Sheet) -> Sheet:
    """Return the sheet without answers to questions that were not asked."""
    return {
        question.key: sheet[question.key]
        for question in path(quiz, sheet)
        if question.key in sheet
    }


def decide(quiz: Quiz, sheet: Sheet) -> Outcome | None:
    """Return the outcome of a full sheet; None for a dead end, which lint refuses."""
    counted = on_the_way(quiz, sheet)
    if quiz.decide == "rules":
        return next((each for each in quiz.outcomes if _fits(each, counted)), None)
    points = points_of(quiz, counted)
    best = max(quiz.outcomes, key=lambda each: points.get(each.key, 0))
    return best if points.get(best.key) else None


def _fits(outcome: Outcome, sheet: Sheet) -> bool:
    return all(each.holds(sheet.get(each.question, ())) for each in outcome.when)


def points_of(quiz: Quiz, sheet: Sheet) -> dict[str, int]:
    """Return the points of each outcome; the first of equals wins."""
    sums: dict[str, int] = {}
    for question in quiz.questions:
        for part in _chosen(question, sheet.get(question.key, ())):
            for outcome, points in part.points.items():
                sums[outcome] = sums.get(outcome, 0) + points
    return sums


def parts_of(question: Question) -> tuple[Answer, ...] | tuple[Range, ...]:
    """Return what can be chosen, or what a slider is made of."""
    return question.slider.ranges if question.slider else question.answers


def _chosen(question: Question, answered: tuple[str, ...]) -> list[Answer | Range]:
    """Return what the answer stands for: the chosen ones, or the range it lies in."""
    if question.slider is None:
        return [answer for answer in question.answers if answer.key in answered]
    return [_range_of(question.slider, int(each)) for each in answered]


def _range_of(slider: Slider, number: int) -> Range:
    """Return the range of a slider in which a number lies."""
    fitting = (each for each in slider.ranges if number <= each.up_to)
    return next(fitting, slider.ranges[-1])


def after(quiz: Quiz, at: int, answered: tuple[str, ...]) -> int:
    """Return where an answer leads: the place of a question, or past the last."""
    question = quiz.questions[at]
    chosen = None
    if question.kind != "multiple":
        chosen = _chosen(question, answered)[0].next
    return place_of(quiz, chosen or question.next, at)


def place_of(quiz: Quiz, key: str | None, at: int) -> int:
    """Return where a question is; the one below where none is named.

    It is always further on, so that no way has no end, even of a quiz that lint
    would refuse.
    """
    if key is None:
        return at + 1
    keys = [question.key for question in quiz.questions]
    return max(at + 1, keys.index(key)) if key in keys else len(keys)


def choices(question: Question) -> Iterator[tuple[str, ...]]:
    """Yield every answer that a question takes, for walking all ways."""
    keys = [answer.key for answer in question.answers]
    if question.kind == "single":
        yield from ((key,) for key in keys)
    elif question.slider is not None:
        slider = question.slider
        yield from (
            (str(number),)
            for number in range(slider.least, slider.most + 1, slider.step)
        )
    else:
        sizes = range(1, len(keys) + 1)
        yield from chain.from_iterable(combinations(keys, size) for size in sizes)


def as_answers(sheet: Sheet) -> dict[str, str]:
    """Return a sheet as an entry keeps it: several keys have commas between them."""
    return {key: ",".join(answered) for key, answered in sheet.items()}
