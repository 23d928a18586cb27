"""What the answers of an entry tell about a person, each under its own purpose."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from server.domain.campaign import Campaign
from server.domain.fields import FieldKind

AttributeKind = Literal["text", "date", "number", "choices"]
# How the answer to a field is to be read where it is not just a text.
KINDS: dict[FieldKind, AttributeKind] = {
    "birthday": "date",
    "choice": "choices",
    "choices": "choices",
}


@dataclass(frozen=True, slots=True)
class Attribute:
    """One fact about a person, to be kept only while `purpose` has their yes.

    `value` is a text; a date is `--MM-DD`, a number is decimal, choices are keys
    with commas between them.
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
        Attribute(asked.key, KINDS.get(asked.kind, "text"), value, asked.purpose)
        for asked in campaign.fields
        if asked.purpose and (value := answers.get(asked.key, ""))
    ]
