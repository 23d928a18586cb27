"""What a campaign is: one readable file, checked whole before anything is stored.

The pydantic models name the place of every fault (`prizes[2].weight`); what needs
more than one place to judge is in `domain/lint`.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import ErrorDetails

T = TypeVar("T")

LONGEST_DAYS = 366

Locale = Literal["nl", "en"]
Channel = Literal["web", "till", "box", "link"]
Mechanic = Literal["scratch"]
Flow = Literal["play-first", "form-first"]
Shape = Literal["inline", "dialog"]

Code = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$")
]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Line = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=160,
        pattern=r"^[^\x00-\x1f\x7f]+$",
    ),
]
# Several lines; no other control character, because pages mark their own places so.
LINES = r"^[^\x00-\x08\x0b-\x1f\x7f]+$"
Prose = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=4_000, pattern=LINES
    ),
]
Sentence = Annotated[
    str, StringConstraints(min_length=1, max_length=400, pattern=LINES)
]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]
Origin = Annotated[
    str, StringConstraints(pattern=r"^https?://[a-z0-9.-]{1,253}(?::[0-9]{1,5})?$")
]
Mailbox = Annotated[
    str,
    StringConstraints(
        max_length=254,
        pattern=r"^[A-Za-z0-9._%+-]{1,64}@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.[a-z]{2,}$",
    ),
]


class _Part(BaseModel):
    """A frozen table of the file; unknown keys are faults, not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sender(_Part):
    """Whom the mails come from."""

    name: Line
    email: Mailbox


class Legal(_Part):
    """The controller in ledger, notice and receipt (GDPR 13(1)(a); L-01)."""

    name: Line
    address: Line
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    email: Mailbox
    phone: Line
    privacy_url: HttpUrl


class ShopFile(_Part):
    """One shop: the tenant, its sites and who answers for its data."""

    format: Literal[1]
    code: Code
    name: Line
    language: Locale = "nl"
    sites: tuple[Origin, ...] = Field(min_length=1, max_length=20)
    sender: Sender
    legal: Legal


class Words(_Part):
    """What the game says around the play, in one language."""

    title: Line
    intro: Sentence
    play: Line
    foil: Line
    won: Line
    lost: Line


class FormField(_Part):
    """One thing we ask beside the address. Optional unless `required` (CR-09)."""

    key: Key
    required: bool = False
    label: dict[Locale, Line]
    why: dict[Locale, Line]


class PurposeText(_Part):
    """The wording of one consent in one language (CR-04).

    The controller and the channel are added from the shop and the purpose, so that
    no text can leave them out.
    """

    title: Line
    ask: Sentence
    frequency: Line
    stop: Line


class Purpose(_Part):
    """What a person may say yes to. A language without text is never asked (CR-14)."""

    key: Key
    channel: Literal["email"]
    texts: dict[Locale, PurposeText]


class PrizeText(_Part):
    """A prize in one language: its name and how to use it."""

    label: Line
    claim: Sentence


class Prize(_Part):
    """Something a draw can award. Without `stock` it never runs out."""

    key: Key
    kind: Literal["voucher", "none"]
    weight: int = Field(ge=0, le=1_000_000_000)
    stock: int | None = Field(default=None, ge=0, le=1_000_000)
    value_cents: int = Field(default=0, ge=0, le=100_000_00)
    code: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9-]{3,40}$")] | None = None
    texts: dict[Locale, PrizeText]


class Trigger(_Part):
    """When a dialog opens by itself; a click on `selector` opens it at any time."""

    delay_seconds: float | None = Field(default=None, ge=0, le=3_600)
    selector: Annotated[str, StringConstraints(max_length=200)] | None = None


class Placement(_Part):
    """Where a campaign appears. `height` is reserved before the frame loads."""

    code: Code
    channel: Channel = "web"
    shape: Shape
    language: Locale | None = None
    height: int = Field(default=640, ge=200, le=2_000)
    trigger: Trigger = Trigger()


class Theme(_Part):
    """A shop sets tokens and nothing else; contrast is computed (`domain/theme`)."""

    accent: Colour = "#e8590c"
    support: Colour = "#12372a"
    foil: Literal["grain", "stripes", "dots"] = "grain"
    corner: Literal["sharp", "soft", "round"] = "soft"


class Section(_Part):
    """A heading and its text, in the game terms."""

    heading: Line
    text: Prose


class Notice(_Part):
    """What the Article 13 notice says beyond what the data itself tells (CR-06)."""

    recipients: Prose
    transfers: Prose
    retention: Prose
    profiling: Prose


class Campaign(_Part):
    """A promotion as its file says it."""

    format: Literal[1]
    code: Code
    shop: Code
    mechanic: Mechanic
    flow: Flow
    languages: tuple[Locale, ...] = Field(min_length=1)
    countries: tuple[Literal["NL", "DE", "GB", "IE", "LU", "AT"], ...] = Field(
        min_length=1
    )
    starts: AwareDatetime | None = None
    ends: AwareDatetime | None = None
    days: int | None = Field(default=None, ge=1, le=LONGEST_DAYS)
    minimum_age: Literal[18] = 18
    entries_per_address: int | None = Field(default=None, ge=1, le=1_000)
    fallback: Key
    name: dict[Locale, Line]
    texts: dict[Locale, Words]
    theme: Theme = Theme()
    fields: tuple[FormField, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    prizes: tuple[Prize, ...] = Field(min_length=1, max_length=24)
    placements: tuple[Placement, ...] = Field(min_length=1, max_length=50)
    notice: dict[Locale, Notice]
    terms: dict[Locale, tuple[Section, ...]]

    def asked_in(self, locale: Locale) -> tuple[Purpose, ...]:
        """Return the purposes that have an approved text in this language (CR-14)."""
        return tuple(p for p in self.purposes if locale in p.texts)

    def prize(self, key: str) -> Prize:
        """Return the prize of that key; raises StopIteration for a foreign one."""
        return next(prize for prize in self.prizes if prize.key == key)

    def window(self, published: datetime) -> tuple[datetime, datetime]:
        """Return when it opens and closes, counted from its publication if need be."""
        opens = self.starts or published
        return opens, self.ends or opens + timedelta(days=self.days or LONGEST_DAYS)

    def language(self, *wishes: str | None) -> Locale:
        """Return the first wish this campaign speaks, else its own first language."""
        for wish in wishes:
            for locale in self.languages:
                if wish and wish.split("-")[0].lower() == locale:
                    return locale
        return self.languages[0]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a file, and where. Only refusals stop an import."""

    place: str
    what: str
    rule: str = "form"
    refuses: bool = True


class FileError(Exception):
    """A file cannot be used; `faults` names every reason by its place."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{fault.place}: {fault.what}" for fault in faults))


_CAMPAIGN = TypeAdapter(Campaign)
_SHOP = TypeAdapter(ShopFile)


def parse_campaign(data: dict[str, Any]) -> Campaign:
    """Read a campaign file's tables. Raises `FileError` naming every fault."""
    return _checked(_CAMPAIGN, data)


def parse_shop(data: dict[str, Any]) -> ShopFile:
    """Read a shop file's tables. Raises `FileError` naming every fault."""
    return _checked(_SHOP, data)


def _checked(shape: "TypeAdapter[T]", data: dict[str, Any]) -> T:
    try:
        return shape.validate_python(data)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise FileError(
            [
                Fault(place=_place(detail["loc"]), what=_sentence(detail["msg"]))
                for detail in details
                if not _follows(detail, details)
            ]
        ) from error


def _follows(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Return whether a list only seems too short, for lack of its faulty items."""
    depth = len(detail["loc"])
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > depth and other["loc"][:depth] == detail["loc"]
        for other in details
    )


def _place(loc: tuple[int | str, ...]) -> str:
    """Write `("prizes", 2, "weight")` as `prizes[3].weight`, counted as people do."""
    text = ""
    for step in loc:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}"
    return text.lstrip(".") or "the file"


def _sentence(message: str) -> str:
    return re.sub(r"^Input should", "this should", message)


def as_tables(part: Campaign | ShopFile) -> dict[str, Any]:
    """Return the tables that read back to the same file; what is unset is left out."""
    return part.model_dump(mode="json", exclude_none=True, exclude_defaults=False)
