"""The pictures that a file names, and what each of them is for.

In a file of the shop's own it is a path relative to that file; once imported it is
the name of what we made of it: the hash of its bytes.
"""

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from server.domain.parts import Part

P = TypeVar("P", bound=Part)

STORED = re.compile(r"[0-9a-f]{64}\.webp")
# No step of the path may lead up, out or into a hidden folder.
STEP = r"[A-Za-z0-9_][A-Za-z0-9_. -]*"
PATH = re.compile(rf"(?:{STEP}/)*{STEP}\.(?i:png|jpe?g|webp|gif)")
MOST_LETTERS = 200


class Picture(str):
    """The name of a picture. `edge` is the longest side that its use needs, in pixels.

    Twice what the widest screen shows of it, so that it is sharp on a dense one.
    """

    __slots__ = ()
    edge: ClassVar[int]
    # Drawings keep every pixel; photographs do not need to.
    is_drawing: ClassVar[bool] = False

    @property
    def is_stored(self) -> bool:
        """Return whether this is a name we gave, not a path of the shop's."""
        return bool(STORED.fullmatch(self))


class Logo(Picture):
    """The mark of a shop."""

    __slots__ = ()
    edge = 480
    is_drawing = True


class Foil(Picture):
    """What a scratch card is covered with."""

    __slots__ = ()
    edge = 800


class Tile(Picture):
    """One answer among others."""

    __slots__ = ()
    edge = 480


class Scene(Picture):
    """A picture as wide as the words under it."""

    __slots__ = ()
    edge = 960


def _naming(use: type[Picture]) -> AfterValidator:
    """Take the path of a picture beside its file, and nothing else."""

    def named(text: str) -> Picture:
        if len(text) > MOST_LETTERS or not PATH.fullmatch(text):
            raise PydanticCustomError(
                "picture",
                "this should be the path of a PNG, JPEG, WebP or GIF beside this file, "
                "like pictures/logo.png",
            )
        return use(text)

    return AfterValidator(named)


LogoName = Annotated[str, _naming(Logo)]
FoilName = Annotated[str, _naming(Foil)]
TileName = Annotated[str, _naming(Tile)]
SceneName = Annotated[str, _naming(Scene)]


def pictures_in(part: Part) -> dict[str, Picture]:
    """Return every picture that a file names, by its place: `theme.logo`."""
    return dict(_walk(part, ""))


def renamed(part: P, rename: Callable[[Picture], str]) -> P:
    """Return the same file with its pictures under other names."""
    changed: P = _changed(part, rename)
    return changed


def _walk(value: Any, place: str) -> Iterator[tuple[str, Picture]]:
    if isinstance(value, Picture):
        yield place, value
    elif isinstance(value, Part):
        for name in type(value).model_fields:
            yield from _walk(getattr(value, name), f"{place}.{name}".lstrip("."))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(inner, f"{place}.{key}")
    elif isinstance(value, tuple):
        for number, inner in enumerate(value, 1):
            yield from _walk(inner, f"{place}[{number}]")


def _changed(value: Any, rename: Callable[[Picture], str]) -> Any:
    if isinstance(value, Picture):
        return type(value)(rename(value))
    if isinstance(value, Part):
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        return value.model_copy(
            update={name: _changed(old, rename) for name, old in fields.items()}
        )
    if isinstance(value, dict):
        return {key: _changed(inner, rename) for key, inner in value.items()}
    if isinstance(value, tuple):
        return tuple(_changed(inner, rename) for inner in value)
    return value
