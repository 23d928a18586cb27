"""A page as a tree, read as leniently as a browser does."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

# These never hold anything, so they need no closing tag.
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta"}
VOID |= {"source", "track", "wbr"}


@dataclass(slots=True)
class Element:
    """One element. Its children are elements and pieces of text."""

    tag: str
    attrs: dict[str, str]
    children: list["Element | str"] = field(default_factory=list)

    def walk(self) -> Iterator["Element"]:
        """Yield this element and all within it, in document order."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def all(self, *tags: str, **attrs: str) -> list["Element"]:
        """Return the elements within of these tags with exactly these attributes.

        An underscore stands for a hyphen: `hx_post="/x"`; `class_` for `class`.
        """
        wanted = {name.rstrip("_").replace("_", "-"): v for name, v in attrs.items()}
        return [
            element
            for element in self.walk()
            if (not tags or element.tag in tags)
            and all(element.attrs.get(name) == v for name, v in wanted.items())
        ]

    def one(self, *tags: str, **attrs: str) -> "Element":
        """Return the only such element."""
        found = self.all(*tags, **attrs)
        assert len(found) == 1, f"{len(found)} elements are {tags} {attrs}, not one"
        return found[0]

    def by_id(self, name: str) -> "Element":
        """Return the element of that id."""
        return self.one(id=name)

    @property
    def text(self) -> str:
        """Return what is read, with single spaces."""
        return " ".join("".join(self._pieces()).split())

    def _pieces(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag not in {"script", "style", "template"}:
                # Neighbouring blocks are not one word.
                yield from (" ", *child._pieces(), " ")


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("#root", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self._open) - 1, 0, -1):
            if self._open[depth].tag == tag:
                del self._open[depth:]
                return

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def parse(text: str) -> Element:
    """Return the root, which holds what the text holds."""
    builder = _Builder()
    builder.feed(text)
    builder.close()
    return builder.root
