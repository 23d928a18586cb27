"""What the linter refuses of a quiz: no way may end in nothing, and each is named."""

import time

import pytest
from hypothesis import given, settings

from server.domain import lint, quiz
from server.domain.lint import ways
from server.domain.parts import FileError
from tests.factories import campaign_file, campaign_tables, prize_table
from tests.quizzes import all_sheets, any_quiz

LIMIT_S = 10.0
WORDS = {"nl": "x", "en": "x"}


def judged(**changes):
    return lint.judge(campaign_file("style-quiz", **changes))


def changed(change, *, refuses=True):
    """Return the faults of the demo's quiz after a change of its tables."""
    tables = campaign_tables("style-quiz")
    change(tables["quiz"])
    return [f for f in judged(quiz=tables["quiz"]) if f.refuses is refuses]


def by_rules(tables, *whens):
    """Let the demo's quiz be decided by rules, one list of them for each outcome."""
    tables["decide"] = "rules"
    for outcome, when in zip(tables["outcomes"], whens, strict=True):
        outcome["when"] = when
    for question in tables["questions"]:
        for part in question.get("answers") or question["slider"]["ranges"]:
            part.pop("points", None)


# --- the ways ----------------------------------------------------------------------


@given(any_quiz())
@settings(max_examples=300)
def test_a_dead_way_is_found_exactly_where_there_is_one(asked):
    """Every path reaches an outcome: checked against walking them one by one."""
    is_dead = any(quiz.decide(asked, sheet) is None for sheet in all_sheets(asked))

    way = ways.dead(asked)

    assert (way is not None) == is_dead
    if way is not None:
        assert quiz.decide(asked, way) is None
        assert quiz.open_question(asked, way) is None
        assert list(quiz.on_the_way(asked, way)) == list(way)


@given(any_quiz())
@settings(max_examples=300)
def test_a_question_is_called_unreachable_exactly_where_it_is(asked):
    met = {
        question.key
        for sheet in all_sheets(asked)
        for question in quiz.path(asked, sheet)
    }

    reached = ways.reached(asked)

    keys = [question.key for question in asked.questions]
    assert {key for at, key in enumerate(keys) if at in reached} == met


@given(any_quiz())
@settings(max_examples=300)
def test_an_outcome_that_is_reached_is_never_called_unreachable(asked):
    found = [quiz.decide(asked, sheet) for sheet in all_sheets(asked)]

    met = {outcome.key for outcome in found if outcome is not None}
    assert not met & {outcome.key for outcome in ways.never(asked)}


def test_a_way_to_no_outcome_is_named():
    def change(tables):
        by_rules(
            tables,
            [{"question": "colours", "any_of": ["blue", "black", "earth"]}],
            [{"question": "evening", "any_of": ["fish"]}],
            [{"question": "evening", "any_of": ["soup"]}],
        )

    (fault,) = changed(change)

    assert fault.what == "no outcome for place: sofa -> warmth: 0 -> evening: coffee"


def test_answers_without_points_are_a_dead_way_too():
    def change(tables):
        for question in tables["questions"]:
            parts = question.get("answers") or question["slider"]["ranges"]
            parts[0]["points"] = {"coast": 0}

    (fault,) = changed(change)

    way = "place: sea -> colours: blue -> warmth: 0 -> evening: fish"
    assert fault.what == f"no outcome for {way}"


def test_a_number_between_two_rules_is_a_dead_way():
    def gap(first):
        def change(tables):
            by_rules(
                tables,
                [{"question": "warmth", "at_most": 4}],
                [{"question": "warmth", "at_least": first, "at_most": 8}],
                [{"question": "warmth", "at_least": 9}],
            )

        return [fault.what for fault in changed(change)]

    assert gap(5) == []
    way = "place: sea -> colours: blue -> warmth: 5 -> evening: fish"
    assert gap(6) == [f"no outcome for {way}"]


def test_an_outcome_for_all_others_leaves_no_way_open():
    def change(tables):
        by_rules(
            tables,
            [{"question": "colours", "any_of": ["blue"]}],
            [{"question": "warmth", "at_most": 3}],
            [],
        )

    assert changed(change) == []


def test_nobody_comes_to_what_stands_below_one_for_everybody():
    def change(tables):
        by_rules(tables, [], [], [{"question": "warmth", "at_most": 3}])

    assert [(f.place, f.what) for f in changed(change)] == [
        ("quiz.outcomes[2]", "no answers lead to this outcome"),
        ("quiz.outcomes[3]", "no answers lead to this outcome"),
    ]


def test_nobody_comes_to_what_excludes_itself():
    def change(tables):
        sofa = {"question": "place", "any_of": ["sofa"]}
        # Who answers that is never asked about colours.
        blue = {"question": "colours", "any_of": ["blue"]}
        by_rules(tables, [sofa, blue], [blue], [])

    assert [f.place for f in changed(change)] == ["quiz.outcomes[1]"]


def test_nobody_comes_to_an_outcome_without_points():
    def change(tables):
        for question in tables["questions"]:
            for part in question.get("answers") or question["slider"]["ranges"]:
                part["points"] = {"coast": 1}

    assert [f.place for f in changed(change)] == [
        "quiz.outcomes[2]",
        "quiz.outcomes[3]",
    ]


def test_a_question_nobody_reaches_is_named():
    def change(tables):
        tables["questions"][0]["next"] = "warmth"

    assert [fault.place for fault in changed(change)] == ["quiz.questions[2]"]


@pytest.mark.parametrize("decide", ["points", "rules"])
@pytest.mark.parametrize("kind", ["single", "multiple", "slider"])
def test_the_largest_quiz_is_checked_at_once(decide, kind):
    """An import never hangs: here are 12^20 ways and more, and each is checked."""
    outcomes = [f"o{number}" for number in range(quiz.MOST_OUTCOMES)]

    def question(number):
        parts = [{"points": {key: 1}} if decide == "points" else {} for key in outcomes]
        common = {"key": f"q{number}", "kind": kind, "text": WORDS, "why": WORDS}
        if kind == "slider":
            ends = range(83, 1_001, 83)
            ranges = [{"up_to": end, **p} for end, p in zip(ends, parts, strict=True)]
            ranges[-1]["up_to"] = 1_000
            slider = {"most": 1_000, "low": WORDS, "high": WORDS, "ranges": ranges}
            return common | {"slider": slider}
        answers = [{"key": f"a{n}", "label": WORDS, **p} for n, p in enumerate(parts)]
        return common | {"answers": answers}

    def when(outcome):
        wanted = {"any_of": [f"a{outcome}", f"a{(outcome + 1) % len(outcomes)}"]}
        if kind == "slider":
            wanted = {"at_least": outcome * 83, "at_most": outcome * 83 + 100}
        numbers = range(quiz.MOST_QUESTIONS)
        return [{"question": f"q{n}", **wanted} for n in numbers]

    tables = {
        "decide": decide,
        "questions": [question(number) for number in range(quiz.MOST_QUESTIONS)],
        "outcomes": [
            {"key": key, "texts": {"nl": text, "en": text}}
            | ({"when": when(number)} if decide == "rules" else {})
            for number, key in enumerate(outcomes)
            for text in [{"title": "x", "text": "x", "reason": "x"}]
        ],
    }
    free = {"award": "nothing", "prizes": [], "terms": {}, "minimum_age": 0}

    began = time.process_time()
    faults = [f for f in judged(quiz=tables, **free) if f.refuses]

    assert time.process_time() - began < LIMIT_S
    assert [fault.place for fault in faults] == (
        ["quiz.outcomes"] if decide == "rules" else []
    )


# --- the form of the file ----------------------------------------------------------


def _at(*path, value):
    def change(tables):
        place = tables
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


ANSWER = ("questions", 0, "answers", 0)
SLIDER = ("questions", 2, "slider")
RANGES = (*SLIDER, "ranges")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (_at("questions", 1, "next", value="place"), "quiz.questions[2].next"),
        (_at("questions", 0, "next", value="place"), "quiz.questions[1].next"),
        (_at("questions", 0, "next", value="nowhere"), "quiz.questions[1].next"),
        (_at(*ANSWER, "next", value="place"), "quiz.questions[1].answers[1].next"),
        (
            _at(*RANGES, 0, "next", value="place"),
            "quiz.questions[3].slider.ranges[1].next",
        ),
        (
            _at("questions", 1, "answers", 0, "next", value="end"),
            "quiz.questions[2].answers",
        ),
        (
            _at(*ANSWER, "points", value={"x": 1}),
            "quiz.questions[1].answers[1].points",
        ),
        (_at(*ANSWER, "key", value="city"), "quiz.questions[1].answers"),
        (_at("questions", 0, "purpose", value="x"), "quiz.questions[1].purpose"),
        (_at("questions", 3, "attribute", value="x"), "quiz.questions[4].attribute"),
        (
            _at("questions", 2, "attribute", value="place"),
            "quiz.questions[3].attribute",
        ),
        (_at("questions", 0, "key", value="warmth"), "quiz.questions"),
        (_at("questions", 0, "key", value="end"), "quiz.questions"),
        (_at("questions", 0, "key", value="terms"), "quiz.questions"),
        (_at("questions", 0, "answers", value=[]), "quiz.questions[1].answers"),
        (_at("questions", 2, "slider", value=None), "quiz.questions[3]"),
        (_at(*SLIDER, "least", value=10), "quiz.questions[3].slider"),
        (_at(*SLIDER, "step", value=3), "quiz.questions[3].slider.step"),
        (_at(*RANGES, 2, "up_to", value=9), "quiz.questions[3].slider.ranges"),
        (_at(*RANGES, 0, "up_to", value=8), "quiz.questions[3].slider.ranges"),
        (_at(*RANGES, 0, "up_to", value=-1), "quiz.questions[3].slider.ranges[1]"),
        (
            _at("questions", 0, "text", "nl", value="Ben je ziek?"),
            "quiz.questions[1].text",
        ),
        (_at(*ANSWER, "label", "en", value="At church"), "quiz.questions[1].text"),
        (_at("outcomes", 0, "prize", value="x"), "quiz.outcomes[1].prize"),
        (_at("outcomes", 0, "key", value="nest"), "quiz.outcomes"),
        (
            _at("outcomes", 0, "when", value=[{"question": "x", "any_of": ["y"]}]),
            "quiz.outcomes[1].when[1]",
        ),
        (
            _at("outcomes", 0, "when", value=[{"question": "place", "any_of": ["y"]}]),
            "quiz.outcomes[1].when[1].any_of",
        ),
        (
            _at("outcomes", 0, "when", value=[{"question": "place", "at_most": 3}]),
            "quiz.outcomes[1].when[1]",
        ),
        (
            _at("outcomes", 0, "when", value=[{"question": "warmth"}]),
            "quiz.outcomes[1].when[1]",
        ),
        (
            _at("outcomes", 0, "when", value=[{"question": "warmth", "at_most": 3}]),
            "quiz.outcomes[1].when",
        ),
    ],
)
def test_a_fault_is_named_by_its_place(change, place):
    def dropping(tables):
        change(tables)
        for question in tables["questions"]:
            if question.get("slider", 1) is None:
                del question["slider"]

    assert place in {fault.place for fault in changed(dropping)}


@pytest.mark.parametrize("part", ["text", "why"])
def test_a_language_is_whole(part):
    """L-14."""

    def change(tables):
        del tables["questions"][0][part]["nl"]

    assert [(f.place, f.rule) for f in changed(change)] == [
        ("quiz.questions[1]", "L-14")
    ]


def test_an_unknown_key_is_a_fault_of_the_file():
    tables = campaign_tables("style-quiz")
    tables["quiz"]["questions"][0]["answers"][1]["pionts"] = {"coast": 1}

    with pytest.raises(FileError) as refused:
        campaign_file("style-quiz", quiz=tables["quiz"])

    places = [fault.place for fault in refused.value.faults]
    assert places == ["quiz.questions[1].answers[2].pionts"]


def test_points_that_rules_do_not_count_are_pointed_out():
    def change(tables):
        by_rules(tables, [{"question": "warmth", "at_most": 3}], [], [])
        tables["outcomes"] = tables["outcomes"][:2]
        tables["questions"][0]["answers"][0]["points"] = {"coast": 1}

    assert changed(change) == []
    assert "quiz.decide" in [f.place for f in changed(change, refuses=False)]


def test_branches_may_tell_of_the_same_if_they_do_it_alike():
    def alike(tables):
        tables["questions"][1]["attribute"] = "style"
        tables["questions"][0]["attribute"] = "style"

    def unlike(tables):
        alike(tables)
        tables["questions"][1]["purpose"] = "newsletter"

    assert changed(alike) == []
    assert [f.place for f in changed(unlike)] == ["quiz.questions[2].attribute"]


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


# --- what it gives -----------------------------------------------------------------


def test_what_replaces_a_prize_that_ran_out_is_known_and_never_runs_out():
    """L-28: else a visitor would be answered with an error."""
    ship = campaign_tables("style-quiz")["prizes"][0]
    mug = prize_table("mug", weight=0, stock=3)

    def faults(fallback):
        found = judged(prizes=[ship, mug], fallback=fallback)
        return [f.place for f in found if f.refuses and f.place == "fallback"]

    assert faults("ship") == faults("nothing") == []
    assert faults("mug") == faults("elsewhere") == ["fallback"]


def test_a_prize_that_no_outcome_gives_is_not_offered():
    """PZ-04."""
    ship = campaign_tables("style-quiz")["prizes"][0]
    mug = prize_table("mug", weight=0, stock=3)

    faults = [f for f in judged(prizes=[ship, mug]) if f.refuses]

    assert [(f.place, f.rule) for f in faults] == [("prizes[2]", "PZ-04")]
