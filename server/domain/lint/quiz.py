"""What a quiz may not be: above all, a way that leads to no outcome."""

from collections import Counter
from collections.abc import Iterator

from server.domain import quiz as rules
from server.domain.campaign import Campaign
from server.domain.lint import ways
from server.domain.lint.form import special_word
from server.domain.parts import Fault
from server.domain.profile import QUIZ_KINDS
from server.domain.quiz import END, Answer, Condition, Question, Quiz, Range

LEAST_ANSWERS = 2
# The last page of the questions has this name where there are terms to accept.
TERMS = "terms"


def faults(campaign: Campaign) -> Iterator[Fault]:
    """Yield what is wrong with a quiz, or that it is missing or out of place."""
    quiz = campaign.quiz
    if (quiz is None) == (campaign.mechanic == "quiz"):
        yield Fault("quiz", "the mechanic quiz has one, and no other has", "quiz")
    if quiz is None:
        return
    if campaign.flow != "play-first":
        yield Fault("flow", "the result comes before the address: play-first", "CR-10")
    found = [
        *_keys(campaign, quiz),
        *_attributes(campaign, quiz),
        *_outcomes(campaign, quiz),
        *_given(campaign, quiz),
        *_shape(quiz),
        *_nexts(quiz),
        *_texts(campaign, quiz),
    ]
    yield from found
    if not any(fault.refuses for fault in found):
        yield from _ends(quiz)


def _keys(campaign: Campaign, quiz: Quiz) -> Iterator[Fault]:
    names = [q.key for q in quiz.questions] + [f.key for f in campaign.fields]
    outcomes = [each.key for each in quiz.outcomes]
    for key, times in Counter(names).items():
        if times > 1 or key in {END, TERMS}:
            yield Fault("quiz.questions", f"{key!r} is taken", "unique")
    for key, times in Counter(outcomes).items():
        if times > 1:
            yield Fault("quiz.outcomes", f"{key!r} is taken", "unique")
    for place, question in _questions(quiz):
        for key, times in Counter(each.key for each in question.answers).items():
            if times > 1:
                yield Fault(f"{place}.answers", f"{key!r} is taken", "unique")
        for where, part in _parts(place, question):
            for outcome in sorted(set(part.points) - set(outcomes)):
                yield Fault(f"{where}.points", f"there is no outcome {outcome!r}")


def _attributes(campaign: Campaign, quiz: Quiz) -> Iterator[Fault]:
    """Questions of different branches may tell of the same, but only alike."""
    purposes = {purpose.key for purpose in campaign.purposes}
    fields = {asked.key for asked in campaign.fields}
    known: dict[str, tuple[str, str]] = {}
    for place, question in _questions(quiz):
        if question.purpose is None:
            if question.attribute:
                what = "say under which purpose it is kept"
                yield Fault(f"{place}.attribute", what, "CR-10")
            continue
        if question.purpose not in purposes:
            what = f"there is no purpose {question.purpose!r}"
            yield Fault(f"{place}.purpose", what, "CR-10")
        name = question.attribute or question.key
        alike = QUIZ_KINDS[question.kind], question.purpose
        if name in fields or known.setdefault(name, alike) != alike:
            what = f"{name!r} is kept of something else already"
            yield Fault(f"{place}.attribute", what, "unique")


def _outcomes(campaign: Campaign, quiz: Quiz) -> Iterator[Fault]:
    prizes = {prize.key for prize in campaign.prizes}
    asked = {question.key: question for question in quiz.questions}
    for number, outcome in enumerate(quiz.outcomes, 1):
        place = f"quiz.outcomes[{number}]"
        if outcome.prize and outcome.prize not in prizes:
            yield Fault(f"{place}.prize", f"there is no prize {outcome.prize!r}")
        if outcome.prize and campaign.award != "outcome":
            yield Fault(f"{place}.prize", 'needs award = "outcome"', "PZ-01")
        if outcome.when and quiz.decide == "points":
            yield Fault(f"{place}.when", 'needs decide = "rules"')
        for count, condition in enumerate(outcome.when, 1):
            where = f"{place}.when[{count}]"
            question = asked.get(condition.question)
            if question is None:
                yield Fault(where, f"there is no question {condition.question!r}")
            else:
                yield from _condition(where, condition, question)


def _given(campaign: Campaign, quiz: Quiz) -> Iterator[Fault]:
    """What is offered can be had: some outcome gives it, or replaces what ran out."""
    if campaign.award != "outcome":
        return
    given = {outcome.prize for outcome in quiz.outcomes}
    for number, prize in enumerate(campaign.prizes, 1):
        if prize.key not in {*given, campaign.falls_back_to}:
            yield Fault(f"prizes[{number}]", "no outcome gives it", "PZ-04")


def _condition(place: str, condition: Condition, question: Question) -> Iterator[Fault]:
    numbers = [n for n in (condition.at_least, condition.at_most) if n is not None]
    is_slider = question.kind == "slider"
    if bool(condition.any_of) == is_slider or bool(numbers) != is_slider:
        what = "a slider has at_least or at_most, all others have any_of"
        yield Fault(place, what)
    known = {answer.key for answer in question.answers}
    for key in sorted(set(condition.any_of) - known):
        yield Fault(f"{place}.any_of", f"there is no answer {key!r}")


def _shape(quiz: Quiz) -> Iterator[Fault]:
    for place, question in _questions(quiz):
        is_slider = question.kind == "slider"
        if is_slider != (question.slider is not None) or (
            is_slider and question.answers
        ):
            yield Fault(place, "a slider has `slider`, all others have `answers`")
        elif not is_slider and len(question.answers) < LEAST_ANSWERS:
            yield Fault(f"{place}.answers", "give at least two to choose from")
        if question.slider:
            yield from _slider(f"{place}.slider", question.slider)
        if question.kind == "multiple" and any(each.next for each in question.answers):
            yield Fault(f"{place}.answers", "of several answers none can lead on")
        words = [*question.text.values(), *question.why.values()]
        words += [line for each in question.answers for line in each.label.values()]
        if found := special_word(words):
            yield Fault(f"{place}.text", f"{found!r} may not be asked here", "L-18")
    has_points = any(part.points for _where, part in _all_parts(quiz))
    if quiz.decide == "rules" and has_points:
        what = "with rules, no points are counted"
        yield Fault("quiz.decide", what, refuses=False)


def _slider(place: str, slider: rules.Slider) -> Iterator[Fault]:
    ends = [each.up_to for each in slider.ranges]
    if slider.least >= slider.most:
        yield Fault(place, "it ends before it begins")
    if (slider.most - slider.least) % slider.step:
        yield Fault(f"{place}.step", "no number of steps leads to its end")
    if ends != sorted(set(ends)):
        yield Fault(f"{place}.ranges", "each ends further on than the one above")
    if ends[-1] < slider.most:
        yield Fault(f"{place}.ranges", "the last one ends before the slider")
    if ends[0] < slider.least:
        yield Fault(f"{place}.ranges[1]", "it ends before the slider begins")


def _nexts(quiz: Quiz) -> Iterator[Fault]:
    """Each way leads forward, so that none of them can go round."""
    keys = [question.key for question in quiz.questions]
    for at, (place, question) in enumerate(_questions(quiz)):
        for where, part in ((place, question), *_parts(place, question)):
            if part.next in {None, END, *keys[at + 1 :]}:
                continue
            what = "leads back" if part.next in keys else "is no question"
            yield Fault(f"{where}.next", f"{part.next!r} {what}; name a later one")


def _texts(campaign: Campaign, quiz: Quiz) -> Iterator[Fault]:
    for locale in campaign.languages:
        for place, question in _questions(quiz):
            parts = [question.text, question.why]
            parts += [answer.label for answer in question.answers]
            if question.slider:
                parts += [question.slider.low, question.slider.high]
            if any(locale not in part for part in parts):
                yield Fault(place, f"a text is missing in {locale}", "L-14")
        for number, outcome in enumerate(quiz.outcomes, 1):
            labels = [link.label for link in outcome.links]
            if locale not in outcome.texts or any(
                locale not in each for each in labels
            ):
                place = f"quiz.outcomes[{number}]"
                yield Fault(place, f"a text is missing in {locale}", "L-14")


def _ends(quiz: Quiz) -> Iterator[Fault]:
    """Name what no way leads to, and the first way that leads nowhere."""
    reached = ways.reached(quiz)
    for at, (place, _question) in enumerate(_questions(quiz)):
        if at not in reached:
            yield Fault(place, "no answer leads to this question", "quiz")
    for outcome in ways.never(quiz):
        place = f"quiz.outcomes[{quiz.outcomes.index(outcome) + 1}]"
        yield Fault(place, "no answers lead to this outcome", "quiz")
    if way := ways.dead(quiz):
        told = " -> ".join(f"{key}: {'+'.join(way[key])}" for key in way)
        yield Fault("quiz.outcomes", f"no outcome for {told}", "quiz")


def _questions(quiz: Quiz) -> Iterator[tuple[str, Question]]:
    for number, question in enumerate(quiz.questions, 1):
        yield f"quiz.questions[{number}]", question


def _all_parts(quiz: Quiz) -> Iterator[tuple[str, Answer | Range]]:
    for place, question in _questions(quiz):
        yield from _parts(place, question)


def _parts(place: str, question: Question) -> Iterator[tuple[str, Answer | Range]]:
    name = "slider.ranges" if question.slider else "answers"
    parts: tuple[Answer | Range, ...] = rules.parts_of(question)
    for number, part in enumerate(parts, 1):
        yield f"{place}.{name}[{number}]", part
