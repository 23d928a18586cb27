"""Who may call a route. Every view wears exactly one of these.

`check_all_guarded` runs when the application is made: a route without a guard is
a failed start, not a hole. `tests/rules/test_guards.py` builds its matrix from the
same declarations (SAFETY.md T1, T11, G10).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Flask, current_app

View = TypeVar("View", bound=Callable[..., Any])

GUARD = "jawoord_guard"


class UnguardedRouteError(Exception):
    """A route does not say who may call it."""


def anyone(view: View) -> View:
    """Let everybody call it: no cookie is read, so there is nothing to forge."""
    return _declare(view, "anyone")


def link(view: View) -> View:
    """The view itself checks the signed link in its address; nothing else opens it."""
    return _declare(view, "link")


def demo(view: View) -> View:
    """Only where the demo is on; elsewhere the address does not exist."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not current_app.config["SETTINGS"].demo:
            return current_app.aborter(404)
        return view(*args, **kwargs)

    return _declare(guarded, "demo")  # type: ignore[return-value]  # wraps keeps it


def _declare(view: View, guard: str) -> View:
    setattr(view, GUARD, guard)
    return view


def guard_of(app: Flask, endpoint: str) -> str | None:
    """Return the guard that an endpoint declares, or None."""
    return getattr(app.view_functions[endpoint], GUARD, None)


def check_all_guarded(app: Flask) -> None:
    """Refuse to start with a route that does not say who may call it."""
    bare = sorted(
        f"{rule.rule} ({rule.endpoint})"
        for rule in app.url_map.iter_rules()
        if guard_of(app, rule.endpoint) is None
    )
    if bare:
        raise UnguardedRouteError(
            "these routes name no guard from views/guards.py: " + ", ".join(bare)
        )
