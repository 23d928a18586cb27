"""What the answers of an entry tell about a person, each under its own purpose."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from server.domain.campaign import Campaign
from server.domain.fields import FieldKind

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
    campaign: Campaign, answers: Mapping[str, str]
) -> list[Attribute]:
    """Return what stored answers tell, if each purpose had a yes (CR-10)."""
    return [
        Attribute(name, kind, value, purpose)
        for key, name, kind, purpose in _asked(campaign)
        if (value := answers.get(key, ""))
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
