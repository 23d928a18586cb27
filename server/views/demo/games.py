"""What there is to try in the demo, read once from the file beside this one."""

import json
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from server.views.demo.catalogue import Words


@dataclass(frozen=True, slots=True)
class Group:
    """Demonstrations of one kind."""

    key: str
    name: Words
    intro: Words


@dataclass(frozen=True, slots=True)
class Call:
    """A button that calls the widget as a script of the shop would."""

    label: Words
    call: list[Any]

    @property
    def as_json(self) -> str:
        """Return the call as the page's script reads it."""
        return json.dumps(self.call)

    @property
    def as_code(self) -> str:
        """Return the call as a developer writes it."""
        return f"jawoord({', '.join(json.dumps(each) for each in self.call)})"


@dataclass(frozen=True)
class Game:
    """One demonstration: what it is, and how to provoke it."""

    slug: str
    group: str
    placement: str
    name: Words
    intro: Words
    steps: dict[str, list[str]]
    # Further attributes of the tag.
    data: dict[str, str] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)
    # The value of `data-play` on a button of the shop that opens it.
    opener: str = ""
    # The address where it is, of what no tag leads to.
    link: str = ""
    has_qr: bool = False
    # Shows a label out of a box, whose code opens it.
    has_label: bool = False
    # The campaign whose raffle was drawn, of a page that shows what came of it.
    drawn: str = ""
    # What to put behind the address of the page to see it.
    query: dict[str, str] = field(default_factory=dict)
    # Gives the page something to scroll through.
    is_long: bool = False

    @property
    def is_elsewhere(self) -> bool:
        """Return whether it has an address of its own, and needs no tag."""
        return bool(self.link or self.drawn) or self.has_label

    @cached_property
    def buttons(self) -> list[Call]:
        """Return the calls that the visitor can make."""
        return [Call(**row) for row in self.calls]


def beside(game: Game) -> tuple[Game | None, Game | None]:
    """Return the demonstrations before and after one."""
    slugs = list(GAMES)
    place = slugs.index(game.slug)
    before = GAMES[slugs[place - 1]] if place else None
    after = GAMES[slugs[place + 1]] if place + 1 < len(slugs) else None
    return before, after


_FILE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
GROUPS = [Group(**row) for row in _FILE["groups"]]
GAMES = {row["slug"]: Game(**row) for row in _FILE["games"]}
