"""Where a campaign appears, in which shape, and when it may open by itself."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from server.domain.parts import Code, Key, Locale, Part

LONGEST_PAGE = 200

Channel = Literal["web", "till", "box", "link"]
# `inline` stands where its tag does; `bar` and `tab` are a button that opens a dialog;
# `page` has an address of its own and no tag.
Shape = Literal["inline", "dialog", "slide", "bar", "tab", "page"]
PageKind = Literal["home", "category", "product", "basket", "checkout", "done", "other"]
# A path with `*` for any number of letters, and a query if it starts with `?`.
Pattern = Annotated[
    str, StringConstraints(pattern=r"^[/?*][^\s\x00-\x1f#]*$", max_length=200)
]
QueryPattern = Annotated[
    str, StringConstraints(pattern=r"^\?[^\s\x00-\x1f#]+$", max_length=200)
]
# The part of CSS that names a button. One that a browser cannot read would be an
# error of ours at every press on the shop's page.
_NAME = r"[A-Za-z_][\w-]*"
_VALUE = rf"(?:'[^'\\\n]*'|\"[^\"\\\n]*\"|{_NAME})"
_MARKED = rf"(?:[#.]{_NAME}|\[{_NAME}(?:[~|^$*]?={_VALUE})?\])"
_COMPOUND = rf"(?:(?:\*|{_NAME}){_MARKED}*|{_MARKED}+)"
_COMPLEX = rf"{_COMPOUND}(?:(?: *[>+~] *| +){_COMPOUND})*"
SELECTOR = re.compile(rf"{_COMPLEX}(?: *, *{_COMPLEX})*", re.ASCII)


def _is_selector(text: str) -> str:
    if not SELECTOR.fullmatch(text):
        raise PydanticCustomError(
            "selector",
            "name it by tags, #ids, .classes and [attributes], like [data-play='x']",
        )
    return text


Selector = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(_is_selector),
]
EventName = Annotated[str, StringConstraints(pattern=r"^[\w.:-]{1,60}$")]


class Views(Part):
    """So many pages of a kind."""

    kind: PageKind | Literal["any"] = "any"
    least: int = Field(ge=1, le=50)


class Basket(Part):
    """What the basket holds, as the page tells it."""

    least_items: int = Field(default=1, ge=0, le=1_000)
    least_cents: int = Field(default=0, ge=0, le=100_000_00)
    most_cents: int | None = Field(default=None, ge=0, le=100_000_00)


class Trigger(Part):
    """What makes a placement open by itself, alone (`any`) or together (`all`).

    A press on `selector` opens it at any time, and counts with nothing else.
    """

    match: Literal["any", "all"] = "any"
    # Leaving through the top; on touch, what honestly resembles it.
    exit_intent: bool = False
    exit_touch: tuple[Literal["flick", "return", "idle"], ...] = ("flick", "return")
    delay_seconds: float | None = Field(default=None, ge=0, le=3_600)
    scroll_percent: int | None = Field(default=None, ge=1, le=100)
    idle_seconds: float | None = Field(default=None, ge=3, le=3_600)
    views: Views | None = None
    basket: Basket | None = None
    order: bool = False
    event: EventName | None = None
    selector: Selector | None = None


class Where(Part):
    """On which pages and for whom it may open by itself."""

    include: tuple[Pattern, ...] = Field(default=(), max_length=50)
    exclude: tuple[Pattern, ...] = Field(default=(), max_length=50)
    # The language that the page says it is in.
    languages: tuple[Annotated[str, StringConstraints(pattern="^[a-z]{2}$")], ...] = ()
    visit: Literal["new", "returning"] | None = None
    # Also who comes from a mail of the shop's own, and has just been asked there.
    from_mail: bool = False


class Placement(Part):
    """Where a campaign appears. `height` is reserved before the frame loads."""

    code: Code
    channel: Channel = "web"
    shape: Shape
    language: Locale | None = None
    height: int | None = Field(default=None, ge=200, le=2_000)
    trigger: Trigger = Trigger()
    where: Where = Where()

    @property
    def momentary(self) -> list[Key]:
        """Return the triggers that are over in the moment in which they happen."""
        names = ("exit_intent", "event")
        return [name for name in names if getattr(self.trigger, name)]

    @property
    def opens_itself(self) -> bool:
        """Return whether anything but a press opens it."""
        return self.trigger.model_copy(update={"selector": None}) != Trigger()


def page_of(address: str, sites: tuple[str, ...]) -> str:
    """Return origin and path of a page of the shop's own, else nothing (PR-02).

    A query may name a person, so it is never kept.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    origin = f"{parts.scheme}://{parts.netloc}"
    if origin not in sites:
        return ""
    return f"{origin}{parts.path or '/'}"[:LONGEST_PAGE]


def site_of(page: str, sites: tuple[str, ...]) -> str:
    """Return the shop's site that a page of ours stands in, else the shop's first."""
    return next((site for site in sites if page.startswith(f"{site}/")), sites[0])
