"""A quiz: which way its answers lead, and where it ends (CR-10)."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from server.domain import quiz
from server.domain.lint import ways
from tests.factories import campaign_file
from tests.quizzes import any_quiz

QUIZ = campaign_file("style-quiz").quiz
assert QUIZ is not None
SHEET = {
    "place": ("sea",),
    "colours": ("black", "earth"),
    "warmth": ("5",),
    "evening": ("soup",),
}


def sheets():
    """Return sheets with any answers that the demo's questions take."""
    return st.fixed_dictionaries(
        {q.key: st.sampled_from(list(quiz.choices(q))) for q in QUIZ.questions}
    )


@given(sheets())
def test_every_full_sheet_reaches_an_outcome(sheet):
    assert quiz.open_question(QUIZ, sheet) is None
    assert quiz.decide(QUIZ, sheet) in QUIZ.outcomes


@given(sheets())
def test_what_is_off_the_way_changes_nothing(sheet):
    counted = quiz.on_the_way(QUIZ, sheet)

    assert quiz.decide(QUIZ, counted) == quiz.decide(QUIZ, sheet)
    assert [q.key for q in quiz.path(QUIZ, counted)] == list(counted)


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=8))
def test_whatever_comes_in_is_cut_down_to_answers(form):
    named = {f"quiz.{key}": value for key, value in form.items()}

    for key, answered in quiz.take(form | named, QUIZ).items():
        question = next(q for q in QUIZ.questions if q.key == key)
        assert answered in list(quiz.choices(question))


@pytest.mark.parametrize(
    "value", ["-1", "11", "1.5", "٣", "1e1", "", "99999999999999999999", "0x1", " 5"]
)
def test_a_number_that_the_slider_does_not_have_is_no_answer(value):
    assert quiz.take({"quiz.warmth": value}, QUIZ) == {}


def test_an_answer_leads_past_questions():
    sheet = {"place": ("sofa",), "colours": ("blue",), "warmth": ("9",)}

    way = [question.key for question in quiz.path(QUIZ, sheet)]

    assert way == ["place", "warmth", "evening"]
    assert quiz.open_question(QUIZ, sheet).key == "evening"


def test_the_most_points_decide_and_the_first_of_equals():
    assert quiz.points_of(QUIZ, SHEET) == {"coast": 4, "studio": 2, "nest": 3}
    assert quiz.decide(QUIZ, SHEET).key == "coast"
    even = SHEET | {"warmth": ("9",), "place": ("city",), "evening": ("coffee",)}
    assert quiz.points_of(QUIZ, even) == {"studio": 6, "nest": 4}
    assert quiz.decide(QUIZ, even | {"colours": ("earth",)}).key == "studio"


def test_rules_decide_in_order():
    when = [
        ({"question": "colours", "any_of": ["blue"]},),
        ({"question": "warmth", "at_most": 3},),
        (),
    ]
    tables = QUIZ.model_dump(mode="json", exclude_none=True) | {"decide": "rules"}
    for outcome, conditions in zip(tables["outcomes"], when, strict=True):
        outcome["when"] = list(conditions)
    ruled = campaign_file("style-quiz", quiz=tables).quiz
    sheet = {"place": ("sea",), "colours": ("black",), "warmth": ("2",)}
    sheet["evening"] = ("soup",)

    assert quiz.decide(ruled, sheet).key == "studio"
    assert quiz.decide(ruled, sheet | {"colours": ("black", "blue")}).key == "coast"
    assert quiz.decide(ruled, sheet | {"warmth": ("8",)}).key == "nest"


def test_a_range_of_a_slider_leads_on_too():
    tables = QUIZ.model_dump(mode="json", exclude_none=True)
    tables["questions"][2]["slider"]["ranges"][0]["next"] = quiz.END
    led = campaign_file("style-quiz", quiz=tables).quiz
    sheet = {"place": ("sofa",), "warmth": ("3",)}

    assert quiz.open_question(led, sheet) is None
    assert quiz.open_question(led, sheet | {"warmth": ("4",)}).key == "evening"


def test_no_quiz_leads_back():
    """Following has an end, even in a quiz that lint would refuse."""
    tables = QUIZ.model_dump(mode="json", exclude_none=True)
    tables["questions"][3]["next"] = "place"
    round_about = campaign_file("style-quiz", quiz=tables).quiz

    for sheet in (SHEET, {}):
        assert len(quiz.path(round_about, sheet)) <= len(tables["questions"])


@given(any_quiz(), st.data())
def test_what_lint_accepts_ends_in_an_outcome_whatever_is_answered(asked, data):
    """Every answer sheet that the check accepts reaches an outcome."""
    assume(ways.dead(asked) is None)
    kept = {
        question.key: data.draw(st.sampled_from([(), *quiz.choices(question)]))
        for question in asked.questions
    }
    sheet = {key: answered for key, answered in kept.items() if answered}

    left = quiz.open_question(asked, sheet)

    assert left is not None or quiz.decide(asked, sheet) in asked.outcomes
    assert len(quiz.path(asked, sheet)) <= len(asked.questions)
