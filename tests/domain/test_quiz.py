"""A quiz: which way its answers lead, and where it ends (CR-10)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import lint, quiz
from server.domain.parts import FileError
from tests.factories import campaign_file, campaign_tables

QUIZ = campaign_file("style-quiz").quiz
assert QUIZ is not None


def sheets():
    """Return sheets with any answers that the demo's questions take."""
    return st.fixed_dictionaries(
        {q.key: st.sampled_from(list(quiz.choices(q))) for q in QUIZ.questions}
    )


def judged(**changes):
    return lint.judge(campaign_file("style-quiz", **changes))


def changed(change):
    """Return the faults of the demo's quiz after a change of its tables."""
    tables = campaign_tables("style-quiz")
    change(tables["quiz"])
    return [f for f in judged(quiz=tables["quiz"]) if f.refuses]


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
    sheet = {
        "place": ("sea",),
        "colours": ("black", "earth"),
        "warmth": ("5",),
        "evening": ("soup",),
    }

    assert quiz.points_of(QUIZ, sheet) == {"coast": 4, "studio": 2, "nest": 3}
    assert quiz.decide(QUIZ, sheet).key == "coast"


def by_rules(tables, *whens):
    tables["decide"] = "rules"
    for outcome, when in zip(tables["outcomes"], whens, strict=True):
        outcome["when"] = when


def test_rules_decide_in_order():
    def change(tables):
        by_rules(
            tables,
            [{"question": "colours", "any_of": ["blue"]}],
            [{"question": "warmth", "at_most": 3}],
            [],
        )

    tables = campaign_tables("style-quiz")
    change(tables["quiz"])
    ruled = campaign_file("style-quiz", quiz=tables["quiz"]).quiz
    sheet = {"place": ("sea",), "colours": ("black",), "warmth": ("2",)}
    sheet["evening"] = ("soup",)

    assert quiz.decide(ruled, sheet).key == "studio"
    assert quiz.decide(ruled, sheet | {"colours": ("black", "blue")}).key == "coast"
    assert quiz.decide(ruled, sheet | {"warmth": ("8",)}).key == "nest"
    assert changed(change) == []


def test_a_way_to_no_outcome_is_named():
    """Every path reaches an outcome, or the import names the dead one."""

    def change(tables):
        by_rules(
            tables,
            [{"question": "colours", "any_of": ["blue", "black", "earth"]}],
            [{"question": "evening", "any_of": ["fish"]}],
            [{"question": "evening", "any_of": ["soup"]}],
        )

    (fault,) = changed(change)

    assert fault.what == ("no outcome for place: sofa -> warmth: 0 -> evening: coffee")


def test_answers_without_points_are_a_dead_way_too():
    def change(tables):
        for question in tables["questions"]:
            parts = question.get("answers") or question["slider"]["ranges"]
            parts[-1]["points"] = {}

    (fault,) = changed(change)

    assert fault.what.startswith("no outcome for place: sofa")


def test_a_quiz_too_large_to_walk_needs_an_outcome_for_all_others():
    """An import never hangs: past so many ways it says what to add."""

    def change(tables):
        question = tables["questions"][1]
        question["answers"] = [
            {"key": f"k{n}", "label": {"nl": "x", "en": "x"}, "points": {"coast": 1}}
            for n in range(12)
        ]
        tables["questions"] = [
            {**question, "key": f"q{number}"} for number in range(4)
        ] + tables["questions"][3:]
        some = [{"question": "q1", "any_of": ["k1"]}]
        by_rules(tables, some, some, some)

    (fault,) = changed(change)

    assert "without `when`" in fault.what or fault.what.startswith("no outcome for")


def _at(*path, value):
    def change(tables):
        place = tables
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (_at("questions", 1, "next", value="place"), "quiz.questions[2].next"),
        (_at("questions", 0, "next", value="nowhere"), "quiz.questions[1].next"),
        (
            _at("questions", 0, "answers", 0, "next", value="place"),
            "quiz.questions[1].answers[1].next",
        ),
        (
            _at("questions", 0, "answers", 0, "points", value={"x": 1}),
            "quiz.questions[1].answers[1].points",
        ),
        (_at("questions", 0, "purpose", value="x"), "quiz.questions[1].purpose"),
        (_at("questions", 0, "key", value="warmth"), "quiz.questions"),
        (_at("questions", 0, "answers", value=[]), "quiz.questions[1].answers"),
        (_at("questions", 2, "slider", value=None), "quiz.questions[3]"),
        (_at("questions", 0, "text", "nl", value="Ben je ziek?"), None),
        (_at("outcomes", 0, "prize", value="x"), "quiz.outcomes[1].prize"),
        (_at("outcomes", 0, "key", value="nest"), "quiz.outcomes"),
        (
            _at("outcomes", 0, "when", value=[{"question": "x", "any_of": ["y"]}]),
            "quiz.outcomes[1].when[1]",
        ),
    ],
)
def test_a_fault_is_named_by_its_place(change, place):
    def dropping(tables):
        change(tables)
        for question in tables["questions"]:
            if question.get("slider", 1) is None:
                del question["slider"]

    places = {fault.place for fault in changed(dropping)}

    assert (place or "quiz.questions[1].text") in places


def test_a_question_nobody_reaches_is_named():
    def change(tables):
        tables["questions"][0]["next"] = "warmth"

    assert [fault.place for fault in changed(change)] == ["quiz.questions[2]"]


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "/a b", "x", "/\\evil", ""]
)
def test_a_link_leads_to_the_shops_own_site(path):
    """T28."""
    tables = campaign_tables("style-quiz")
    tables["quiz"]["outcomes"][0]["links"][0]["path"] = path

    with pytest.raises(FileError, match="path"):
        campaign_file("style-quiz", quiz=tables["quiz"])


def test_the_result_comes_before_the_address():
    """CR-10."""
    rules = {f.rule for f in judged(flow="form-first") if f.refuses}

    assert "CR-10" in rules


def test_a_quiz_belongs_to_its_mechanic():
    places = [f.place for f in lint.judge(campaign_file(mechanic="quiz"))]

    assert "quiz" in places
