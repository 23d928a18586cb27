"""What a form asks beside the address, in which steps, and what the page tells it."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from server.domain.parts import Key, Line, Locale, Part
from server.domain.picture import SceneName

FieldKind = Literal[
    "text", "name", "birthday", "postcode", "phone", "choice", "choices", "long"
]
CHOOSING = frozenset({"choice", "choices"})
MOST_OPTIONS = 40
# A mail greets people by this one, so it is never anything but a name (AB-06).
GREETED_BY = "first_name"


class Option(Part):
    """One answer to choose."""

    key: Key
    label: dict[Locale, Line]


class FormField(Part):
    """One thing we ask beside the address. Optional unless `required` (CR-09).

    With a `purpose` the answer becomes an attribute of the person, and only once
    they confirmed that purpose. With a `tier` it is an extra question: one of those
    is asked at a visit, the lowest tier first.
    """

    key: Key
    kind: FieldKind = "text"
    required: bool = False
    label: dict[Locale, Line]
    why: dict[Locale, Line]
    options: tuple[Option, ...] = Field(default=(), max_length=MOST_OPTIONS)
    step: Key | None = None
    purpose: Key | None = None
    tier: int | None = Field(default=None, ge=1, le=20)

    @model_validator(mode="before")
    @classmethod
    def _greets(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        if isinstance(options := data.get("options"), list):
            # Once looked at, it is no JSON any more, and only there a list is a tuple.
            data = data | {"options": tuple(options)}
        return {"kind": "name"} | data if data.get("key") == GREETED_BY else data


class FormStep(Part):
    """One page of a form that is filled in bit by bit."""

    key: Key
    title: dict[Locale, Line]


class HiddenField(Part):
    """Something that the page around the form tells: a campaign name, an order."""

    key: Key
    source: Annotated[
        str,
        StringConstraints(
            pattern=r"^(?:query:[A-Za-z0-9_.-]{1,60}|data:[a-z][a-z0-9-]{0,39}"
            r"|order:(?:reference|amount)|path)$"
        ),
    ] = Field(alias="from")


class FormLook(Part):
    """How a form stands on the page, and whether it is for the consents alone.

    `compact` is one line that unfolds. Where there is nothing to win and nothing
    was said yes to, there is nothing to keep either: the form comes back and says
    so, unless `needs_yes` is false, as for a question that wants an answer.
    """

    layout: Literal["open", "compact"] = "open"
    needs_yes: bool = True
    # Stands where a letter or a leaf of a calendar would.
    picture: SceneName | None = None
