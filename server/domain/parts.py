"""What the tables of a file are made of, and how the faults of a file are named."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import ErrorDetails

T = TypeVar("T")

Locale = Literal["nl", "en"]
LOCALES: tuple[Locale, ...] = get_args(Locale)

# A year with a digit too many or too few is a slip, and days are counted from it.
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2100, 1, 1, tzinfo=UTC)),
]
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
Short = Annotated[Line, StringConstraints(max_length=24)]
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


class Part(BaseModel):
    """A frozen table of the file; unknown keys are faults, not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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


def checked(shape: "TypeAdapter[T]", data: dict[str, Any]) -> T:
    """Read a file's tables. Raises `FileError` naming every fault by its place.

    They are read strictly, so `weight = true` is no 1 and `days = "90"` no 90; read as
    JSON, because only there a list still is a tuple and a moment may be a text.
    """
    try:
        return shape.validate_json(json.dumps(data, default=str), strict=True)
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
        if isinstance(step, str) and "[" in step:
            # One of the shapes that a value may have, in pydantic's words.
            continue
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}"
    return text.lstrip(".") or "the file"


def _sentence(message: str) -> str:
    return re.sub(r"^Input should", "this should", message)


def as_tables(part: Part) -> dict[str, Any]:
    """Return the tables that read back to the same file; what is unset is left out."""
    return part.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude_defaults=False
    )
