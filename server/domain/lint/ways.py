"""All ways through a quiz at once, to find one that leads to no outcome.

There may be more ways than can be walked: eight questions of eight answers are
16 million. But only two things about a way decide how it ends: where it is, and which
outcomes it has spoken for or ruled out. What has been seen of both is not walked again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from server.domain import quiz as rules
from server.domain.quiz import Outcome, Question, Quiz, Sheet, Slider

# By points, the outcomes that got some; by rules, those that are ruled out.
Marks = frozenset[str]


@dataclass(frozen=True, slots=True)
class Move:
    """One answer: where it leads, and what it does to the outcomes."""

    answered: tuple[str, ...]
    to: int
    marks: Marks


def dead(quiz: Quiz) -> Sheet | None:
    """Return the first way to no outcome, as it is answered; None if there is none."""
    moves = [list(_moves(quiz, at)) for at in range(len(quiz.questions))]
    everything = frozenset(outcome.key for outcome in quiz.outcomes)
    nowhere = everything if quiz.decide == "rules" else frozenset()
    seen: set[tuple[int, Marks]] = set()

    def walk(at: int, marks: Marks) -> list[tuple[str, tuple[str, ...]]] | None:
        if at == len(moves):
            return [] if marks == nowhere else None
        if (at, marks) in seen:
            return None
        seen.add((at, marks))
        for move in moves[at]:
            rest = walk(move.to, marks | move.marks)
            if rest is not None:
                return [(quiz.questions[at].key, move.answered), *rest]
        return None

    found = walk(0, frozenset())
    return None if found is None else dict(found)


def reached(quiz: Quiz) -> set[int]:
    """Return the places of the questions that some answers lead to."""
    found = {0}
    for at in range(len(quiz.questions)):
        if at in found:
            found |= {move.to for move in _moves(quiz, at)}
    return found


def never(quiz: Quiz) -> Iterator[Outcome]:
    """Yield the outcomes that no answers lead to.

    By rules that are those that ask for what excludes each other, and those that
    stand below one for everybody. By points, those that nobody gives any.
    """
    if quiz.decide == "points":
        given = {key for at in range(len(quiz.questions)) for key in _given(quiz, at)}
        yield from (each for each in quiz.outcomes if each.key not in given)
        return
    is_caught = False
    for outcome in quiz.outcomes:
        if is_caught or not _can_be(quiz, outcome):
            yield outcome
        is_caught = is_caught or not outcome.when


def _given(quiz: Quiz, at: int) -> Iterator[str]:
    for part in rules.parts_of(quiz.questions[at]):
        yield from (key for key, points in part.points.items() if points)


def _can_be(quiz: Quiz, outcome: Outcome) -> bool:
    """Return whether some way rules this outcome out nowhere."""
    found = {0}
    for at, question in enumerate(quiz.questions):
        if at not in found:
            continue
        for answered in _telling(quiz, question, fewest=False):
            to = rules.after(quiz, at, answered)
            if outcome.key not in _ruled_out(quiz, at, to, answered):
                found.add(to)
    return len(quiz.questions) in found


def _moves(quiz: Quiz, at: int) -> Iterator[Move]:
    """Yield one answer of each kind that makes a difference to how a way ends."""
    question = quiz.questions[at]
    known = set()
    for answered in _telling(quiz, question, fewest=True):
        to = rules.after(quiz, at, answered)
        if quiz.decide == "rules":
            marks = _ruled_out(quiz, at, to, answered)
        else:
            points = rules.points_of(quiz, {question.key: answered})
            marks = frozenset(key for key, sum_ in points.items() if sum_)
        if (to, marks) not in known:
            known.add((to, marks))
            yield Move(answered, to, marks)


def _telling(
    quiz: Quiz, question: Question, *, fewest: bool
) -> Iterator[tuple[str, ...]]:
    """Yield the answers that stand for all others.

    Of several to choose, more of them can only add points and only meet more of what
    rules ask: where one alone leads nowhere is what a dead way needs, and all of them
    together are what an outcome needs.
    """
    if question.kind == "multiple" and not fewest:
        yield tuple(answer.key for answer in question.answers)
    elif question.slider is None:
        yield from ((answer.key,) for answer in question.answers)
    else:
        numbers = _numbers(quiz, question.key, question.slider)
        yield from ((str(number),) for number in numbers)


def _numbers(quiz: Quiz, key: str, slider: Slider) -> list[int]:
    """Return the numbers of a slider from which on something is different."""
    asked = [
        condition
        for outcome in quiz.outcomes
        for condition in outcome.when
        if condition.question == key
    ]
    turns = {slider.least}
    turns |= {each.up_to + 1 for each in slider.ranges}
    turns |= {each.at_least for each in asked if each.at_least is not None}
    turns |= {each.at_most + 1 for each in asked if each.at_most is not None}
    # The first number that the slider has from there on.
    steps = {-((slider.least - turn) // slider.step) for turn in turns}
    numbers = (slider.least + step * slider.step for step in sorted(steps) if step >= 0)
    return [number for number in numbers if number <= slider.most]


def _ruled_out(quiz: Quiz, at: int, to: int, answered: tuple[str, ...]) -> Marks:
    """Return which outcomes ask for another answer, or for a question gone past."""
    key = quiz.questions[at].key
    past = {question.key for question in quiz.questions[at + 1 : to]}
    return frozenset(
        outcome.key
        for outcome in quiz.outcomes
        for condition in outcome.when
        if condition.question in past
        or (condition.question == key and not condition.holds(answered))
    )
