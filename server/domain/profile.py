"""What the answers of an entry tell about a person, each under its own purpose.

They can correct it later, by the rules of what asked for it (GDPR 16).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from server.domain import answers, quiz
from server.domain.answers import BETWEEN, AnswerError, Reason
from server.domain.campaign import Campaign
from server.domain.fields import FieldKind, FormField, Option
from server.domain.quiz import Question

AttributeKind = Literal["text", "date", "number", "choices", "phone"]
# How the answer to a field is to be read where it is not just a text.
KINDS: dict[FieldKind, AttributeKind] = {
    "birthday": "date",
    "choice": "choices",
    "choices": "choices",
    "phone": "phone",
}
# A quiz is answered by keys, but for its sliders.
QUIZ_KINDS: dict[str, AttributeKind] = {
    "single": "choices",
    "multiple": "choices",
    "slider": "number",
}
CHOOSING: dict[str, FieldKind] = {"single": "choice", "multiple": "choices"}
# What asks for an attribute: a field, or the one question of a quiz that is like none.
Asking = FormField | Question


@dataclass(frozen=True, slots=True)
class Attribute:
    """One fact about a person, to be kept only while `purpose` has their yes.

    `value` is a text; a date is `--MM-DD`, a number is decimal, choices are keys
    with commas between them, a phone number is E.164.
    """

    key: str
    kind: AttributeKind
    value: str
    purpose: str


def campaign_attributes(
    campaign: Campaign, stored: Mapping[str, str]
) -> list[Attribute]:
    """Return what stored answers tell, if each purpose had a yes (CR-10)."""
    return [
        Attribute(name, kind, value, purpose)
        for key, name, kind, purpose in _asked(campaign)
        if (value := stored.get(key, ""))
    ]


def tells(campaign: Campaign) -> bool:
    """Return whether any answer to a campaign can become an attribute."""
    return bool(_asked(campaign))


def _asked(campaign: Campaign) -> list[tuple[str, str, AttributeKind, str]]:
    """Return key, attribute, kind and purpose of all that is asked for a purpose."""
    asked: list[tuple[str, str, AttributeKind, str | None]] = [
        (field.key, field.key, KINDS.get(field.kind, "text"), field.purpose)
        for field in campaign.fields
    ]
    for question in campaign.quiz.questions if campaign.quiz else ():
        name, kind = question.attribute or question.key, QUIZ_KINDS[question.kind]
        asked.append((question.key, name, kind, question.purpose))
    return [(key, name, kind, purpose) for key, name, kind, purpose in asked if purpose]


def asking(campaign: Campaign, name: str, value: str) -> Asking | None:
    """Return what asks for an attribute in a campaign; None where nothing does.

    Its key is the attribute's name, and what a quiz lets choose is a field like that
    of a form. Of questions in different branches that tell of the same, it is the one
    that has `value` among its answers.
    """
    found: list[Asking] = [field for field in campaign.fields if field.key == name]
    for question in campaign.quiz.questions if campaign.quiz else ():
        if name == (question.attribute or question.key):
            found.append(_as_asked(question, name))
    last = found[-1] if found else None
    return next((each for each in found if _has(each, value)), last)


def kind_of(asked: Asking) -> AttributeKind:
    """Return how what is answered is to be read."""
    if isinstance(asked, Question):
        return QUIZ_KINDS[asked.kind]
    return KINDS.get(asked.kind, "text")


def take(asked: Asking, form: Mapping[str, str]) -> dict[str, str]:
    """Return what was typed into what asks for an attribute, by input."""
    if isinstance(asked, FormField):
        return answers.take(form, [asked])
    return {asked.key: text} if (text := answers.plain(form.get(asked.key, ""))) else {}


def correction(asked: Asking, typed: Mapping[str, str], *, country: str) -> str:
    """Return what somebody would rather have kept, by the rules that it was asked by.

    Raises `AnswerError`, also where nothing was typed: to remove it is another press.
    """
    if isinstance(asked, FormField):
        wanted = asked.model_copy(update={"required": True})
        return answers.read(wanted, typed, country=country)
    if not (text := typed.get(asked.key)):
        raise AnswerError(Reason.MISSING)
    if not (answered := _answered(asked, text)):
        raise AnswerError(Reason.NOT_OFFERED)
    return BETWEEN.join(answered)


def as_typed(asked: Asking, value: str) -> dict[str, str]:
    """Return by input how a form shows what is kept."""
    if isinstance(asked, Question) or asked.kind not in {"birthday", "choices"}:
        return {asked.key: value}
    names = answers.inputs(asked)
    if asked.kind == "choices":
        chosen = {f"{asked.key}.{key}" for key in value.split(BETWEEN)}
        return {name: answers.YES for name in names if name in chosen}
    _none, _year, month, day = f"{value}---".split("-")[:4]
    return {names[0]: day.lstrip("0"), names[1]: month.lstrip("0")}


def _as_asked(question: Question, name: str) -> Asking:
    if question.kind not in CHOOSING:
        return question.model_copy(update={"key": name})
    # Its reason may be longer than a field's, so it is not checked as one.
    return FormField.model_construct(
        key=name,
        kind=CHOOSING[question.kind],
        label=question.text,
        why=question.why,
        options=tuple(
            Option(key=answer.key, label=answer.label) for answer in question.answers
        ),
    )


def _has(asked: Asking, value: str) -> bool:
    """Return whether a value is among what can be answered, where that is given."""
    if isinstance(asked, Question):
        return bool(_answered(asked, value))
    options = {option.key for option in asked.options}
    return not options or options.issuperset(value.split(BETWEEN))


def _answered(asked: Question, text: str) -> tuple[str, ...]:
    return quiz.taken({quiz.PREFIX + asked.key: text}, asked)
