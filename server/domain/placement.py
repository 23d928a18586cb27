"""Where and when a campaign appears."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints

from server.domain.parts import Code, Locale, Part

LONGEST_PAGE = 200

Channel = Literal["web", "till", "box", "link"]
Shape = Literal["inline", "dialog", "page"]


class Trigger(Part):
    """When a dialog opens by itself; a click on `selector` opens it at any time."""

    delay_seconds: float | None = Field(default=None, ge=0, le=3_600)
    selector: Annotated[str, StringConstraints(max_length=200)] | None = None


class Placement(Part):
    """Where a campaign appears. `height` is reserved before the frame loads."""

    code: Code
    channel: Channel = "web"
    shape: Shape
    language: Locale | None = None
    height: int = Field(default=640, ge=200, le=2_000)
    trigger: Trigger = Trigger()


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
