"""What a quiz may not be: above all, a way that leads to no outcome."""

from collections import Counter
from collections.abc import Iterator

from server.domain import quiz as rules
from server.domain.campaign import Campaign
from server.domain.lint.form import SPECIAL
from server.domain.parts import Fault
from server.domain.quiz import END, Answer, Question, Quiz, Range

# Ways that are walked one by one; past it, an outcome for all others is needed.
MOST_WAYS = 20_000
LEAST_ANSWERS = 2


def faults(campaign: Campaign) -> Iterator[Fault]:
    """Yield what is wrong with a quiz, or that it is missing or out of place."""
    quiz = campaign.quiz
    if (quiz is None) == (campaign.mechanic == "quiz"):
        yield Fault("quiz", "the mechanic quiz has one, and no other has", "quiz")
    if quiz is None:
        return
    if campaign.flow != "play-first":
        yield Fault("flow", "the result comes before the address: play-first", "CR-10")
    found = [*_keys(campaign, quiz), *_shape(quiz), *_nexts(quiz), *_texts(campaign)]
    yield from found
    if not any(fault.refuses for fault in found):
        yield from _unreachable(quiz)
        yield from _dead_ways(quiz)


def _keys(campaign: Campaign, quiz: Quiz) -> Iterator[Fault]:
    names = [q.key for q in quiz.questions] + [f.key for f in campaign.fields]
    outcomes = [each.key for each in quiz.outcomes]
    for key, times in Counter(names).items():
        if times > 1 or key == END:
            yield Fault("quiz.questions", f"{key!r} is taken", "unique")
    for key, times in Counter(outcomes).items():
        if times > 1:
            yield Fault("quiz.outcomes", f"{key!r} is taken", "unique")
    purposes = {purpose.key for purpose in campaign.purposes}
    for place, question in _questions(quiz):
        if question.purpose and question.purpose not in purposes:
            what = f"there is no purpose {question.purpose!r}"
            yield Fault(f"{place}.purpose", what, "CR-10")
        for where, part in _parts(place, question):
            for outcome in set(part.points) - set(outcomes):
                yield Fault(f"{where}.points", f"there is no outcome {outcome!r}")
    yield from _outcome_keys(campaign, quiz)


def _outcome_keys(campaign: Campaign, quiz: Quiz) -> Iterator[Fault]:
    prizes = {prize.key for prize in campaign.prizes}
    asked = {question.key: question for question in quiz.questions}
    for number, outcome in enumerate(quiz.outcomes, 1):
        place = f"quiz.outcomes[{number}]"
        if outcome.prize and outcome.prize not in prizes:
            yield Fault(f"{place}.prize", f"there is no prize {outcome.prize!r}")
        if outcome.prize and campaign.award != "outcome":
            yield Fault(f"{place}.prize", 'needs award = "outcome"', "PZ-01")
        for count, condition in enumerate(outcome.when, 1):
            where = f"{place}.when[{count}]"
            question = asked.get(condition.question)
            if question is None:
                yield Fault(where, f"there is no question {condition.question!r}")
                continue
            known = {answer.key for answer in question.answers}
            for key in set(condition.any_of) - known:
                yield Fault(f"{where}.any_of", f"there is no answer {key!r}")
            if bool(condition.any_of) == (question.kind == "slider"):
                yield Fault(where, "a slider has numbers, all others have any_of")


def _shape(quiz: Quiz) -> Iterator[Fault]:
    for place, question in _questions(quiz):
        is_slider = question.kind == "slider"
        if is_slider != (question.slider is not None) or (
            is_slider and question.answers
        ):
            yield Fault(place, "a slider has `slider`, all others have `answers`")
        elif not is_slider and len(question.answers) < LEAST_ANSWERS:
            yield Fault(f"{place}.answers", "give at least two to choose from")
        if question.slider and question.slider.ranges[-1].up_to < question.slider.most:
            yield Fault(f"{place}.slider.ranges", "the last one ends before the slider")
        if question.slider and question.slider.least >= question.slider.most:
            yield Fault(f"{place}.slider", "it ends before it begins")
        if question.kind == "multiple" and any(each.next for each in question.answers):
            yield Fault(f"{place}.answers", "of several answers none can lead on")
        for text in (*question.text.values(), *question.why.values()):
            if found := SPECIAL.search(text):
                yield Fault(f"{place}.text", f"{found[0]!r} is nobody's to ask", "L-18")


def _nexts(quiz: Quiz) -> Iterator[Fault]:
    """Each way leads forward, so that none of them can go round."""
    keys = [question.key for question in quiz.questions]
    for at, (place, question) in enumerate(_questions(quiz)):
        for where, part in ((place, question), *_parts(place, question)):
            if part.next in {None, END, *keys[at + 1 :]}:
                continue
            what = "leads back" if part.next in keys else "is no question"
            yield Fault(f"{where}.next", f"{part.next!r} {what}; name a later one")


def _texts(campaign: Campaign) -> Iterator[Fault]:
    quiz = campaign.quiz
    if quiz is None:
        return
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


def _unreachable(quiz: Quiz) -> Iterator[Fault]:
    reached = {0}
    for at, (place, question) in enumerate(_questions(quiz)):
        if at not in reached:
            yield Fault(place, "no answer leads to this question")
        nexts = {part.next for _where, part in _parts(place, question)}
        if question.kind == "multiple":
            nexts = {None}
        reached |= {
            rules.place_of(quiz, each or question.next, at) for each in nexts or {None}
        }


def _dead_ways(quiz: Quiz) -> Iterator[Fault]:
    """Name the first way to nowhere; a way is told by what is answered on it."""
    if quiz.decide == "rules" and not quiz.outcomes[-1].when:
        return
    for ways, way in enumerate(_ways(quiz, {}), 1):
        if ways > MOST_WAYS:
            yield Fault(
                "quiz.outcomes",
                f"more than {MOST_WAYS} ways: end with an outcome without `when`"
                if quiz.decide == "rules"
                else f"more than {MOST_WAYS} ways to check: ask less",
            )
            return
        if rules.decide(quiz, way) is None:
            told = " -> ".join(f"{key}: {'+'.join(way[key])}" for key in way)
            yield Fault("quiz.outcomes", f"no outcome for {told}", "quiz")
            return


def _ways(quiz: Quiz, sheet: dict[str, tuple[str, ...]]) -> Iterator[rules.Sheet]:
    question = rules.open_question(quiz, sheet)
    if question is None:
        yield sheet
        return
    for answered in _telling(quiz, question):
        yield from _ways(quiz, sheet | {question.key: answered})


def _telling(quiz: Quiz, question: Question) -> Iterator[tuple[str, ...]]:
    """Yield the answers that can make a difference.

    By points, answers only add to each other: if one alone scores, more of them do.
    A slider differs at the ends of its ranges and of what rules ask.
    """
    if quiz.decide == "points" and question.kind == "multiple":
        yield from ((answer.key,) for answer in question.answers)
    elif quiz.decide == "points" and question.slider:
        seen = set()
        for (number,) in rules.choices(question):
            part = rules.part_of(question.slider, int(number))
            if id(part) not in seen:
                seen.add(id(part))
                yield (number,)
    else:
        yield from rules.choices(question)


def _questions(quiz: Quiz) -> Iterator[tuple[str, Question]]:
    for number, question in enumerate(quiz.questions, 1):
        yield f"quiz.questions[{number}]", question


def _parts(place: str, question: Question) -> Iterator[tuple[str, Answer | Range]]:
    for number, answer in enumerate(question.answers, 1):
        yield f"{place}.answers[{number}]", answer
    for number, part in enumerate(question.slider.ranges if question.slider else (), 1):
        yield f"{place}.slider.ranges[{number}]", part
