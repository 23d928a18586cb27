"""The questions of a form as its templates show them, in one language."""

from dataclasses import dataclass

from babel import Locale as BabelLocale

from server.domain.answers import LONGEST_TEXT, LONGEST_VALUE
from server.domain.campaign import Campaign
from server.domain.fields import FormField
from server.domain.parts import Locale

# Names by which a browser knows what belongs here (WCAG 1.3.5).
AUTOCOMPLETE = {
    "first_name": "given-name",
    "last_name": "family-name",
    "name": "name",
    "company": "organization",
    "city": "address-level2",
    "street": "street-address",
    "postcode": "postal-code",
    "phone": "tel",
}
# More than these stand in a list that opens.
MOST_IN_SIGHT = 6


@dataclass(frozen=True, slots=True)
class Question:
    """One field. `only_with` is the title of the purpose it is kept for, if any."""

    key: str
    kind: str
    required: bool
    label: str
    why: str
    options: tuple[tuple[str, str], ...]
    step: str | None
    only_with: str | None
    longest: int

    @property
    def autocomplete(self) -> str | None:
        return AUTOCOMPLETE.get(self.key) or AUTOCOMPLETE.get(self.kind)

    @property
    def is_group(self) -> bool:
        """Return whether it has several inputs under one heading."""
        return self.kind in {"birthday", "choices"} or (
            self.kind == "choice" and len(self.options) <= MOST_IN_SIGHT
        )


def shown(campaign: Campaign, locale: Locale, extra: str | None) -> list[Question]:
    """Return what is asked at a visit at which `extra` is the extra question."""
    titles = {p.key: p.texts[locale].title for p in campaign.asked_in(locale)}
    return [question(asked, locale, titles) for asked in campaign.asked(extra)]


def question(asked: FormField, locale: Locale, titles: dict[str, str]) -> Question:
    """Return one field; `titles` are those of the purposes that it may be kept for."""
    return Question(
        key=asked.key,
        kind=asked.kind,
        required=asked.required,
        label=asked.label[locale],
        why=asked.why[locale],
        options=tuple((o.key, o.label[locale]) for o in asked.options),
        step=asked.step,
        only_with=titles.get(asked.purpose) if asked.purpose else None,
        longest=LONGEST_TEXT if asked.kind == "long" else LONGEST_VALUE,
    )


def months(locale: Locale) -> list[tuple[int, str]]:
    """Return the months by number, as a calendar names them."""
    names = BabelLocale.parse(locale).months["stand-alone"]["wide"]
    return sorted(names.items())
