"""Quizzes of any shape, small enough to walk each way through them one by one."""

import itertools
from collections.abc import Iterator

from hypothesis import strategies as st

from server.domain import quiz
from server.domain.quiz import Answer, Condition, Outcome, Question, Quiz, Range, Slider

OUTCOMES = ("red", "green", "blue")
SLIDER_END = 4
WORDS = {"nl": "x", "en": "x"}
TEXTS = {locale: {"title": "x", "text": "x", "reason": "x"} for locale in WORDS}


def points():
    return st.dictionaries(st.sampled_from(OUTCOMES), st.integers(0, 2), max_size=2)


@st.composite
def questions(draw, number: int, count: int) -> Question:
    """Draw the question of that number; it leads forward, to the end, or on."""
    onward = st.none() | st.sampled_from(
        [f"q{each}" for each in range(number + 1, count)] + [quiz.END]
    )
    kind = draw(st.sampled_from(["single", "multiple", "slider"]))
    common = {"key": f"q{number}", "kind": kind, "text": WORDS, "why": WORDS}
    if kind == "slider":
        step = draw(st.sampled_from([1, 2]))
        ends = sorted({draw(st.integers(0, SLIDER_END)), SLIDER_END})
        ranges = tuple(
            Range(up_to=end, points=draw(points()), next=draw(onward)) for end in ends
        )
        slider = Slider(
            least=0, most=SLIDER_END, step=step, low=WORDS, high=WORDS, ranges=ranges
        )
        return Question(**common, slider=slider, next=draw(onward))
    answers = tuple(
        Answer(
            key=key,
            label=WORDS,
            points=draw(points()),
            next=None if kind == "multiple" else draw(onward),
        )
        for key in "abc"[: draw(st.integers(2, 3))]
    )
    return Question(**common, answers=answers, next=draw(onward))


@st.composite
def conditions(draw, question: Question) -> Condition:
    if question.kind == "slider":
        ends = st.integers(0, SLIDER_END)
        low, high = sorted([draw(ends), draw(ends)])
        return Condition(question=question.key, at_least=low, at_most=high)
    keys = [answer.key for answer in question.answers]
    wanted = draw(st.sets(st.sampled_from(keys), min_size=1))
    return Condition(question=question.key, any_of=tuple(sorted(wanted)))


@st.composite
def any_quiz(draw, decide: str | None = None) -> Quiz:
    """Draw a quiz of one to four questions and up to three outcomes."""
    decide = decide or draw(st.sampled_from(["points", "rules"]))
    count = draw(st.integers(1, 4))
    asked = tuple(draw(questions(number, count)) for number in range(count))
    outcomes = tuple(
        Outcome(
            key=key,
            texts=TEXTS,
            when=tuple(
                draw(conditions(draw(st.sampled_from(asked))))
                for _ in range(draw(st.integers(0, 3)) if decide == "rules" else 0)
            ),
        )
        for key in OUTCOMES
    )
    return Quiz(decide=decide, questions=asked, outcomes=outcomes)


def all_sheets(of: Quiz) -> Iterator[dict[str, tuple[str, ...]]]:
    """Yield every sheet in which every question is answered."""
    keys = [question.key for question in of.questions]
    for answered in itertools.product(*map(quiz.choices, of.questions)):
        yield dict(zip(keys, answered, strict=True))
